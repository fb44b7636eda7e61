// A packet socket bound to one interface, for sending.
#pragma once

#include <napi.h>

#include "common.h"

namespace sluice {

class PacketSocket : public Napi::ObjectWrap<PacketSocket> {
 public:
  static void Register(Napi::Env env, Napi::Object exports);
  explicit PacketSocket(const Napi::CallbackInfo& info);

 private:
  void Open(const Napi::CallbackInfo& info);
  Napi::Value FileDescriptor(const Napi::CallbackInfo& info);
  Napi::Value Send(const Napi::CallbackInfo& info);
  void SetSendBuffer(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  Fd fd_;
  std::string subject_;
};

}  // namespace sluice
