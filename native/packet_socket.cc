// A packet socket bound to one interface, for sending.
#include "packet_socket.h"

#include <arpa/inet.h>
#include <cerrno>
#include <linux/if_packet.h>
#include <sys/socket.h>

namespace sluice {

void PacketSocket::Register(Napi::Env env, Napi::Object exports) {
  exports.Set("PacketSocket", DefineClass(env, "PacketSocket",
                                          {
                                              InstanceAccessor("fd", &PacketSocket::FileDescriptor, nullptr),
                                              InstanceMethod("send", &PacketSocket::Send),
                                              InstanceMethod("setSendBuffer", &PacketSocket::SetSendBuffer),
                                              InstanceMethod("close", &PacketSocket::Close),
                                          }));
}

// (ifindex, protocol, priority); protocol 0 receives nothing
PacketSocket::PacketSocket(const Napi::CallbackInfo& info) : Napi::ObjectWrap<PacketSocket>(info) { Open(info); }

void PacketSocket::Open(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  int64_t ifindex = 0;
  int64_t protocol = 0;
  int64_t priority = 0;
  if (!GetInt(info, 0, &ifindex) || !GetInt(info, 1, &protocol) || !GetInt(info, 2, &priority)) return;
  subject_ = "interface " + std::to_string(ifindex);

  const uint16_t wire_protocol = htons(static_cast<uint16_t>(protocol));
  // Protocol 0 until bound: an unbound socket with a protocol would receive from every interface.
  Fd fd(socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return ThrowErrno(env, errno, "socket(AF_PACKET)", subject_);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = wire_protocol;
  address.sll_ifindex = static_cast<int>(ifindex);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return ThrowErrno(env, errno, "bind(AF_PACKET)", subject_);
  }
  const int value = static_cast<int>(priority);
  if (setsockopt(fd.get(), SOL_SOCKET, SO_PRIORITY, &value, sizeof(value)) != 0) {
    return ThrowErrno(env, errno, "SO_PRIORITY", subject_);
  }
  fd_ = std::move(fd);
}

Napi::Value PacketSocket::FileDescriptor(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), fd_.get());
}

// (frame) -> octets sent, or a negative errno
Napi::Value PacketSocket::Send(const Napi::CallbackInfo& info) {
  Bytes frame;
  if (!GetBytes(info, 0, &frame)) return info.Env().Undefined();
  const ssize_t length = send(fd_.get(), frame.data, frame.length, MSG_DONTWAIT);
  return ResultOrErrno(info.Env(), length);
}

void PacketSocket::SetSendBuffer(const Napi::CallbackInfo& info) {
  int64_t bytes = 0;
  if (!GetInt(info, 0, &bytes)) return;
  const int value = static_cast<int>(bytes);
  if (setsockopt(fd_.get(), SOL_SOCKET, SO_SNDBUF, &value, sizeof(value)) != 0) {
    ThrowErrno(info.Env(), errno, "SO_SNDBUF", subject_);
  }
}

void PacketSocket::Close(const Napi::CallbackInfo&) { fd_.Close(); }

}  // namespace sluice
