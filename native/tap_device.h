// A queue of a TAP device: attach, read, write, and readability on demand.
#pragma once

#include <napi.h>

#include "common.h"
#include "readiness.h"

namespace sluice {

class TapDevice : public Napi::ObjectWrap<TapDevice> {
 public:
  static void Register(Napi::Env env, Napi::Object exports);
  explicit TapDevice(const Napi::CallbackInfo& info);
  ~TapDevice() override;

 private:
  void Open(const Napi::CallbackInfo& info);
  void Adopt(const Napi::CallbackInfo& info);
  bool FindIndex(Napi::Env env);
  static Napi::Value Features(const Napi::CallbackInfo& info);
  Napi::Value Name(const Napi::CallbackInfo& info);
  Napi::Value IfIndex(const Napi::CallbackInfo& info);
  Napi::Value Flags(const Napi::CallbackInfo& info);
  Napi::Value FeatureMask(const Napi::CallbackInfo& info);
  Napi::Value FileDescriptor(const Napi::CallbackInfo& info);
  Napi::Value Read(const Napi::CallbackInfo& info);
  Napi::Value Write(const Napi::CallbackInfo& info);
  void SetPersist(const Napi::CallbackInfo& info);
  void SetOwner(const Napi::CallbackInfo& info);
  void SetCarrier(const Napi::CallbackInfo& info);
  void SetSendBuffer(const Napi::CallbackInfo& info);
  void AttachQueue(const Napi::CallbackInfo& info);
  void DetachQueue(const Napi::CallbackInfo& info);
  Napi::Value WithinNamespace(const Napi::CallbackInfo& info);
  void Arm(const Napi::CallbackInfo& info);
  void Disarm(const Napi::CallbackInfo& info);
  void SetReferenced(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  void SetQueue(Napi::Env env, short flag, const char* call);

  Fd fd_;
  std::string name_;
  int ifindex_ = 0;
  unsigned int features_ = 0;
  OneShot<TapDevice> one_shot_;
};

}  // namespace sluice
