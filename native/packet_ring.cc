// A packet socket that receives what passes an interface, both ways, into a ring shared with the kernel (TPACKET_V3).
#include "packet_ring.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/mman.h>
#include <sys/socket.h>

namespace sluice {

void PacketRing::Register(Napi::Env env, Napi::Object exports) {
  exports.Set("PacketRing", DefineClass(env, "PacketRing",
                                        {
                                            InstanceAccessor("fd", &PacketRing::FileDescriptor, nullptr),
                                            InstanceMethod("read", &PacketRing::Read),
                                            InstanceMethod("statistics", &PacketRing::Statistics),
                                            InstanceMethod("takeError", &PacketRing::TakeError),
                                            InstanceMethod("arm", &PacketRing::Arm),
                                            InstanceMethod("disarm", &PacketRing::Disarm),
                                            InstanceMethod("setReferenced", &PacketRing::SetReferenced),
                                            InstanceMethod("close", &PacketRing::Close),
                                        }));
}

// (ifindex, blockBytes, blocks, retireMs)
PacketRing::PacketRing(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<PacketRing>(info), one_shot_(info.Env(), this) {
  Open(info);
}

void PacketRing::Open(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  int64_t ifindex = 0;
  int64_t block_bytes = 0;
  int64_t blocks = 0;
  int64_t retire_ms = 0;
  if (!GetInt(info, 0, &ifindex) || !GetInt(info, 1, &block_bytes) || !GetInt(info, 2, &blocks) ||
      !GetInt(info, 3, &retire_ms)) {
    return;
  }
  subject_ = "interface " + std::to_string(ifindex);

  // Protocol 0 until bound: an unbound socket with a protocol would receive from every interface.
  Fd fd(socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return ThrowErrno(env, errno, "socket(AF_PACKET)", subject_);
  const int version = TPACKET_V3;
  if (setsockopt(fd.get(), SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) != 0) {
    return ThrowErrno(env, errno, "PACKET_VERSION", subject_);
  }
  tpacket_req3 request{};
  request.tp_block_size = static_cast<unsigned int>(block_bytes);
  request.tp_block_nr = static_cast<unsigned int>(blocks);
  // Frames have the length they need within a block; these two only have to agree with the others.
  request.tp_frame_size = TPACKET_ALIGNMENT << 7;
  request.tp_frame_nr = request.tp_block_size / request.tp_frame_size * request.tp_block_nr;
  request.tp_retire_blk_tov = static_cast<unsigned int>(retire_ms);
  if (setsockopt(fd.get(), SOL_PACKET, PACKET_RX_RING, &request, sizeof(request)) != 0) {
    return ThrowErrno(env, errno, "PACKET_RX_RING", subject_);
  }
  block_bytes_ = request.tp_block_size;
  blocks_ = request.tp_block_nr;
  void* ring = mmap(nullptr, block_bytes_ * blocks_, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (ring == MAP_FAILED) return ThrowErrno(env, errno, "mmap", subject_);
  ring_ = static_cast<uint8_t*>(ring);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(ifindex);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    const int error = errno;
    Unmap();
    return ThrowErrno(env, error, "bind(AF_PACKET)", subject_);
  }
  fd_ = std::move(fd);
}

PacketRing::~PacketRing() {
  one_shot_.Abandon();
  Unmap();
}

void PacketRing::Unmap() {
  if (ring_ != nullptr) munmap(ring_, block_bytes_ * blocks_);
  ring_ = nullptr;
}

Napi::Value PacketRing::FileDescriptor(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), fd_.get());
}

// (buffer) -> octets of the next block that the kernel has filled, copied so that it has its block back; -1: none yet.
// Whose a block is says TP_STATUS_USER alone: other bits come and go beside it.
Napi::Value PacketRing::Read(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Bytes buffer;
  if (!GetBytes(info, 0, &buffer)) return env.Undefined();
  if (ring_ == nullptr) {
    ThrowClosed(env, "read", subject_);
    return env.Undefined();
  }
  auto* block = reinterpret_cast<tpacket_block_desc*>(ring_ + next_ * block_bytes_);
  auto* header = &block->hdr.bh1;
  if ((__atomic_load_n(&header->block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER) == 0) {
    return Napi::Number::New(env, -1);
  }
  const size_t length = std::min<size_t>(header->blk_len, block_bytes_);
  if (length > buffer.length) {
    ThrowErrno(env, EMSGSIZE, "read", subject_);
    return env.Undefined();
  }
  memcpy(buffer.data, block, length);
  __atomic_store_n(&header->block_status, static_cast<uint32_t>(TP_STATUS_KERNEL), __ATOMIC_RELEASE);
  next_ = (next_ + 1) % blocks_;
  return Napi::Number::New(env, static_cast<double>(length));
}

// () -> [packets that passed, dropped ones among them], since the last call
Napi::Value PacketRing::Statistics(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  tpacket_stats_v3 counted{};
  socklen_t length = sizeof(counted);
  if (getsockopt(fd_.get(), SOL_PACKET, PACKET_STATISTICS, &counted, &length) != 0) {
    ThrowErrno(env, errno, "PACKET_STATISTICS", subject_);
    return env.Undefined();
  }
  Napi::Array result = Napi::Array::New(env, 2);
  result.Set(0U, Napi::Number::New(env, counted.tp_packets));
  result.Set(1U, Napi::Number::New(env, counted.tp_drops));
  return result;
}

// () -> the errno that the socket has had since the last call (ENETDOWN), or 0; one not taken wakes `arm` again and again
Napi::Value PacketRing::TakeError(const Napi::CallbackInfo& info) {
  int error = 0;
  socklen_t length = sizeof(error);
  if (getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
  return Napi::Number::New(info.Env(), error);
}

// (callback): calls back once when a block is full or old enough, or the socket has an error
void PacketRing::Arm(const Napi::CallbackInfo& info) {
  Napi::Function callback;
  if (!GetFunction(info, 0, &callback)) return;
  if (!fd_.valid()) return ThrowClosed(info.Env(), "poll", subject_);
  const int result = one_shot_.Arm(fd_.get(), callback);
  if (result != 0) ThrowErrno(info.Env(), -result, "poll", subject_);
}

void PacketRing::Disarm(const Napi::CallbackInfo&) { one_shot_.Disarm(); }

void PacketRing::SetReferenced(const Napi::CallbackInfo& info) {
  bool referenced = true;
  if (GetBool(info, 0, &referenced)) one_shot_.SetReferenced(referenced);
}

void PacketRing::Close(const Napi::CallbackInfo&) {
  one_shot_.Close();
  Unmap();
  fd_.Close();
}

}  // namespace sluice
