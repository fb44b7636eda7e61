// A netlink socket: synchronous requests, or notifications on the event loop.
#pragma once

#include <linux/netlink.h>
#include <napi.h>

#include <vector>

#include "common.h"
#include "readiness.h"

namespace sluice {

class NetlinkSocket : public Napi::ObjectWrap<NetlinkSocket> {
 public:
  static void Register(Napi::Env env, Napi::Object exports);
  explicit NetlinkSocket(const Napi::CallbackInfo& info);
  ~NetlinkSocket() override;

 private:
  void Open(const Napi::CallbackInfo& info);
  Napi::Value FileDescriptor(const Napi::CallbackInfo& info);
  Napi::Value PortId(const Napi::CallbackInfo& info);
  void IgnoreOwn(const Napi::CallbackInfo& info);
  Napi::Value Request(const Napi::CallbackInfo& info);
  Napi::Value Acknowledged(const Napi::CallbackInfo& info);
  void OnNotification(const Napi::CallbackInfo& info);
  void SetReferenced(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  bool Send(const Napi::CallbackInfo& info, nlmsghdr* request);
  // Receives one datagram of the kernel into buffer_, whole. Gives its length, or a negative errno.
  ssize_t Receive(int flags);
  static void OnReadable(void* data, int status, int events);
  void StopNotifications();

  Fd fd_;
  uint32_t groups_ = 0;
  std::string subject_;
  std::vector<uint8_t> buffer_;
  Readiness readiness_;
  Napi::FunctionReference notify_;
};

}  // namespace sluice
