// Datagrams to the service manager, with descriptors for it to keep.
#pragma once

#include <napi.h>

namespace sluice {

void RegisterServiceManager(Napi::Env env, Napi::Object exports);

}  // namespace sluice
