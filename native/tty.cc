// Pseudo-terminal pairs, and what can be asked of any tty by its descriptor.
#include "tty.h"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

namespace sluice {

void Pty::Register(Napi::Env env, Napi::Object exports) {
  exports.Set("Pty", DefineClass(env, "Pty",
                                 {
                                     InstanceAccessor("path", &Pty::Path, nullptr),
                                     InstanceAccessor("fd", &Pty::FileDescriptor, nullptr),
                                     InstanceMethod("read", &Pty::Read),
                                     InstanceMethod("write", &Pty::Write),
                                     InstanceMethod("releaseSlave", &Pty::ReleaseSlave),
                                     InstanceMethod("arm", &Pty::Arm),
                                     InstanceMethod("disarm", &Pty::Disarm),
                                     InstanceMethod("setReferenced", &Pty::SetReferenced),
                                     InstanceMethod("close", &Pty::Close),
                                 }));
}

Pty::Pty(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Pty>(info), one_shot_(info.Env(), this) {
  Open(info.Env());
}

void Pty::Open(Napi::Env env) {
  Fd master(posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  if (!master.valid()) return ThrowErrno(env, errno, "posix_openpt", path_);
  if (grantpt(master.get()) != 0) return ThrowErrno(env, errno, "grantpt", path_);
  if (unlockpt(master.get()) != 0) return ThrowErrno(env, errno, "unlockpt", path_);
  char path[64];
  const int failed = ptsname_r(master.get(), path, sizeof(path));
  if (failed != 0) return ThrowErrno(env, failed, "ptsname", path_);
  path_ = path;
  // By the master, not by the path: the other end of this very pair, whatever is mounted on /dev/pts.
  Fd slave(ioctl(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  if (!slave.valid()) return ThrowErrno(env, errno, "TIOCGPTPEER", path_);
  // Once for both: the settings belong to the pair, and the master's calls reach the slave's.
  termios settings{};
  if (tcgetattr(slave.get(), &settings) != 0) return ThrowErrno(env, errno, "tcgetattr", path_);
  cfmakeraw(&settings);
  if (tcsetattr(slave.get(), TCSANOW, &settings) != 0) return ThrowErrno(env, errno, "tcsetattr", path_);
  master_ = std::move(master);
  slave_ = std::move(slave);
}

Pty::~Pty() { one_shot_.Abandon(); }

Napi::Value Pty::Path(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), path_); }
Napi::Value Pty::FileDescriptor(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), master_.get()); }

// (buffer) -> octets, -1 when there are none, 0 when nobody has the slave open
Napi::Value Pty::Read(const Napi::CallbackInfo& info) {
  Bytes buffer;
  if (!GetBytes(info, 0, &buffer)) return info.Env().Undefined();
  const ssize_t length = read(master_.get(), buffer.data, buffer.length);
  if (length >= 0 || errno == EAGAIN) return Napi::Number::New(info.Env(), static_cast<double>(length));
  if (errno == EIO) return Napi::Number::New(info.Env(), 0);
  ThrowErrno(info.Env(), errno, "read", path_);
  return info.Env().Undefined();
}

// (octets) -> how many were taken, which may be fewer than given, or a negative errno
Napi::Value Pty::Write(const Napi::CallbackInfo& info) {
  Bytes octets;
  if (!GetBytes(info, 0, &octets)) return info.Env().Undefined();
  const ssize_t length = write(master_.get(), octets.data, octets.length);
  return ResultOrErrno(info.Env(), length);
}

// From now on the master sees a hang-up while nobody else has the slave open.
void Pty::ReleaseSlave(const Napi::CallbackInfo&) { slave_.Close(); }

// (callback): calls back once when octets can be read, or on a hang-up
void Pty::Arm(const Napi::CallbackInfo& info) {
  Napi::Function callback;
  if (!GetFunction(info, 0, &callback)) return;
  if (!master_.valid()) return ThrowClosed(info.Env(), "poll", path_);
  const int result = one_shot_.Arm(master_.get(), callback);
  if (result != 0) ThrowErrno(info.Env(), -result, "poll", path_);
}

void Pty::Disarm(const Napi::CallbackInfo&) { one_shot_.Disarm(); }

void Pty::SetReferenced(const Napi::CallbackInfo& info) {
  bool referenced = true;
  if (GetBool(info, 0, &referenced)) one_shot_.SetReferenced(referenced);
}

void Pty::Close(const Napi::CallbackInfo&) {
  one_shot_.Close();
  master_.Close();
  slave_.Close();
}

// (fd) -> octets in the input or output queue, or a negative errno
template <unsigned long Request>
static Napi::Value QueuedBytes(const Napi::CallbackInfo& info) {
  int64_t fd = -1;
  if (!GetInt(info, 0, &fd)) return info.Env().Undefined();
  int count = 0;
  const int result = ioctl(static_cast<int>(fd), Request, &count);
  return ResultOrErrno(info.Env(), result < 0 ? -1 : count);
}

// A tty gives at most 4095 octets at a time (n_tty's buffer is 4096); with less than half of that, there is no more yet.
static constexpr size_t kTtyBuffer = 4096;
static constexpr ssize_t kFullRead = 2048;

// (fd, buffer) -> octets read, 0 at the end, or a negative errno. Goes on as long as the octets come in full pieces and the
// buffer has room for another; a failure after the first is left to the next call.
static Napi::Value ReadOctets(const Napi::CallbackInfo& info) {
  int64_t fd = -1;
  Bytes buffer;
  if (!GetInt(info, 0, &fd) || !GetBytes(info, 1, &buffer)) return info.Env().Undefined();
  size_t total = 0;
  ssize_t bytes = 0;
  do {
    bytes = read(static_cast<int>(fd), buffer.data + total, buffer.length - total);
    if (bytes <= 0) break;
    total += static_cast<size_t>(bytes);
  } while (bytes >= kFullRead && buffer.length - total >= kTtyBuffer);
  return ResultOrErrno(info.Env(), total > 0 ? static_cast<int64_t>(total) : bytes);
}

// (fd, octets) -> octets taken, or a negative errno
static Napi::Value WriteOctets(const Napi::CallbackInfo& info) {
  int64_t fd = -1;
  Bytes octets;
  if (!GetInt(info, 0, &fd) || !GetBytes(info, 1, &octets)) return info.Env().Undefined();
  return ResultOrErrno(info.Env(), write(static_cast<int>(fd), octets.data, octets.length));
}

// (fd, exclusive) -> 0 or a negative errno. Keeps out later opens only, and not those of root.
static Napi::Value SetExclusive(const Napi::CallbackInfo& info) {
  int64_t fd = -1;
  bool exclusive = true;
  if (!GetInt(info, 0, &fd) || !GetBool(info, 1, &exclusive)) return info.Env().Undefined();
  return ResultOrErrno(info.Env(), ioctl(static_cast<int>(fd), exclusive ? TIOCEXCL : TIOCNXCL));
}

// (fd) -> 0, or -EWOULDBLOCK when another process holds the lock, or another negative errno
static Napi::Value LockExclusive(const Napi::CallbackInfo& info) {
  int64_t fd = -1;
  if (!GetInt(info, 0, &fd)) return info.Env().Undefined();
  return ResultOrErrno(info.Env(), flock(static_cast<int>(fd), LOCK_EX | LOCK_NB));
}

void RegisterTty(Napi::Env env, Napi::Object exports) {
  exports.Set("inputBytes", Napi::Function::New(env, QueuedBytes<FIONREAD>, "inputBytes"));
  exports.Set("outputBytes", Napi::Function::New(env, QueuedBytes<TIOCOUTQ>, "outputBytes"));
  exports.Set("readOctets", Napi::Function::New(env, ReadOctets, "readOctets"));
  exports.Set("writeOctets", Napi::Function::New(env, WriteOctets, "writeOctets"));
  exports.Set("setExclusive", Napi::Function::New(env, SetExclusive, "setExclusive"));
  exports.Set("lockExclusive", Napi::Function::New(env, LockExclusive, "lockExclusive"));
}

}  // namespace sluice
