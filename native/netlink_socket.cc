// A netlink socket: synchronous requests, or notifications on the event loop.
#include "netlink_socket.h"

#include <arpa/inet.h>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <ctime>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace sluice {

// The kernel answers within the send call, except where a dump spans several datagrams.
static constexpr time_t kReplyTimeoutS = 2;
// Enough for a dump's datagram (the kernel makes them up to 32 KiB); what is longer enlarges the buffer.
static constexpr size_t kInitialBuffer = 32768;
// Datagrams taken in one turn of the event loop.
static constexpr int kNotificationBatch = 64;

void NetlinkSocket::Register(Napi::Env env, Napi::Object exports) {
  exports.Set("NetlinkSocket", DefineClass(env, "NetlinkSocket",
                                           {
                                               InstanceAccessor("fd", &NetlinkSocket::FileDescriptor, nullptr),
                                               InstanceAccessor("portId", &NetlinkSocket::PortId, nullptr),
                                               InstanceMethod("ignoreOwn", &NetlinkSocket::IgnoreOwn),
                                               InstanceMethod("request", &NetlinkSocket::Request),
                                               InstanceMethod("acknowledged", &NetlinkSocket::Acknowledged),
                                               InstanceMethod("onNotification", &NetlinkSocket::OnNotification),
                                               InstanceMethod("setReferenced", &NetlinkSocket::SetReferenced),
                                               InstanceMethod("close", &NetlinkSocket::Close),
                                           }));
}

// (protocol, groups)
NetlinkSocket::NetlinkSocket(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<NetlinkSocket>(info), readiness_(info.Env()) {
  Open(info);
}

void NetlinkSocket::Open(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  int64_t protocol = 0;
  int64_t groups = 0;
  if (!GetInt(info, 0, &protocol) || !GetInt(info, 1, &groups)) return;
  subject_ = "netlink protocol " + std::to_string(protocol);
  groups_ = static_cast<uint32_t>(groups);

  Fd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, static_cast<int>(protocol)));
  if (!fd.valid()) return ThrowErrno(env, errno, "socket(AF_NETLINK)", subject_);
  const timeval timeout{kReplyTimeoutS, 0};
  if (setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) != 0) {
    return ThrowErrno(env, errno, "SO_RCVTIMEO", subject_);
  }
  // The kernel's own words in its refusals, and the refused message not echoed. Both since Linux 4.12 at the latest.
  const int on = 1;
  if (setsockopt(fd.get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on)) != 0) {
    return ThrowErrno(env, errno, "NETLINK_EXT_ACK", subject_);
  }
  if (setsockopt(fd.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on)) != 0) {
    return ThrowErrno(env, errno, "NETLINK_CAP_ACK", subject_);
  }
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = groups_;
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return ThrowErrno(env, errno, "bind(AF_NETLINK)", subject_);
  }
  buffer_.resize(kInitialBuffer);
  fd_ = std::move(fd);
}

NetlinkSocket::~NetlinkSocket() { readiness_.Close(); }

Napi::Value NetlinkSocket::FileDescriptor(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), fd_.get());
}

// The address that the kernel gave to the socket.
Napi::Value NetlinkSocket::PortId(const Napi::CallbackInfo& info) {
  sockaddr_nl address{};
  socklen_t length = sizeof(address);
  if (getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    ThrowErrno(info.Env(), errno, "getsockname", subject_);
    return info.Env().Undefined();
  }
  return Napi::Number::New(info.Env(), address.nl_pid);
}

// (portId): notifications of what that socket asked for are thrown away in the kernel, without a wake-up
void NetlinkSocket::IgnoreOwn(const Napi::CallbackInfo& info) {
  int64_t port = 0;
  if (!GetInt(info, 0, &port)) return;
  // The filter loads words in network order.
  const uint32_t wanted = htonl(static_cast<uint32_t>(port));
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(nlmsghdr, nlmsg_pid)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, wanted, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0),
      BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
  };
  const sock_fprog program{sizeof(code) / sizeof(code[0]), code};
  if (setsockopt(fd_.get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) != 0) {
    ThrowErrno(info.Env(), errno, "SO_ATTACH_FILTER", subject_);
  }
}

