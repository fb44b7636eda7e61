// Readability of a file descriptor on Node's own event loop.
#include "readiness.h"

namespace sluice {

int Readiness::Start(int fd, Handler handler, void* owner, int events) {
  if (ended_) return -ECANCELED;
  handler_ = handler;
  handler_owner_ = owner;
  if (handle_ == nullptr) {
    uv_loop_t* loop = nullptr;
    if (napi_get_uv_event_loop(env_, &loop) != napi_ok) return -ECANCELED;
    auto* handle = new Handle{};
    handle->owner = this;
    const int result = uv_poll_init(loop, &handle->poll, fd);
    if (result != 0) {
      delete handle;
      return result;
    }
    handle->poll.data = handle;
    if (napi_add_async_cleanup_hook(env_, OnEnvironmentEnd, handle, &handle->hook) != napi_ok) handle->hook = nullptr;
    handle_ = handle;
    SetReferenced(referenced_);
  }
  // libuv stops a handle that reports an error, so starting again is always right.
  return uv_poll_start(&handle_->poll, events, OnPoll);
}

void Readiness::Stop() {
  if (handle_ != nullptr) uv_poll_stop(&handle_->poll);
}

void Readiness::SetReferenced(bool referenced) {
  referenced_ = referenced;
  if (handle_ == nullptr) return;
  auto* handle = reinterpret_cast<uv_handle_t*>(&handle_->poll);
  if (referenced) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

void Readiness::Close() {
  ended_ = true;
  if (handle_ == nullptr) return;
  Handle* handle = handle_;
  handle_ = nullptr;
  handle->owner = nullptr;
  // Takes the descriptor out of epoll at once; only the memory has to wait for the loop.
  uv_close(reinterpret_cast<uv_handle_t*>(&handle->poll), OnClosed);
}

void Readiness::OnPoll(uv_poll_t* poll, int status, int events) {
  const auto* handle = static_cast<Handle*>(poll->data);
  Readiness* owner = handle->owner;
  if (owner != nullptr) owner->handler_(owner->handler_owner_, status, events);
}

void Readiness::OnClosed(uv_handle_t* closed) {
  auto* handle = static_cast<Handle*>(closed->data);
  if (handle->hook != nullptr) napi_remove_async_cleanup_hook(handle->hook);
  delete handle;
}

void Readiness::OnEnvironmentEnd(napi_async_cleanup_hook_handle, void* data) {
  auto* handle = static_cast<Handle*>(data);
  // With a closing handle OnClosed is on its way already, and the environment waits for it.
  if (handle->owner != nullptr) handle->owner->Close();
}

}  // namespace sluice
