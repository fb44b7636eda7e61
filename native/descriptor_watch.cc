// Readability and writability of a descriptor that somebody else owns, watched without a pause.
#include "descriptor_watch.h"

#include "common.h"

namespace sluice {

void DescriptorWatch::Register(Napi::Env env, Napi::Object exports) {
  exports.Set("DescriptorWatch", DefineClass(env, "DescriptorWatch",
                                             {
                                                 InstanceMethod("watch", &DescriptorWatch::Watch),
                                                 InstanceMethod("close", &DescriptorWatch::Close),
                                             }));
}

// (fd, callback(events)): events as in `watch`
DescriptorWatch::DescriptorWatch(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<DescriptorWatch>(info), readiness_(info.Env()) {
  int64_t fd = -1;
  Napi::Function callback;
  if (!GetInt(info, 0, &fd) || !GetFunction(info, 1, &callback)) return;
  fd_ = static_cast<int>(fd);
  callback_ = Napi::Persistent(callback);
}

// (events): 1 readable, 2 writable, 3 both, as libuv counts them; calls back as long as it is so, until told otherwise.
// Kept alive from the first call until `close`.
void DescriptorWatch::Watch(const Napi::CallbackInfo& info) {
  int64_t events = 0;
  if (!GetInt(info, 0, &events)) return;
  if (callback_.IsEmpty()) return ThrowClosed(info.Env(), "poll", "descriptor");
  const int result = readiness_.Start(fd_, OnReady, this, static_cast<int>(events) & (UV_READABLE | UV_WRITABLE));
  if (result != 0) return ThrowErrno(info.Env(), -result, "poll", "descriptor " + std::to_string(fd_));
  if (!watching_) Ref();
  watching_ = true;
}

// To be called before the descriptor is closed. Idempotent.
void DescriptorWatch::Close(const Napi::CallbackInfo&) {
  readiness_.Close();
  callback_.Reset();
  if (watching_) Unref();
  watching_ = false;
}

// On an error libuv has stopped the handle: what the calls that follow say tells the rest.
void DescriptorWatch::OnReady(void* data, int status, int events) {
  auto* self = static_cast<DescriptorWatch*>(data);
  const Napi::Env env = self->Env();
  const Napi::HandleScope scope(env);
  const Napi::Value keep = self->Value();
  const Napi::Function callback = self->callback_.Value();
  CallFromLoop(env, callback, {Napi::Number::New(env, status < 0 ? 0 : events)});
  static_cast<void>(keep);
}

}  // namespace sluice