ssize_t NetlinkSocket::Receive(int flags) {
  for (;;) {
    const ssize_t waiting = recv(fd_.get(), nullptr, 0, MSG_PEEK | MSG_TRUNC | flags);
    if (waiting < 0) {
      if (errno == EINTR) continue;
      return -errno;
    }
    if (static_cast<size_t>(waiting) > buffer_.size()) buffer_.resize(static_cast<size_t>(waiting));
    sockaddr_nl sender{};
    socklen_t sender_length = sizeof(sender);
    const ssize_t length = recvfrom(fd_.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT,
                                    reinterpret_cast<sockaddr*>(&sender), &sender_length);
    if (length < 0) {
      if (errno == EINTR) continue;
      return -errno;
    }
    // Another process may write to us too; only the kernel (port 0) is believed.
    if (sender_length == sizeof(sender) && sender.nl_pid != 0) continue;
    return length;
  }
}

// Walks the messages of a datagram; `visit` gives false to stop.
template <typename Visit>
static void EachMessage(const uint8_t* data, size_t length, Visit visit) {
  while (length >= sizeof(nlmsghdr)) {
    nlmsghdr header;
    memcpy(&header, data, sizeof(header));
    if (header.nlmsg_len < sizeof(nlmsghdr) || header.nlmsg_len > length) return;
    if (!visit(header, data)) return;
    const size_t step = NLMSG_ALIGN(header.nlmsg_len);
    if (step >= length) return;
    data += step;
    length -= step;
  }
}

static int64_t MonotonicSeconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec;
}

// Sends what stands in the first argument. Throws, and gives false, when that cannot be done.
bool NetlinkSocket::Send(const Napi::CallbackInfo& info, nlmsghdr* request) {
  const Napi::Env env = info.Env();
  Bytes message;
  if (!GetBytes(info, 0, &message)) return false;
  const auto fail = [&](int error, const char* call) {
    ThrowErrno(env, error, call, subject_);
    return false;
  };
  if (!fd_.valid()) return fail(EBADF, "send");
  // A notification between the replies would be lost here.
  if (groups_ != 0) return fail(EOPNOTSUPP, "request on a socket with groups");
  if (message.length < sizeof(*request)) return fail(EINVAL, "send");
  memcpy(request, message.data, sizeof(*request));
  if (request->nlmsg_len != message.length) return fail(EINVAL, "send");
  ssize_t sent;
  do {
    sent = send(fd_.get(), message.data, message.length, 0);
  } while (sent < 0 && errno == EINTR);
  return sent >= 0 || fail(errno, "send");
}

// (message) -> whether the kernel acknowledged it at once and in full; what it said otherwise is not kept: send it again.
// For what is sent for each frame or two: one system call and 2 us less than `request`, which looks for the length first
// and hands over each message.
Napi::Value NetlinkSocket::Acknowledged(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  nlmsghdr request;
  if (!Send(info, &request)) return env.Undefined();
  struct {
    nlmsghdr header;
    nlmsgerr error;
  } reply;
  sockaddr_nl sender{};
  socklen_t sender_length = sizeof(sender);
  const ssize_t length = recvfrom(fd_.get(), &reply, sizeof(reply), MSG_DONTWAIT,
                                  reinterpret_cast<sockaddr*>(&sender), &sender_length);
  const bool acknowledged = length >= static_cast<ssize_t>(NLMSG_LENGTH(sizeof(int))) && sender.nl_pid == 0 &&
                            reply.header.nlmsg_seq == request.nlmsg_seq && reply.header.nlmsg_type == NLMSG_ERROR &&
                            reply.error.error == 0;
  return Napi::Boolean::New(env, acknowledged);
}

