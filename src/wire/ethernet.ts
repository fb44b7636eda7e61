/** Ethernet II frames, without FCS, as a TAP gives and takes them: bounded reading and plain building. */
import { roomFor } from '../base/octets.js';
import { MAC_BYTES } from './address.js';

export const ETHERNET_HEADER_BYTES = 14;
const VLAN_TAG_BYTES = 4;
/** Two tags are a provider's; more are nobody's. */
const MAX_VLAN_TAGS = 2;

/** IANA "IEEE 802 numbers"; RFC 894, RFC 826, RFC 2464. */
export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
export const ETHERTYPE_IPV6 = 0x86dd;
/** IEEE 802.1Q customer and service tags. */
const ETHERTYPE_VLAN = 0x8100;
const ETHERTYPE_SERVICE_VLAN = 0x88a8;

export interface EthernetFrame {
  /** Views into the frame. */
  readonly destination: Uint8Array;
  readonly source: Uint8Array;
  /** Of the payload, behind any VLAN tags. Below 0x600 it is an IEEE 802.3 length. */
  readonly etherType: number;
  /** Priority code point of the outer VLAN tag, 0 to 7; null without a tag. */
  readonly vlanPriority: number | null;
  readonly payload: Uint8Array;
}

/** Null when the header is not all there. A VLAN tag that is not all there counts as an unknown EtherType. */
export function parseEthernet(frame: Uint8Array): EthernetFrame | null {
  if (frame.length < ETHERNET_HEADER_BYTES) return null;
  let typeAt = 2 * MAC_BYTES;
  let vlanPriority: number | null = null;
  for (let tags = 0; tags < MAX_VLAN_TAGS && isVlanTag(readUint16(frame, typeAt)); tags++) {
    if (frame.length < typeAt + VLAN_TAG_BYTES + 2) break;
    vlanPriority ??= (frame[typeAt + 2] ?? 0) >> 5;
    typeAt += VLAN_TAG_BYTES;
  }
  return {
    destination: frame.subarray(0, MAC_BYTES),
    source: frame.subarray(MAC_BYTES, 2 * MAC_BYTES),
    etherType: readUint16(frame, typeAt),
    vlanPriority,
    payload: frame.subarray(typeAt + 2),
  };
}

/** An untagged frame; addresses of 6 octets. Not padded: a TAP asks for no least length. */
export function buildEthernet(
  destination: Uint8Array,
  source: Uint8Array,
  etherType: number,
  payload: Uint8Array,
): Uint8Array {
  const frame = roomFor(ETHERNET_HEADER_BYTES + payload.length);
  frame.set(destination, 0);
  frame.set(source, MAC_BYTES);
  writeUint16(frame, 2 * MAC_BYTES, etherType);
  frame.set(payload, ETHERNET_HEADER_BYTES);
  return frame;
}

/** Network order; octets past the end count as zero, so check the length first. */
export function readUint16(octets: Uint8Array, at: number): number {
  return ((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0);
}

export function writeUint16(octets: Uint8Array, at: number, value: number): void {
  octets[at] = value >> 8;
  octets[at + 1] = value & 0xff;
}

function isVlanTag(etherType: number): boolean {
  return etherType === ETHERTYPE_VLAN || etherType === ETHERTYPE_SERVICE_VLAN;
}
