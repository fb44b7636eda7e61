// What every part of the addon needs: owned file descriptors, errno as JavaScript errors, arguments.
#pragma once

#include <napi.h>

#include <cstdint>
#include <string>

namespace sluice {

// Owns a file descriptor; any value >= 0 is one, 0 included.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { Close(); }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  Fd(Fd&& other) noexcept : fd_(other.Release()) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      Close();
      fd_ = other.Release();
    }
    return *this;
  }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int Release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void Close();

 private:
  int fd_ = -1;
};

// The octets of a Uint8Array or Buffer, valid for the duration of the native call.
struct Bytes {
  uint8_t* data = nullptr;
  size_t length = 0;
};

// Throws an Error with the properties `code` (errno's name), `errno` (positive), `call` and `subject`.
void ThrowErrno(Napi::Env env, int error, const char* call, const std::string& subject);
// The same with errno EBADF, for a method called on a closed object.
void ThrowClosed(Napi::Env env, const char* call, const std::string& subject);

// Each throws a TypeError that names the argument and gives false when it has another type.
bool GetBytes(const Napi::CallbackInfo& info, size_t index, Bytes* out);
bool GetInt(const Napi::CallbackInfo& info, size_t index, int64_t* out);
bool GetString(const Napi::CallbackInfo& info, size_t index, std::string* out);
bool GetBool(const Napi::CallbackInfo& info, size_t index, bool* out);
bool GetFunction(const Napi::CallbackInfo& info, size_t index, Napi::Function* out);

// The result of a system call just made, as JavaScript sees it: its value, or the negative errno. Reads errno itself:
// as an argument it could be evaluated before the call.
Napi::Value ResultOrErrno(Napi::Env env, int64_t result);

// Calls into JavaScript from the event loop; what the callback throws becomes an uncaught exception.
void CallFromLoop(Napi::Env env, const Napi::Function& callback, std::initializer_list<napi_value> arguments);

}  // namespace sluice
