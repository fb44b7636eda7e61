// A packet socket that receives what passes an interface, both ways, into a ring shared with the kernel (TPACKET_V3).
#pragma once

#include <napi.h>

#include "common.h"
#include "readiness.h"

namespace sluice {

class PacketRing : public Napi::ObjectWrap<PacketRing> {
 public:
  static void Register(Napi::Env env, Napi::Object exports);
  explicit PacketRing(const Napi::CallbackInfo& info);
  ~PacketRing() override;

 private:
  void Open(const Napi::CallbackInfo& info);
  void Unmap();
  Napi::Value FileDescriptor(const Napi::CallbackInfo& info);
  Napi::Value Read(const Napi::CallbackInfo& info);
  Napi::Value Statistics(const Napi::CallbackInfo& info);
  Napi::Value TakeError(const Napi::CallbackInfo& info);
  void Arm(const Napi::CallbackInfo& info);
  void Disarm(const Napi::CallbackInfo& info);
  void SetReferenced(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  Fd fd_;
  std::string subject_;
  uint8_t* ring_ = nullptr;
  size_t block_bytes_ = 0;
  size_t blocks_ = 0;
  size_t next_ = 0;
  OneShot<PacketRing> one_shot_;
};

}  // namespace sluice
