/** Link messages: struct ifinfomsg of rtnetlink.h, attributes and statistics of if_link.h. */

import { SluiceError } from '../base/errors.js';
import {
  AF_UNSPEC,
  IFF_RUNNING,
  IFF_UP,
  IFLA_ADDRESS,
  IFLA_IFNAME,
  IFLA_MTU,
  IFLA_STATS64,
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

export interface Link {
  readonly ifindex: number;
  readonly name: string;
  readonly up: boolean;
  /** Whether the kernel sees the carrier and the link is operational. */
  readonly running: boolean;
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

/** Reads the payload of an RTM_NEWLINK; throws SluiceError `system` when it is malformed. */
export function parseLink(payload: Uint8Array): Link {
  const reader = new OctetReader(payload, 'link message');
  const flags = reader.u32(8);
  const attributes = reader.attributes(IFINFOMSG_BYTES);
  const statistics = attributes.get(IFLA_STATS64);
  return {
    ifindex: reader.i32(4),
    name: attributes.get(IFLA_IFNAME)?.text() ?? '',
    up: (flags & IFF_UP) !== 0,
    running: (flags & IFF_RUNNING) !== 0,
    mtuBytes: attributes.get(IFLA_MTU)?.u32(0) ?? 0,
    mac: attributes.get(IFLA_ADDRESS)?.octets() ?? new Uint8Array(0),
    txQueueLength: attributes.get(IFLA_TXQLEN)?.u32(0) ?? 0,
    statistics: statistics === undefined ? NO_STATISTICS : parseStatistics(statistics),
  };
}
