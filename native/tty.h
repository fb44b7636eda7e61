// Pseudo-terminal pairs, and what can be asked of any tty by its descriptor.
#pragma once

#include <napi.h>

#include "common.h"
#include "readiness.h"

namespace sluice {

// The master of a raw pair; the slave is held open too, until released.
class Pty : public Napi::ObjectWrap<Pty> {
 public:
  static void Register(Napi::Env env, Napi::Object exports);
  explicit Pty(const Napi::CallbackInfo& info);
  ~Pty() override;

 private:
  void Open(Napi::Env env);
  Napi::Value Path(const Napi::CallbackInfo& info);
  Napi::Value FileDescriptor(const Napi::CallbackInfo& info);
  Napi::Value Read(const Napi::CallbackInfo& info);
  Napi::Value Write(const Napi::CallbackInfo& info);
  void ReleaseSlave(const Napi::CallbackInfo& info);
  void Arm(const Napi::CallbackInfo& info);
  void Disarm(const Napi::CallbackInfo& info);
  void SetReferenced(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  Fd master_;
  Fd slave_;
  std::string path_ = "/dev/ptmx";
  OneShot<Pty> one_shot_;
};

void RegisterTty(Napi::Env env, Napi::Object exports);

}  // namespace sluice
