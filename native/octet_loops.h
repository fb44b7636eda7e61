// Loops over the octets of a frame: checks and escapes.
#pragma once

#include <napi.h>

namespace sluice {

void RegisterOctetLoops(Napi::Env env, Napi::Object exports);

}  // namespace sluice
