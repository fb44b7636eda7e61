// What a serial port offers beyond octets: modem lines, draining, low latency, RS-485; and how long TCP waits.
// Every function gives a result or a negative errno; -ENOTTY is how a device says that it has no such thing.
#include "tty_lines.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <linux/serial.h>
#include <linux/tty_flags.h>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "common.h"

namespace sluice {

// Interrupts TIOCMIWAIT; its handler does nothing, and without SA_RESTART the call ends with EINTR.
static constexpr int kWakeSignal = SIGURG;

static void OnWake(int) {}

static bool DescriptorOf(const Napi::CallbackInfo& info, int* fd) {
  int64_t number = -1;
  if (!GetInt(info, 0, &number)) return false;
  *fd = static_cast<int>(number);
  return true;
}

// (fd) -> the bits of TIOCMGET
static Napi::Value ModemLines(const Napi::CallbackInfo& info) {
  int fd = -1;
  if (!DescriptorOf(info, &fd)) return info.Env().Undefined();
  int bits = 0;
  const int result = ioctl(fd, TIOCMGET, &bits);
  return ResultOrErrno(info.Env(), result < 0 ? -1 : bits);
}

// (fd, raise, drop) -> 0; bits as TIOCMGET has them
static Napi::Value SetModemLines(const Napi::CallbackInfo& info) {
  int fd = -1;
  int64_t raise = 0;
  int64_t drop = 0;
  if (!DescriptorOf(info, &fd) || !GetInt(info, 1, &raise) || !GetInt(info, 2, &drop)) return info.Env().Undefined();
  const int up = static_cast<int>(raise);
  const int down = static_cast<int>(drop);
  int result = ioctl(fd, TIOCMBIS, &up);
  if (result == 0) result = ioctl(fd, TIOCMBIC, &down);
  return ResultOrErrno(info.Env(), result);
}

// (fd, on) -> 0
static Napi::Value SetLowLatency(const Napi::CallbackInfo& info) {
  int fd = -1;
  bool on = true;
  if (!DescriptorOf(info, &fd) || !GetBool(info, 1, &on)) return info.Env().Undefined();
  serial_struct settings{};
  int result = ioctl(fd, TIOCGSERIAL, &settings);
  if (result == 0) {
    if (on) {
      settings.flags |= ASYNC_LOW_LATENCY;
    } else {
      settings.flags &= ~ASYNC_LOW_LATENCY;
    }
    result = ioctl(fd, TIOCSSERIAL, &settings);
  }
  return ResultOrErrno(info.Env(), result);
}

// (fd, struct serial_rs485) -> 0; the octets then hold what the driver made of it
static Napi::Value SetRs485(const Napi::CallbackInfo& info) {
  int fd = -1;
  Bytes octets;
  if (!DescriptorOf(info, &fd) || !GetBytes(info, 1, &octets)) return info.Env().Undefined();
  serial_rs485 settings{};
  if (octets.length != sizeof(settings)) {
    errno = EINVAL;
    return ResultOrErrno(info.Env(), -1);
  }
  memcpy(&settings, octets.data, sizeof(settings));
  int result = ioctl(fd, TIOCSRS485, &settings);
  // Drivers of old kernels do not write into the argument: what holds is what can be read back.
  if (result == 0) result = ioctl(fd, TIOCGRS485, &settings);
  if (result == 0) memcpy(octets.data, &settings, sizeof(settings));
  return ResultOrErrno(info.Env(), result);
}

// (fd, milliseconds) -> 0: sent data that nobody acknowledges for so long end the connection
static Napi::Value SetTcpUserTimeout(const Napi::CallbackInfo& info) {
  int fd = -1;
  int64_t ms = 0;
  if (!DescriptorOf(info, &fd) || !GetInt(info, 1, &ms)) return info.Env().Undefined();
  const unsigned int value = static_cast<unsigned int>(ms);
  return ResultOrErrno(info.Env(), setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &value, sizeof(value)));
}

// A blocking call in a thread of its own, on a duplicate of the descriptor, so that closing the original is safe. Calls
// back once, with the result or a negative errno, that of a thread that cannot be had included; the environment waits for
// it at its end.
class BlockingCall {
 public:
  using Call = int (*)(int fd, int64_t argument);

