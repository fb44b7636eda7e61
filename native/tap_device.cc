// A queue of a TAP device: attach, read, write, and readability on demand.
#include "tap_device.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sluice {

static Fd OpenCloneDevice(Napi::Env env, const std::string& path) {
  Fd fd(open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd.valid()) ThrowErrno(env, errno, "open", path);
  return fd;
}

static bool GetFeatures(Napi::Env env, const Fd& fd, const std::string& path, unsigned int* features) {
  if (ioctl(fd.get(), TUNGETFEATURES, features) == 0) return true;
  ThrowErrno(env, errno, "TUNGETFEATURES", path);
  return false;
}

void TapDevice::Register(Napi::Env env, Napi::Object exports) {
  exports.Set("TapDevice", DefineClass(env, "TapDevice",
                                       {
                                           StaticMethod("features", &TapDevice::Features),
                                           InstanceAccessor("name", &TapDevice::Name, nullptr),
                                           InstanceAccessor("ifindex", &TapDevice::IfIndex, nullptr),
                                           InstanceAccessor("flags", &TapDevice::Flags, nullptr),
                                           InstanceAccessor("features", &TapDevice::FeatureMask, nullptr),
                                           InstanceAccessor("fd", &TapDevice::FileDescriptor, nullptr),
                                           InstanceMethod("read", &TapDevice::Read),
                                           InstanceMethod("write", &TapDevice::Write),
                                           InstanceMethod("setPersist", &TapDevice::SetPersist),
                                           InstanceMethod("setOwner", &TapDevice::SetOwner),
                                           InstanceMethod("setCarrier", &TapDevice::SetCarrier),
                                           InstanceMethod("setSendBuffer", &TapDevice::SetSendBuffer),
                                           InstanceMethod("attachQueue", &TapDevice::AttachQueue),
                                           InstanceMethod("detachQueue", &TapDevice::DetachQueue),
                                           InstanceMethod("withinNamespace", &TapDevice::WithinNamespace),
                                           InstanceMethod("arm", &TapDevice::Arm),
                                           InstanceMethod("disarm", &TapDevice::Disarm),
                                           InstanceMethod("setReferenced", &TapDevice::SetReferenced),
                                           InstanceMethod("close", &TapDevice::Close),
                                       }));
}

// (clonePath, name, flags), or (fd) for a queue that another process opened
TapDevice::TapDevice(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<TapDevice>(info), one_shot_(info.Env(), this) {
  if (info[0].IsNumber()) {
    Adopt(info);
  } else {
    Open(info);
  }
}

void TapDevice::Open(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::string path;
  int64_t flags = 0;
  if (!GetString(info, 0, &path) || !GetString(info, 1, &name_) || !GetInt(info, 2, &flags)) return;
  if (name_.size() >= IFNAMSIZ) return ThrowErrno(env, ENAMETOOLONG, "TUNSETIFF", name_);

  Fd fd = OpenCloneDevice(env, path);
  if (!fd.valid() || !GetFeatures(env, fd, path, &features_)) return;

  ifreq request{};
  memcpy(request.ifr_name, name_.c_str(), name_.size());
  // The flags are 16 bits wide, and the topmost one is in use: a cast, not a conversion.
  request.ifr_flags = static_cast<short>(static_cast<unsigned short>(flags));
  if (ioctl(fd.get(), TUNSETIFF, &request) != 0) return ThrowErrno(env, errno, "TUNSETIFF", name_);
  // The kernel fills in the number of a name such as `sl%d`.
  request.ifr_name[IFNAMSIZ - 1] = '\0';
  name_ = request.ifr_name;

  if (FindIndex(env)) fd_ = std::move(fd);
}

// Takes the descriptor over, whatever comes of it.
void TapDevice::Adopt(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  int64_t number = -1;
  if (!GetInt(info, 0, &number)) return;
  Fd fd(static_cast<int>(number));
  name_ = "descriptor " + std::to_string(number);
  ifreq request{};
  if (ioctl(fd.get(), TUNGETIFF, &request) != 0) return ThrowErrno(env, errno, "TUNGETIFF", name_);
  if (!GetFeatures(env, fd, name_, &features_)) return;
  request.ifr_name[IFNAMSIZ - 1] = '\0';
  name_ = request.ifr_name;
  const int status = fcntl(fd.get(), F_GETFL);
  if (status < 0 || fcntl(fd.get(), F_SETFL, status | O_NONBLOCK) < 0 || fcntl(fd.get(), F_SETFD, FD_CLOEXEC) < 0) {
    return ThrowErrno(env, errno, "fcntl", name_);
  }
  if (FindIndex(env)) fd_ = std::move(fd);
}

// In the network namespace of the calling thread.
bool TapDevice::FindIndex(Napi::Env env) {
  const Fd control(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!control.valid()) {
    ThrowErrno(env, errno, "socket", name_);
    return false;
  }
  ifreq query{};
  memcpy(query.ifr_name, name_.c_str(), name_.size());
  if (ioctl(control.get(), SIOCGIFINDEX, &query) != 0) {
    ThrowErrno(env, errno, "SIOCGIFINDEX", name_);
    return false;
  }
  ifindex_ = query.ifr_ifindex;
  return true;
}

TapDevice::~TapDevice() { one_shot_.Abandon(); }

// (clonePath) -> the mask of TUNGETFEATURES
Napi::Value TapDevice::Features(const Napi::CallbackInfo& info) {
  std::string path;
  unsigned int features = 0;
  if (!GetString(info, 0, &path)) return info.Env().Undefined();
  const Fd fd = OpenCloneDevice(info.Env(), path);
  if (!fd.valid() || !GetFeatures(info.Env(), fd, path, &features)) return info.Env().Undefined();
  return Napi::Number::New(info.Env(), features);
}

Napi::Value TapDevice::Name(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), name_); }
Napi::Value TapDevice::IfIndex(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), ifindex_); }
Napi::Value TapDevice::FeatureMask(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), features_); }
Napi::Value TapDevice::FileDescriptor(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), fd_.get());
}

