// Network namespaces of the calling thread, and the interfaces seen from it.
#include "network_namespace.h"

#include <cerrno>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>

#include "common.h"

namespace sluice {

// Moves the calling thread, and what it opens or spawns from now on, into a fresh namespace with only `lo` in it.
static void UnshareNetwork(const Napi::CallbackInfo& info) {
  if (unshare(CLONE_NEWNET) != 0) ThrowErrno(info.Env(), errno, "unshare", "network namespace");
}

// (path): moves the calling thread into the namespace that the path refers to
static void EnterNetworkNamespace(const Napi::CallbackInfo& info) {
  std::string path;
  if (!GetString(info, 0, &path)) return;
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return ThrowErrno(info.Env(), errno, "open(namespace)", path);
  if (setns(fd.get(), CLONE_NEWNET) != 0) ThrowErrno(info.Env(), errno, "setns", path);
}

// (name) -> ifindex, or 0 when there is no such interface
static Napi::Value InterfaceIndex(const Napi::CallbackInfo& info) {
  std::string name;
  if (!GetString(info, 0, &name)) return info.Env().Undefined();
  const unsigned int index = if_nametoindex(name.c_str());
  if (index == 0 && errno != ENODEV) {
    ThrowErrno(info.Env(), errno, "if_nametoindex", name);
    return info.Env().Undefined();
  }
  return Napi::Number::New(info.Env(), index);
}

void RegisterNetworkNamespace(Napi::Env env, Napi::Object exports) {
  exports.Set("unshareNetwork", Napi::Function::New(env, UnshareNetwork, "unshareNetwork"));
  exports.Set("enterNetworkNamespace", Napi::Function::New(env, EnterNetworkNamespace, "enterNetworkNamespace"));
  exports.Set("interfaceIndex", Napi::Function::New(env, InterfaceIndex, "interfaceIndex"));
}

}  // namespace sluice
