/** What we need to read of IPv4 and IPv6 packets: addresses, upper layer, ports, priority; and the Internet checksum. */
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6, readUint16 } from './ethernet.js';

/** RFC 791 section 3.1, RFC 8200 section 3. */
const IPV4_MIN_HEADER_BYTES = 20;
export const IPV6_HEADER_BYTES = 40;

/** IANA "Protocol numbers". */
export const PROTOCOL_IGMP = 2;
export const PROTOCOL_UDP = 17;
export const PROTOCOL_ICMPV6 = 58;
const PROTOCOL_TCP = 6;
const HEADER_HOP_BY_HOP = 0;
const HEADER_ROUTING = 43;
const HEADER_FRAGMENT = 44;
const HEADER_DESTINATION_OPTIONS = 60;
const FRAGMENT_HEADER_BYTES = 8;
/** More extension headers than any honest packet has. */
const MAX_EXTENSION_HEADERS = 8;

export interface IpPacket {
  readonly version: 4 | 6;
  /** Views, 4 or 16 octets. */
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  /** The octet that IPv4 calls type of service and IPv6 traffic class: DSCP and ECN. */
  readonly trafficClass: number;
  /** TTL or hop limit. */
  readonly hopLimit: number;
  /** Of the upper layer, behind IPv6 extension headers. */
  readonly protocol: number;
  /** Upper-layer octets: a view, without link padding. Empty in a fragment that is not the first. */
  readonly upper: Uint8Array;
  /** Of UDP and TCP; null where there are none to be read. */
  readonly sourcePort: number | null;
  readonly destinationPort: number | null;
}

/** Null when it is no whole IP packet. */
export function parseIp(octets: Uint8Array): IpPacket | null {
  const version = ipVersion(octets);
  if (version === null) return null;
  return version === 4 ? parseIpv4(octets) : parseIpv6(octets);
}

/** By the version nibble, when at least the fixed header is there. */
export function ipVersion(octets: Uint8Array): 4 | 6 | null {
  const nibble = (octets[0] ?? 0) >> 4;
  if (nibble === 4 && octets.length >= IPV4_MIN_HEADER_BYTES) return 4;
  return nibble === 6 && octets.length >= IPV6_HEADER_BYTES ? 6 : null;
}

export function etherTypeOfIp(version: 4 | 6): number {
  return version === 4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6;
}

/** Views of the address fields, once `ipVersion` has said that they are there. */
export function ipSource(octets: Uint8Array, version: 4 | 6): Uint8Array {
  return version === 4 ? octets.subarray(12, 16) : octets.subarray(8, 24);
}

export function ipDestination(octets: Uint8Array, version: 4 | 6): Uint8Array {
  return version === 4 ? octets.subarray(16, 20) : octets.subarray(24, 40);
}

/** Type of service or traffic class, once `ipVersion` has said that it is there. */
export function ipTrafficClass(octets: Uint8Array, version: 4 | 6): number {
  return version === 4 ? (octets[1] ?? 0) : (readUint16(octets, 0) >> 4) & 0xff;
}

/** Class selector 1 and LE: less than best effort (RFC 4594 section 4.10, RFC 8622). */
const DSCP_CS1 = 8;
const DSCP_LE = 1;
const PRIORITY_BACKGROUND = 1;
/** RFC 1349 section 4, bits of the octet. */
const TOS_LOW_DELAY = 0x10;
const TOS_THROUGHPUT = 0x08;
/** linux/pkt_sched.h TC_PRIO_*, as the kernel's ip_tos2prio gives them for those bits. */
const PRIORITY_INTERACTIVE = 6;
const PRIORITY_INTERACTIVE_BULK = 4;
const PRIORITY_BULK = 2;

/**
 * Priority 0 to 7 of a traffic class octet. A class selector (RFC 2474 section 4.2.2) of 2 and above is the priority;
 * of class 1 only CS1 is less than best effort, AF1x is best effort. With no class the older TOS bits count, as they do
 * for Linux: `ping -Q 0x10` is interactive.
 */