// (message) -> the reply's messages, each with its header, the closing acknowledgement, error or DONE included.
// The exchange ends with NLMSG_ERROR (which an acknowledgement is), with NLMSG_DONE, or, where the request asks for no
// acknowledgement, with the first message that is not part of a dump.
Napi::Value NetlinkSocket::Request(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto fail = [&](int error, const char* call) {
    ThrowErrno(env, error, call, subject_);
    return env.Undefined();
  };
  nlmsghdr request;
  if (!Send(info, &request)) return env.Undefined();
  const Napi::Array replies = Napi::Array::New(env);
  uint32_t count = 0;
  bool finished = false;
  const int64_t deadline = MonotonicSeconds() + kReplyTimeoutS + 1;
  while (!finished) {
    const ssize_t length = Receive(0);
    if (length == -EAGAIN) return fail(ETIMEDOUT, "recv");
    if (length < 0) return fail(static_cast<int>(-length), "recv");
    bool ours = false;
    EachMessage(buffer_.data(), static_cast<size_t>(length), [&](const nlmsghdr& header, const uint8_t* data) {
      // Late replies to a request that was given up have another number.
      if (header.nlmsg_seq != request.nlmsg_seq) return true;
      ours = true;
      replies.Set(count++, Napi::Buffer<uint8_t>::Copy(env, data, header.nlmsg_len));
      if (header.nlmsg_type == NLMSG_ERROR || header.nlmsg_type == NLMSG_DONE) {
        finished = true;
      } else if ((header.nlmsg_flags & NLM_F_MULTI) == 0 && (request.nlmsg_flags & NLM_F_ACK) == 0) {
        finished = true;
      }
      return !finished;
    });
    if (!ours && MonotonicSeconds() > deadline) return fail(ETIMEDOUT, "recv");
  }
  return replies;
}

// (callback(errno, message)): each notification with errno 0; ENOBUFS and no message when some were lost; any other
// errno is the last call
void NetlinkSocket::OnNotification(const Napi::CallbackInfo& info) {
  Napi::Function callback;
  if (!GetFunction(info, 0, &callback)) return;
  if (!fd_.valid()) return ThrowClosed(info.Env(), "poll", subject_);
  const int result = readiness_.Start(fd_.get(), OnReadable, this);
  if (result != 0) return ThrowErrno(info.Env(), -result, "poll", subject_);
  if (notify_.IsEmpty()) Ref();
  notify_ = Napi::Persistent(callback);
}

void NetlinkSocket::OnReadable(void* data, int status, int) {
  auto* self = static_cast<NetlinkSocket*>(data);
  const Napi::Env env = self->Env();
  const Napi::HandleScope scope(env);
  const Napi::Value keep = self->Value();
  for (int taken = 0; taken < kNotificationBatch && !self->notify_.IsEmpty(); taken++) {
    const ssize_t length = self->Receive(MSG_DONTWAIT);
    if (length == -EAGAIN) break;
    const Napi::HandleScope message_scope(env);
    if (length < 0) {
      const Napi::Function callback = self->notify_.Value();
      if (length != -ENOBUFS) self->StopNotifications();
      CallFromLoop(env, callback, {Napi::Number::New(env, static_cast<double>(-length))});
      continue;
    }
    // Copied before the first call: a callback may close the socket.
    std::vector<Napi::Value> messages;
    EachMessage(self->buffer_.data(), static_cast<size_t>(length), [&](const nlmsghdr& header, const uint8_t* octets) {
      messages.push_back(Napi::Buffer<uint8_t>::Copy(env, octets, header.nlmsg_len));
      return true;
    });
    for (const Napi::Value& message : messages) {
      if (self->notify_.IsEmpty()) break;
      CallFromLoop(env, self->notify_.Value(), {Napi::Number::New(env, 0), message});
    }
  }
  // libuv takes the error flag of an overrun for the end of the descriptor, and stops.
  if (status < 0 && !self->notify_.IsEmpty()) {
    const int result = self->readiness_.Start(self->fd_.get(), OnReadable, self);
    if (result != 0) {
      const Napi::Function callback = self->notify_.Value();
      self->StopNotifications();
      CallFromLoop(env, callback, {Napi::Number::New(env, -result)});
    }
  }
  static_cast<void>(keep);
}

void NetlinkSocket::StopNotifications() {
  if (notify_.IsEmpty()) return;
  readiness_.Stop();
  notify_.Reset();
  Unref();
}

void NetlinkSocket::SetReferenced(const Napi::CallbackInfo& info) {
  bool referenced = true;
  if (GetBool(info, 0, &referenced)) readiness_.SetReferenced(referenced);
}

void NetlinkSocket::Close(const Napi::CallbackInfo&) {
  StopNotifications();
  readiness_.Close();
  fd_.Close();
}

}  // namespace sluice