// (buffer) -> octets of one frame, or -1 when there is none
Napi::Value TapDevice::Read(const Napi::CallbackInfo& info) {
  Bytes buffer;
  if (!GetBytes(info, 0, &buffer)) return info.Env().Undefined();
  const ssize_t length = read(fd_.get(), buffer.data, buffer.length);
  if (length < 0 && errno != EAGAIN) {
    ThrowErrno(info.Env(), errno, "read", name_);
    return info.Env().Undefined();
  }
  return Napi::Number::New(info.Env(), static_cast<double>(length));
}

// (frame) -> octets taken, or a negative errno
Napi::Value TapDevice::Write(const Napi::CallbackInfo& info) {
  Bytes frame;
  if (!GetBytes(info, 0, &frame)) return info.Env().Undefined();
  const ssize_t length = write(fd_.get(), frame.data, frame.length);
  return ResultOrErrno(info.Env(), length);
}

void TapDevice::SetPersist(const Napi::CallbackInfo& info) {
  bool persist = false;
  if (!GetBool(info, 0, &persist)) return;
  if (ioctl(fd_.get(), TUNSETPERSIST, persist ? 1UL : 0UL) != 0) ThrowErrno(info.Env(), errno, "TUNSETPERSIST", name_);
}

void TapDevice::SetOwner(const Napi::CallbackInfo& info) {
  int64_t uid = 0;
  if (!GetInt(info, 0, &uid)) return;
  if (ioctl(fd_.get(), TUNSETOWNER, static_cast<unsigned long>(uid)) != 0) {
    ThrowErrno(info.Env(), errno, "TUNSETOWNER", name_);
  }
}

void TapDevice::SetCarrier(const Napi::CallbackInfo& info) {
  bool carrier = false;
  if (!GetBool(info, 0, &carrier)) return;
  int value = carrier ? 1 : 0;
  if (ioctl(fd_.get(), TUNSETCARRIER, &value) != 0) ThrowErrno(info.Env(), errno, "TUNSETCARRIER", name_);
}

void TapDevice::SetSendBuffer(const Napi::CallbackInfo& info) {
  int64_t bytes = 0;
  if (!GetInt(info, 0, &bytes)) return;
  int value = static_cast<int>(bytes);
  if (ioctl(fd_.get(), TUNSETSNDBUF, &value) != 0) ThrowErrno(info.Env(), errno, "TUNSETSNDBUF", name_);
}

void TapDevice::SetQueue(Napi::Env env, short flag, const char* call) {
  ifreq request{};
  request.ifr_flags = flag;
  if (ioctl(fd_.get(), TUNSETQUEUE, &request) != 0) ThrowErrno(env, errno, call, name_);
}

void TapDevice::AttachQueue(const Napi::CallbackInfo& info) { SetQueue(info.Env(), IFF_ATTACH_QUEUE, "TUNSETQUEUE"); }
void TapDevice::DetachQueue(const Napi::CallbackInfo& info) { SetQueue(info.Env(), IFF_DETACH_QUEUE, "TUNSETQUEUE"); }

// The flags of TUNGETIFF, IFF_PERSIST and IFF_DETACH_QUEUE among them.
Napi::Value TapDevice::Flags(const Napi::CallbackInfo& info) {
  ifreq request{};
  if (ioctl(fd_.get(), TUNGETIFF, &request) != 0) {
    ThrowErrno(info.Env(), errno, "TUNGETIFF", name_);
    return info.Env().Undefined();
  }
  return Napi::Number::New(info.Env(), static_cast<unsigned short>(request.ifr_flags));
}

// (callback) -> what it gives: called with this thread in the network namespace in which the device is now
Napi::Value TapDevice::WithinNamespace(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Function callback;
  if (!GetFunction(info, 0, &callback)) return env.Undefined();
  const auto fail = [&](const char* call) {
    ThrowErrno(env, errno, call, name_);
    return env.Undefined();
  };
  const Fd ours(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!ours.valid()) return fail("open(namespace)");
  const Fd its(ioctl(fd_.get(), TUNGETDEVNETNS));
  if (!its.valid()) return fail("TUNGETDEVNETNS");
  if (setns(its.get(), CLONE_NEWNET) != 0) return fail("setns");
  const Napi::Value result = callback.Call({});
  if (setns(ours.get(), CLONE_NEWNET) != 0 && !env.IsExceptionPending()) return fail("setns");
  return result;
}

// (callback): calls back once when a frame can be read, or when reading would fail
void TapDevice::Arm(const Napi::CallbackInfo& info) {
  Napi::Function callback;
  if (!GetFunction(info, 0, &callback)) return;
  if (!fd_.valid()) return ThrowClosed(info.Env(), "poll", name_);
  const int result = one_shot_.Arm(fd_.get(), callback);
  if (result != 0) ThrowErrno(info.Env(), -result, "poll", name_);
}

void TapDevice::Disarm(const Napi::CallbackInfo&) { one_shot_.Disarm(); }

void TapDevice::SetReferenced(const Napi::CallbackInfo& info) {
  bool referenced = true;
  if (GetBool(info, 0, &referenced)) one_shot_.SetReferenced(referenced);
}

void TapDevice::Close(const Napi::CallbackInfo&) {
  one_shot_.Close();
  fd_.Close();
}

}  // namespace sluice
