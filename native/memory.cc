// What the C library keeps of memory that was given back to it.
#include "memory.h"

#include <malloc.h>

namespace sluice {

static void TrimMemory(const Napi::CallbackInfo&) { malloc_trim(0); }

void RegisterMemory(Napi::Env env, Napi::Object exports) {
  exports.Set("trimMemory", Napi::Function::New(env, TrimMemory, "trimMemory"));
}

}  // namespace sluice
