// An IPv4 UDP socket as a measuring instrument: type of service, blocking or not, every errno seen.
#include "udp_socket.h"

#include <arpa/inet.h>
#include <cerrno>
#include <netinet/in.h>
#include <sys/socket.h>

namespace sluice {

void UdpSocket::Register(Napi::Env env, Napi::Object exports) {
  exports.Set("UdpSocket", DefineClass(env, "UdpSocket",
                                       {
                                           InstanceAccessor("fd", &UdpSocket::FileDescriptor, nullptr),
                                           InstanceMethod("send", &UdpSocket::Send),
                                           InstanceMethod("receive", &UdpSocket::Receive),
                                           InstanceMethod("sender", &UdpSocket::Sender),
                                           InstanceMethod("setSendBuffer", &UdpSocket::SetSendBuffer),
                                           InstanceMethod("arm", &UdpSocket::Arm),
                                           InstanceMethod("close", &UdpSocket::Close),
                                       }));
}

static bool ParseEndpoint(Napi::Env env, const std::string& address, int64_t port, sockaddr_in* out) {
  *out = {};
  out->sin_family = AF_INET;
  out->sin_port = htons(static_cast<uint16_t>(port));
  if (inet_pton(AF_INET, address.c_str(), &out->sin_addr) == 1) return true;
  Napi::TypeError::New(env, "no IPv4 address: " + address).ThrowAsJavaScriptException();
  return false;
}

// (address, port, typeOfService, blocking): bound to the address and port, 0.0.0.0 and 0 for any
UdpSocket::UdpSocket(const Napi::CallbackInfo& info) : Napi::ObjectWrap<UdpSocket>(info), one_shot_(info.Env(), this) {
  Open(info);
}

void UdpSocket::Open(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::string address;
  int64_t port = 0;
  int64_t type_of_service = 0;
  bool blocking = false;
  if (!GetString(info, 0, &address) || !GetInt(info, 1, &port) || !GetInt(info, 2, &type_of_service) ||
      !GetBool(info, 3, &blocking)) {
    return;
  }
  sockaddr_in local{};
  if (!ParseEndpoint(env, address, port, &local)) return;
  subject_ = address + ":" + std::to_string(port);
  Fd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | (blocking ? 0 : SOCK_NONBLOCK), 0));
  if (!fd.valid()) return ThrowErrno(env, errno, "socket(AF_INET)", subject_);
  const int value = static_cast<int>(type_of_service);
  if (setsockopt(fd.get(), IPPROTO_IP, IP_TOS, &value, sizeof(value)) != 0) {
    return ThrowErrno(env, errno, "IP_TOS", subject_);
  }
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&local), sizeof(local)) != 0) {
    return ThrowErrno(env, errno, "bind", subject_);
  }
  fd_ = std::move(fd);
}

UdpSocket::~UdpSocket() { one_shot_.Abandon(); }

Napi::Value UdpSocket::FileDescriptor(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), fd_.get());
}

// (octets, address, port) -> octets sent, or a negative errno
Napi::Value UdpSocket::Send(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Bytes octets;
  std::string address;
  int64_t port = 0;
  if (!GetBytes(info, 0, &octets) || !GetString(info, 1, &address) || !GetInt(info, 2, &port)) return env.Undefined();
  sockaddr_in remote{};
  if (!ParseEndpoint(env, address, port, &remote)) return env.Undefined();
  const ssize_t length = sendto(fd_.get(), octets.data, octets.length, 0, reinterpret_cast<const sockaddr*>(&remote),
                                sizeof(remote));
  return ResultOrErrno(env, length);
}

// (buffer) -> octets received, or a negative errno, -EAGAIN when nothing waits
Napi::Value UdpSocket::Receive(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Bytes buffer;
  if (!GetBytes(info, 0, &buffer)) return env.Undefined();
  sockaddr_in from{};
  socklen_t from_length = sizeof(from);
  const ssize_t length =
      recvfrom(fd_.get(), buffer.data, buffer.length, 0, reinterpret_cast<sockaddr*>(&from), &from_length);
  const Napi::Value result = ResultOrErrno(env, length);
  if (length >= 0) {
    char text[INET_ADDRSTRLEN] = "";
    inet_ntop(AF_INET, &from.sin_addr, text, sizeof(text));
    sender_ = std::string(text) + ":" + std::to_string(ntohs(from.sin_port));
  }
  return result;
}

// () -> `address:port` of the last datagram received
Napi::Value UdpSocket::Sender(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), sender_); }

// (bytes): SO_SNDBUF, of which the kernel takes the double
void UdpSocket::SetSendBuffer(const Napi::CallbackInfo& info) {
  int64_t bytes = 0;
  if (!GetInt(info, 0, &bytes)) return;
  const int value = static_cast<int>(bytes);
  if (setsockopt(fd_.get(), SOL_SOCKET, SO_SNDBUF, &value, sizeof(value)) != 0) {
    ThrowErrno(info.Env(), errno, "SO_SNDBUF", subject_);
  }
}

// (callback): calls back once when a datagram can be received
void UdpSocket::Arm(const Napi::CallbackInfo& info) {
  Napi::Function callback;
  if (!GetFunction(info, 0, &callback)) return;
  if (!fd_.valid()) return ThrowClosed(info.Env(), "poll", subject_);
  const int result = one_shot_.Arm(fd_.get(), callback);
  if (result != 0) ThrowErrno(info.Env(), -result, "poll", subject_);
}

void UdpSocket::Close(const Napi::CallbackInfo&) {
  one_shot_.Close();
  fd_.Close();
}

}  // namespace sluice