export function priorityOfTrafficClass(trafficClass: number): number {
  const dscp = trafficClass >> 2;
  const classSelector = dscp >> 3;
  if (classSelector >= 2) return classSelector;
  if (dscp === DSCP_CS1 || dscp === DSCP_LE) return PRIORITY_BACKGROUND;
  if (classSelector === 1) return 0;
  const throughput = (trafficClass & TOS_THROUGHPUT) !== 0;
  if ((trafficClass & TOS_LOW_DELAY) !== 0) return throughput ? PRIORITY_INTERACTIVE_BULK : PRIORITY_INTERACTIVE;
  return throughput ? PRIORITY_BULK : 0;
}

/** RFC 1071 over any number of parts; each but the last must have an even length. Zero when a checksum inside is right. */
export function internetChecksum(...parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let i = 0; i < part.length; i += 2) sum += readUint16(part, i);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

/** RFC 8200 section 8.1. */
export function ipv6PseudoHeader(
  source: Uint8Array,
  destination: Uint8Array,
  protocol: number,
  upperBytes: number,
): Uint8Array {
  const header = new Uint8Array(IPV6_HEADER_BYTES);
  header.set(source, 0);
  header.set(destination, 16);
  new DataView(header.buffer).setUint32(32, upperBytes);
  header[39] = protocol;
  return header;
}

function parseIpv4(octets: Uint8Array): IpPacket | null {
  const headerBytes = ((octets[0] ?? 0) & 0x0f) * 4;
  const totalBytes = readUint16(octets, 2);
  if (headerBytes < IPV4_MIN_HEADER_BYTES || totalBytes < headerBytes || octets.length < totalBytes) return null;
  const fragmentOffset = readUint16(octets, 6) & 0x1fff;
  const upper = octets.subarray(headerBytes, fragmentOffset === 0 ? totalBytes : headerBytes);
  return describe(octets, 4, octets[8] ?? 0, octets[9] ?? 0, upper);
}

function parseIpv6(octets: Uint8Array): IpPacket | null {
  const end = IPV6_HEADER_BYTES + readUint16(octets, 4);
  if (octets.length < end) return null;
  let protocol = octets[6] ?? 0;
  let at = IPV6_HEADER_BYTES;
  for (let headers = 0; isExtension(protocol); headers++) {
    if (headers === MAX_EXTENSION_HEADERS) return null;
    // RFC 8200 section 4: the length counts 8-octet units after the first; section 4.5: a fragment header is 8 octets.
    const bytes = protocol === HEADER_FRAGMENT ? FRAGMENT_HEADER_BYTES : 8 + 8 * (octets[at + 1] ?? 0);
    const laterFragment = protocol === HEADER_FRAGMENT && readUint16(octets, at + 2) >> 3 !== 0;
    protocol = octets[at] ?? 0;
    at += bytes;
    if (at > end) return null;
    // What follows is the middle of something; `protocol` names what it is the middle of.
    if (laterFragment) {
      at = end;
      break;
    }
  }
  return describe(octets, 6, octets[7] ?? 0, protocol, octets.subarray(at, end));
}

function isExtension(protocol: number): boolean {
  return (
    protocol === HEADER_HOP_BY_HOP ||
    protocol === HEADER_ROUTING ||
    protocol === HEADER_FRAGMENT ||
    protocol === HEADER_DESTINATION_OPTIONS
  );
}

function describe(octets: Uint8Array, version: 4 | 6, hopLimit: number, protocol: number, upper: Uint8Array): IpPacket {
  const hasPorts = (protocol === PROTOCOL_UDP || protocol === PROTOCOL_TCP) && upper.length >= 4;
  return {
    version,
    source: ipSource(octets, version),
    destination: ipDestination(octets, version),
    trafficClass: ipTrafficClass(octets, version),
    hopLimit,
    protocol,
    upper,
    sourcePort: hasPorts ? readUint16(upper, 0) : null,
    destinationPort: hasPorts ? readUint16(upper, 2) : null,
  };
}
