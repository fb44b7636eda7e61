// An IPv4 UDP socket as a measuring instrument: type of service, blocking or not, every errno seen.
#pragma once

#include <napi.h>

#include "common.h"
#include "readiness.h"

namespace sluice {

class UdpSocket : public Napi::ObjectWrap<UdpSocket> {
 public:
  static void Register(Napi::Env env, Napi::Object exports);
  explicit UdpSocket(const Napi::CallbackInfo& info);
  ~UdpSocket() override;

 private:
  void Open(const Napi::CallbackInfo& info);
  Napi::Value FileDescriptor(const Napi::CallbackInfo& info);
  Napi::Value Send(const Napi::CallbackInfo& info);
  Napi::Value Receive(const Napi::CallbackInfo& info);
  void SetSendBuffer(const Napi::CallbackInfo& info);
  Napi::Value Sender(const Napi::CallbackInfo& info);
  void Arm(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  Fd fd_;
  std::string subject_ = "UDP socket";
  std::string sender_;
  OneShot<UdpSocket> one_shot_;
};

}  // namespace sluice
