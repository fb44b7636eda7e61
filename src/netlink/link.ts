/** Link messages: struct ifinfomsg of rtnetlink.h, attributes and statistics of if_link.h. */

import { SluiceError } from '../base/errors.js';
import {
  AF_UNSPEC,
  IFF_RUNNING,
  IFF_UP,
  IFLA_ADDRESS,
  IFLA_CARRIER,
  IFLA_IFNAME,
  IFLA_INFO_DATA,
  IFLA_INFO_KIND,
  IFLA_LINKINFO,
  IFLA_MTU,
  IFLA_STATS64,
  IFLA_TUN_MULTI_QUEUE,
  IFLA_TUN_NUM_DISABLED_QUEUES,
  IFLA_TUN_NUM_QUEUES,
  IFLA_TUN_OWNER,
  IFLA_TUN_PERSIST,
  IFLA_TUN_PI,
  IFLA_TUN_TYPE,
  IFLA_TUN_VNET_HDR,
  IFLA_TXQLEN,
  INTERFACE_NAME_BYTES,
  NLM_F_ACK,
  NLM_F_REQUEST,
  RTM_DELLINK,
  RTM_GETLINK,
  RTM_NEWLINK,
} from './constants.js';
import { MessageWriter, OctetReader } from './message.js';

const IFINFOMSG_BYTES = 16;
const MAC_BYTES = 6;
/** IFF_TUN of include/uapi/linux/if_tun.h; IFF_TAP is 2. */
const TUN_TYPE_TUN = 1;

/** What can be set on a link; what is left out stays as it is. */
export interface LinkChange {
  readonly up?: boolean;
  readonly mtuBytes?: number;
  /** Six octets. */
  readonly mac?: Uint8Array;
  /** Packets: the length of a TAP's ring, and the limit of pfifo_fast. */
  readonly txQueueLength?: number;
  readonly name?: string;
}

/** Counters of struct rtnl_link_stats64, since the link was made. For a TAP, "tx" is towards its reader. */
export interface LinkStatistics {
  readonly rxPackets: number;
  readonly txPackets: number;
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly rxErrors: number;
  readonly txErrors: number;
  readonly rxDropped: number;
  readonly txDropped: number;
}

/** What the tun driver tells of its devices, since Linux 4.20. */
export interface TunDetails {
  readonly layer: 'tun' | 'tap';
  readonly multiQueue: boolean;
  readonly persistent: boolean;
  /** Frames begin with the driver's packet information, which we do not speak. */
  readonly packetInformation: boolean;
  /** Frames begin with a virtio header, which we do not speak. */
  readonly virtioHeader: boolean;
  /** The user who may attach without CAP_NET_ADMIN. */
  readonly owner: number | undefined;
  /** Of multi-queue devices; both are 0 otherwise. */
  readonly queues: number;
  /** Queues that are held without taking part in the traffic; they keep the carrier up. */
  readonly detachedQueues: number;
}

export interface Link {
  readonly ifindex: number;
  /** The kind of a virtual link: `tun` for TUN and TAP devices, `veth`, `dummy`; '' for hardware. */
  readonly kind: string;
  readonly tun: TunDetails | undefined;
  readonly name: string;
  readonly up: boolean;
  /** Whether the kernel sees the carrier and the link is operational. */
  readonly running: boolean;
  /** Whether somebody holds the other end: for a TAP, a queue of it. Known at once, unlike `running`. */
  readonly carrier: boolean;
  readonly mtuBytes: number;
  readonly mac: Uint8Array;
  readonly txQueueLength: number;
  readonly statistics: LinkStatistics;
}

function linkMessage(type: number, ifindex: number, flags: number, changeMask: number): MessageWriter {
  return new MessageWriter(type, NLM_F_REQUEST | NLM_F_ACK)
    .u8(AF_UNSPEC)
    .u8(0)
    .u16(0)
    .u32(ifindex)
    .u32(flags)
    .u32(changeMask);
}

/** Throws SluiceError `configuration` for a name that no interface can have (dev_valid_name, net/core/dev.c). */
export function checkInterfaceName(name: string): void {
  const bytes = new TextEncoder().encode(name).length;
  const fits = bytes > 0 && bytes < INTERFACE_NAME_BYTES;
  if (fits && name !== '.' && name !== '..' && !/[\s/:\0]/.test(name)) return;
  throw new SluiceError('configuration', `"${name}" cannot be the name of an interface`, {
    subject: name,
    remedy: `Use 1 to ${INTERFACE_NAME_BYTES - 1} octets without spaces, slashes and colons.`,
  });
}

