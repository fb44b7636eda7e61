// Readability and writability of a descriptor that somebody else owns, watched without a pause.
#pragma once

#include <napi.h>

#include "readiness.h"

namespace sluice {

class DescriptorWatch : public Napi::ObjectWrap<DescriptorWatch> {
 public:
  static void Register(Napi::Env env, Napi::Object exports);
  explicit DescriptorWatch(const Napi::CallbackInfo& info);
  ~DescriptorWatch() override { readiness_.Close(); }

 private:
  void Watch(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);
  static void OnReady(void* data, int status, int events);

  int fd_ = -1;
  bool watching_ = false;
  Napi::FunctionReference callback_;
  Readiness readiness_;
};

}  // namespace sluice
