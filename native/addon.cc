// Registration of everything the addon exports; no code of its own.
#include <napi.h>

#include "descriptor_watch.h"
#include "memory.h"
#include "netlink_socket.h"
#include "network_namespace.h"
#include "octet_loops.h"
#include "packet_ring.h"
#include "packet_socket.h"
#include "scheduling.h"
#include "service_manager.h"
#include "tap_device.h"
#include "tty.h"
#include "tty_lines.h"
#include "udp_socket.h"

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  sluice::TapDevice::Register(env, exports);
  sluice::NetlinkSocket::Register(env, exports);
  sluice::PacketSocket::Register(env, exports);
  sluice::PacketRing::Register(env, exports);
  sluice::Pty::Register(env, exports);
  sluice::UdpSocket::Register(env, exports);
  sluice::DescriptorWatch::Register(env, exports);
  sluice::RegisterMemory(env, exports);
  sluice::RegisterTty(env, exports);
  sluice::RegisterTtyLines(env, exports);
  sluice::RegisterNetworkNamespace(env, exports);
  sluice::RegisterScheduling(env, exports);
  sluice::RegisterServiceManager(env, exports);
  sluice::RegisterOctetLoops(env, exports);
  return exports;
}

NODE_API_MODULE(sluice, Init)