export function setLinkMessage(ifindex: number, change: LinkChange): MessageWriter {
  const mask = change.up === undefined ? 0 : IFF_UP;
  const writer = linkMessage(RTM_NEWLINK, ifindex, change.up === true ? IFF_UP : 0, mask);
  if (change.mac !== undefined) {
    if (change.mac.length !== MAC_BYTES) {
      throw new SluiceError('internal', `a MAC address has ${MAC_BYTES} octets, not ${change.mac.length}`);
    }
    writer.attributeOctets(IFLA_ADDRESS, change.mac);
  }
  if (change.name !== undefined) {
    checkInterfaceName(change.name);
    writer.attributeString(IFLA_IFNAME, change.name);
  }
  if (change.mtuBytes !== undefined) writer.attributeU32(IFLA_MTU, change.mtuBytes);
  if (change.txQueueLength !== undefined) writer.attributeU32(IFLA_TXQLEN, change.txQueueLength);
  return writer;
}

export function getLinkByIndexMessage(ifindex: number): MessageWriter {
  return linkMessage(RTM_GETLINK, ifindex, 0, 0);
}

export function getLinkByNameMessage(name: string): MessageWriter {
  checkInterfaceName(name);
  return linkMessage(RTM_GETLINK, 0, 0, 0).attributeString(IFLA_IFNAME, name);
}

export function deleteLinkMessage(ifindex: number): MessageWriter {
  return linkMessage(RTM_DELLINK, ifindex, 0, 0);
}

const NO_STATISTICS: LinkStatistics = {
  rxPackets: 0,
  txPackets: 0,
  rxBytes: 0,
  txBytes: 0,
  rxErrors: 0,
  txErrors: 0,
  rxDropped: 0,
  txDropped: 0,
};

function parseStatistics(reader: OctetReader): LinkStatistics {
  return {
    rxPackets: reader.u64(0),
    txPackets: reader.u64(8),
    rxBytes: reader.u64(16),
    txBytes: reader.u64(24),
    rxErrors: reader.u64(32),
    txErrors: reader.u64(40),
    rxDropped: reader.u64(48),
    txDropped: reader.u64(56),
  };
}

function parseTun(data: OctetReader | undefined): TunDetails | undefined {
  const attributes = data?.attributes();
  const type = attributes?.get(IFLA_TUN_TYPE)?.u8(0);
  if (attributes === undefined || type === undefined) return undefined;
  const flag = (attribute: number): boolean => (attributes.get(attribute)?.u8(0) ?? 0) !== 0;
  return {
    layer: type === TUN_TYPE_TUN ? 'tun' : 'tap',
    multiQueue: flag(IFLA_TUN_MULTI_QUEUE),
    persistent: flag(IFLA_TUN_PERSIST),
    packetInformation: flag(IFLA_TUN_PI),
    virtioHeader: flag(IFLA_TUN_VNET_HDR),
    owner: attributes.get(IFLA_TUN_OWNER)?.u32(0),
    queues: attributes.get(IFLA_TUN_NUM_QUEUES)?.u32(0) ?? 0,
    detachedQueues: attributes.get(IFLA_TUN_NUM_DISABLED_QUEUES)?.u32(0) ?? 0,
  };
}

/** Reads the payload of an RTM_NEWLINK; throws SluiceError `system` when it is malformed. */
export function parseLink(payload: Uint8Array): Link {
  const reader = new OctetReader(payload, 'link message');
  const flags = reader.u32(8);
  const attributes = reader.attributes(IFINFOMSG_BYTES);
  const statistics = attributes.get(IFLA_STATS64);
  const info = attributes.get(IFLA_LINKINFO)?.attributes();
  const kind = info?.get(IFLA_INFO_KIND)?.text() ?? '';
  return {
    ifindex: reader.i32(4),
    kind,
    tun: kind === 'tun' ? parseTun(info?.get(IFLA_INFO_DATA)) : undefined,
    name: attributes.get(IFLA_IFNAME)?.text() ?? '',
    up: (flags & IFF_UP) !== 0,
    running: (flags & IFF_RUNNING) !== 0,
    carrier: (attributes.get(IFLA_CARRIER)?.u8(0) ?? 0) !== 0,
    mtuBytes: attributes.get(IFLA_MTU)?.u32(0) ?? 0,
    mac: attributes.get(IFLA_ADDRESS)?.octets() ?? new Uint8Array(0),
    txQueueLength: attributes.get(IFLA_TXQLEN)?.u32(0) ?? 0,
    statistics: statistics === undefined ? NO_STATISTICS : parseStatistics(statistics),
  };
}
