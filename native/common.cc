// Owned file descriptors, errno as JavaScript errors, and argument checks.
#include "common.h"

#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace sluice {

void Fd::Close() {
  // Linux releases the descriptor even when close reports EINTR: never twice.
  if (fd_ >= 0) close(Release());
}

void ThrowErrno(Napi::Env env, int error, const char* call, const std::string& subject) {
  const char* name = strerrorname_np(error);
  const std::string code = name == nullptr ? "E" + std::to_string(error) : name;
  Napi::Error failure =
      Napi::Error::New(env, std::string(call) + " " + subject + ": " + code + ", " + strerror(error));
  failure.Set("code", Napi::String::New(env, code));
  failure.Set("errno", Napi::Number::New(env, error));
  failure.Set("call", Napi::String::New(env, call));
  failure.Set("subject", Napi::String::New(env, subject));
  failure.ThrowAsJavaScriptException();
}

void ThrowClosed(Napi::Env env, const char* call, const std::string& subject) {
  ThrowErrno(env, EBADF, call, subject);
}

static bool WrongType(const Napi::CallbackInfo& info, size_t index, const char* type) {
  Napi::TypeError::New(info.Env(), "argument " + std::to_string(index + 1) + " must be a " + type)
      .ThrowAsJavaScriptException();
  return false;
}

bool GetBytes(const Napi::CallbackInfo& info, size_t index, Bytes* out) {
  // Straight to Node-API: this runs for every frame. `info[index]` is undefined when the argument is missing.
  napi_typedarray_type type;
  void* data = nullptr;
  size_t length = 0;
  const napi_status status =
      napi_get_typedarray_info(info.Env(), info[index], &type, &length, &data, nullptr, nullptr);
  if (status != napi_ok || type != napi_uint8_array) return WrongType(info, index, "Uint8Array");
  out->data = static_cast<uint8_t*>(data);
  out->length = length;
  return true;
}

bool GetInt(const Napi::CallbackInfo& info, size_t index, int64_t* out) {
  if (napi_get_value_int64(info.Env(), info[index], out) != napi_ok) return WrongType(info, index, "number");
  return true;
}

bool GetString(const Napi::CallbackInfo& info, size_t index, std::string* out) {
  if (!info[index].IsString()) return WrongType(info, index, "string");
  *out = info[index].As<Napi::String>().Utf8Value();
  if (out->find('\0') != std::string::npos) return WrongType(info, index, "string without NUL");
  return true;
}

bool GetBool(const Napi::CallbackInfo& info, size_t index, bool* out) {
  if (napi_get_value_bool(info.Env(), info[index], out) != napi_ok) return WrongType(info, index, "boolean");
  return true;
}

bool GetFunction(const Napi::CallbackInfo& info, size_t index, Napi::Function* out) {
  if (!info[index].IsFunction()) return WrongType(info, index, "function");
  *out = info[index].As<Napi::Function>();
  return true;
}

Napi::Value ResultOrErrno(Napi::Env env, int64_t result) {
  const int error = errno;
  return Napi::Number::New(env, static_cast<double>(result < 0 ? -error : result));
}

void CallFromLoop(Napi::Env env, const Napi::Function& callback, std::initializer_list<napi_value> arguments) {
  // Node-API wants an object as receiver.
  callback.MakeCallback(env.Global(), arguments);
  if (env.IsExceptionPending()) {
    const Napi::Error failure = env.GetAndClearPendingException();
    napi_fatal_exception(env, failure.Value());
  }
}

}  // namespace sluice
