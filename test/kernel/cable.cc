// Preloaded into the emulator: a null-modem cable between two of its serial ports, for the modem lines. Of a host's tty
// the emulator asks the levels by TIOCMGET, which a pty does not know, and passes changes on to the guest's UART. Here the
// answers come from what the other port has set. The ports are named by the environment, CABLE_LEFT and CABLE_RIGHT.
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace {

constexpr int kOutputs = TIOCM_DTR | TIOCM_RTS;
int outputs[2];

// 0 and 1 for the ends of the cable, -1 for anything else.
int EndOf(int fd) {
  char link[64];
  char path[128];
  snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, path, sizeof(path) - 1);
  if (length < 0) return -1;
  path[length] = '\0';
  const char* left = getenv("CABLE_LEFT");
  const char* right = getenv("CABLE_RIGHT");
  if (left != nullptr && strcmp(path, left) == 0) return 0;
  if (right != nullptr && strcmp(path, right) == 0) return 1;
  return -1;
}

// RTS to CTS; DTR to DSR and DCD.
int LevelsAt(int end) {
  const int other = outputs[1 - end];
  int levels = outputs[end];
  if ((other & TIOCM_RTS) != 0) levels |= TIOCM_CTS;
  if ((other & TIOCM_DTR) != 0) levels |= TIOCM_DSR | TIOCM_CAR;
  return levels;
}

}  // namespace

extern "C" int ioctl(int fd, unsigned long request, ...) noexcept {
  va_list arguments;
  va_start(arguments, request);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  if (request == TIOCMGET || request == TIOCMSET) {
    const int end = EndOf(fd);
    if (end >= 0) {
      int* levels = static_cast<int*>(argument);
      if (request == TIOCMSET) outputs[end] = *levels & kOutputs;
      else *levels = LevelsAt(end);
      return 0;
    }
  }
  using Ioctl = int (*)(int, unsigned long, void*);
  static const auto real = reinterpret_cast<Ioctl>(dlsym(RTLD_NEXT, "ioctl"));
  return real(fd, request, argument);
}
