// How the kernel schedules the calling thread.
#pragma once

#include <napi.h>

namespace sluice {

void RegisterScheduling(Napi::Env env, Napi::Object exports);

}  // namespace sluice
