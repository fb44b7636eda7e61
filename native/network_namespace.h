// Network namespaces of the calling thread, and the interfaces seen from it.
#pragma once

#include <napi.h>

namespace sluice {

void RegisterNetworkNamespace(Napi::Env env, Napi::Object exports);

}  // namespace sluice
