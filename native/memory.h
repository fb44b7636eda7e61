// What the C library keeps of memory that was given back to it.
#pragma once

#include <napi.h>

namespace sluice {

void RegisterMemory(Napi::Env env, Napi::Object exports);

}  // namespace sluice
