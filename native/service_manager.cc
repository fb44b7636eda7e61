// Datagrams to the service manager, with descriptors for it to keep.
#include "service_manager.h"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>

#include "common.h"

namespace sluice {

// As many as anybody needs here; the kernel's own limit is 253 (SCM_MAX_FD).
static constexpr size_t kMaxDescriptors = 4;

// (path, text, descriptors) -> octets sent, or a negative errno. A leading `@` stands for the abstract namespace.
// Does not wait: a manager that does not read must not hold us up.
static Napi::Value NotifyServiceManager(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::string path;
  std::string text;
  if (!GetString(info, 0, &path) || !GetString(info, 1, &text)) return env.Undefined();
  int descriptors[kMaxDescriptors];
  size_t count = 0;
  if (info[2].IsArray()) {
    const Napi::Array given = info[2].As<Napi::Array>();
    for (uint32_t i = 0; i < given.Length() && count < kMaxDescriptors; i++) {
      descriptors[count++] = given.Get(i).ToNumber().Int32Value();
    }
  }

  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    errno = ENAMETOOLONG;
    return ResultOrErrno(env, -1);
  }
  memcpy(address.sun_path, path.data(), path.size());
  if (path[0] == '@') address.sun_path[0] = '\0';
  const socklen_t address_length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());

  const Fd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return ResultOrErrno(env, -1);
  iovec part{text.data(), text.size()};
  msghdr message{};
  message.msg_name = &address;
  message.msg_namelen = address_length;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(descriptors))] = {};
  if (count > 0) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(header), descriptors, count * sizeof(int));
  }
  const ssize_t sent = sendmsg(fd.get(), &message, MSG_NOSIGNAL);
  return ResultOrErrno(env, sent);
}

void RegisterServiceManager(Napi::Env env, Napi::Object exports) {
  exports.Set("notifyServiceManager", Napi::Function::New(env, NotifyServiceManager, "notifyServiceManager"));
}

}  // namespace sluice
