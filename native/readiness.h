// Readability of a file descriptor on Node's own event loop.
#pragma once

#include <napi.h>
#include <uv.h>

#include "common.h"

namespace sluice {

// A uv_poll handle that outlives its owner until libuv has closed it, and that an ending environment closes by itself.
// The handle keeps the loop alive only between Start and Stop, and not even then after SetReferenced(false).
class Readiness {
 public:
  using Handler = void (*)(void* owner, int status, int events);

  explicit Readiness(napi_env env) : env_(env) {}
  ~Readiness() { Close(); }
  Readiness(const Readiness&) = delete;
  Readiness& operator=(const Readiness&) = delete;

  // Calls `handler` for as long as the descriptor is ready so or hung up, until Stop. Gives 0 or a negative errno.
  int Start(int fd, Handler handler, void* owner, int events = UV_READABLE);
  void Stop();
  void SetReferenced(bool referenced);
  // To be called before the descriptor is closed. Idempotent.
  void Close();

 private:
  struct Handle {
    uv_poll_t poll;
    Readiness* owner;
    napi_async_cleanup_hook_handle hook;
  };
  static void OnPoll(uv_poll_t* poll, int status, int events);
  static void OnClosed(uv_handle_t* handle);
  static void OnEnvironmentEnd(napi_async_cleanup_hook_handle hook, void* data);

  napi_env env_;
  Handle* handle_ = nullptr;
  Handler handler_ = nullptr;
  void* handler_owner_ = nullptr;
  bool referenced_ = true;
  bool ended_ = false;
};

// Readiness that calls one JavaScript function once: what `arm` and `disarm` are made of. `Wrapped` is kept alive
// while armed, so that an armed device is not collected.
// After a call it goes on watching, unreferenced, until it is ready once more and nobody has armed it: who arms it again
// in the meantime, as readers do that have read all there was, saves two system calls (epoll_ctl).
template <typename Wrapped>
class OneShot {
 public:
  OneShot(napi_env env, Wrapped* wrapped) : readiness_(env), wrapped_(wrapped) {}

  // A second call before the first has called back replaces its callback.
  int Arm(int fd, const Napi::Function& callback) {
    if (!callback_.IsEmpty()) {
      callback_ = Napi::Persistent(callback);
      return 0;
    }
    if (!watching_) {
      const int result = readiness_.Start(fd, &OneShot::OnReady, this);
      if (result != 0) return result;
      watching_ = true;
    }
    readiness_.SetReferenced(referenced_);
    callback_ = Napi::Persistent(callback);
    wrapped_->Ref();
    return 0;
  }

  void Disarm() {
    if (callback_.IsEmpty()) return;
    Stop();
    callback_.Reset();
    wrapped_->Unref();
  }

  void SetReferenced(bool referenced) {
    referenced_ = referenced;
    if (!callback_.IsEmpty()) readiness_.SetReferenced(referenced);
  }

  void Close() {
    Disarm();
    readiness_.Close();
  }

  // For the destructor of the wrapped object, when its reference is gone already.
  void Abandon() {
    callback_.Reset();
    readiness_.Close();
  }

 private:
  void Stop() {
    readiness_.Stop();
    watching_ = false;
  }

  // Any status: the read that follows tells what happened. On an error libuv has stopped the handle.
  static void OnReady(void* data, int status, int) {
    auto* self = static_cast<OneShot*>(data);
    if (status < 0 || self->callback_.IsEmpty()) self->Stop();
    if (self->callback_.IsEmpty()) return;
    const Napi::Env env = self->wrapped_->Env();
    const Napi::HandleScope scope(env);
    const Napi::Function callback = self->callback_.Value();
    // Before the call, which may arm again or close the device; the scope holds the object until then.
    const Napi::Value keep = self->wrapped_->Value();
    self->callback_.Reset();
    self->wrapped_->Unref();
    self->readiness_.SetReferenced(false);
    CallFromLoop(env, callback, {});
    static_cast<void>(keep);
  }

  bool watching_ = false;
  bool referenced_ = true;
  Readiness readiness_;
  Wrapped* wrapped_;
  Napi::FunctionReference callback_;
};

}  // namespace sluice
