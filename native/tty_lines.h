// What a serial port offers beyond octets: modem lines, draining, low latency, RS-485; and how long TCP waits.
#pragma once

#include <napi.h>

namespace sluice {

void RegisterTtyLines(Napi::Env env, Napi::Object exports);

}  // namespace sluice