  static Napi::Value Start(const Napi::CallbackInfo& info, Call call, size_t callback_index, int64_t argument) {
    const Napi::Env env = info.Env();
    int fd = -1;
    Napi::Function callback;
    if (!DescriptorOf(info, &fd) || !GetFunction(info, callback_index, &callback)) return env.Undefined();
    auto state = std::make_shared<State>();
    state->fd = Fd(fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (!state->fd.valid()) {
      ThrowErrno(env, errno, "dup", "tty");
      return env.Undefined();
    }
    state->done = Napi::ThreadSafeFunction::New(env, callback, "sluice tty", 0, 1);
    state->done.Unref(env);
    auto* order = new Order{state, call, argument};
    // Not std::thread, which throws where there is no room for another one: exceptions end the process here.
    const int failure = pthread_create(&state->thread, nullptr, Entry, order);
    if (failure != 0) {
      delete order;
      Finish(*state, -failure);
      return Napi::Function::New(env, [](const Napi::CallbackInfo&) {});
    }
    state->joinable = true;
    // Idempotent; returns when the thread has ended. A signal that comes just before the call is lost: so, again.
    auto* hook = new std::shared_ptr<State>(state);
    napi_add_env_cleanup_hook(env, Cleanup, hook);
    return Napi::Function::New(env, [state, hook](const Napi::CallbackInfo& call_info) {
      if (!state->joinable) return;
      napi_remove_env_cleanup_hook(call_info.Env(), Cleanup, hook);
      Cleanup(hook);
    });
  }

 private:
  struct State {
    Fd fd;
    pthread_t thread{};
    // Touched by the thread of the environment only.
    bool joinable = false;
    std::atomic<bool> finished{false};
    std::atomic<bool> ending{false};
    Napi::ThreadSafeFunction done;
  };

  struct Order {
    std::shared_ptr<State> state;
    Call call;
    int64_t argument;
  };

  static void* Entry(void* data) {
    const std::unique_ptr<Order> order(static_cast<Order*>(data));
    Run(*order->state, order->call, order->argument);
    return nullptr;
  }

  static void Cleanup(void* data) {
    auto* kept = static_cast<std::shared_ptr<State>*>(data);
    End(**kept);
    delete kept;
  }

  static void Run(State& state, Call call, int64_t argument) {
    struct sigaction action{};
    action.sa_handler = OnWake;
    sigaction(kWakeSignal, &action, nullptr);
    int result = -ECANCELED;
    while (!state.ending) {
      result = call(state.fd.get(), argument) < 0 ? -errno : 0;
      if (result != -EINTR) break;
    }
    Finish(state, state.ending ? -ECANCELED : result);
  }

  static void Finish(State& state, int result) {
    state.done.NonBlockingCall([result](Napi::Env env, Napi::Function callback) {
      if (env != nullptr && !callback.IsEmpty()) callback.Call({Napi::Number::New(env, result)});
    });
    state.done.Release();
    state.fd.Close();
    state.finished = true;
  }

  static void End(State& state) {
    if (!state.joinable) return;
    state.joinable = false;
    state.ending = true;
    while (!state.finished) {
      pthread_kill(state.thread, kWakeSignal);
      usleep(500);
    }
    pthread_join(state.thread, nullptr);
  }
};

// (fd, callback(result)) -> end(): all octets written have left
static Napi::Value Drain(const Napi::CallbackInfo& info) {
  return BlockingCall::Start(info, [](int fd, int64_t) { return tcdrain(fd); }, 1, 0);
}

// (fd, mask, callback(result)) -> end(): one of the lines of the mask has changed
static Napi::Value AwaitModemLines(const Napi::CallbackInfo& info) {
  int64_t mask = 0;
  if (!GetInt(info, 1, &mask)) return info.Env().Undefined();
  return BlockingCall::Start(
      info, [](int fd, int64_t lines) { return ioctl(fd, TIOCMIWAIT, static_cast<unsigned long>(lines)); }, 2, mask);
}

void RegisterTtyLines(Napi::Env env, Napi::Object exports) {
  exports.Set("modemLines", Napi::Function::New(env, ModemLines, "modemLines"));
  exports.Set("setModemLines", Napi::Function::New(env, SetModemLines, "setModemLines"));
  exports.Set("awaitModemLines", Napi::Function::New(env, AwaitModemLines, "awaitModemLines"));
  exports.Set("drain", Napi::Function::New(env, Drain, "drain"));
  exports.Set("setLowLatency", Napi::Function::New(env, SetLowLatency, "setLowLatency"));
  exports.Set("setRs485", Napi::Function::New(env, SetRs485, "setRs485"));
  exports.Set("setTcpUserTimeout", Napi::Function::New(env, SetTcpUserTimeout, "setTcpUserTimeout"));
}

}  // namespace sluice
