// How the kernel schedules the calling thread: sched(7).
#include "scheduling.h"

#include <sched.h>

#include "common.h"

namespace sluice {

// () -> the policy (0: SCHED_OTHER), or -errno
static Napi::Value SchedulingPolicy(const Napi::CallbackInfo& info) {
  return ResultOrErrno(info.Env(), sched_getscheduler(0));
}

// (priority): real time, round robin; threads and children made from now on are scheduled as usual. -> 0, or -errno
static Napi::Value SetRoundRobin(const Napi::CallbackInfo& info) {
  int64_t priority;
  if (!GetInt(info, 0, &priority)) return info.Env().Undefined();
  sched_param parameters = {};
  parameters.sched_priority = static_cast<int>(priority);
  const int result = sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &parameters);
  return ResultOrErrno(info.Env(), result);
}

void RegisterScheduling(Napi::Env env, Napi::Object exports) {
  exports.Set("schedulingPolicy", Napi::Function::New(env, SchedulingPolicy, "schedulingPolicy"));
  exports.Set("setRoundRobin", Napi::Function::New(env, SetRoundRobin, "setRoundRobin"));
}

}  // namespace sluice
