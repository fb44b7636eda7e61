/** IPv6 neighbour solicitations and advertisements (RFC 4861 sections 4.3, 4.4): read with all their checks, and built. */
import { MAC_BYTES } from './address.js';
import { writeUint16 } from './ethernet.js';
import { IPV6_HEADER_BYTES, type IpPacket, internetChecksum, ipv6PseudoHeader, PROTOCOL_ICMPV6 } from './ip.js';

/** RFC 4861 section 4, RFC 2710 section 3, RFC 3810 section 5: ICMPv6 types. */
export const ICMPV6_ROUTER_SOLICITATION = 133;
export const ICMPV6_NEIGHBOUR_SOLICITATION = 135;
export const ICMPV6_NEIGHBOUR_ADVERTISEMENT = 136;

/** RFC 4861 section 4.6: options. */
const OPTION_SOURCE_LINK_LAYER = 1;
const OPTION_TARGET_LINK_LAYER = 2;
const OPTION_UNIT_BYTES = 8;
/** Type, code, checksum, flags, target. */
const FIXED_BYTES = 24;
/** RFC 4861 section 7.1: proof that no router forwarded it. */
const HOP_LIMIT = 255;
const FLAG_ROUTER = 0x80;
const FLAG_SOLICITED = 0x40;
const FLAG_OVERRIDE = 0x20;

export interface NeighbourMessage {
  readonly type: 'solicitation' | 'advertisement';
  /** IPv6 addresses, 16 octets. */
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly target: Uint8Array;
  /** The link-layer address option: of the source in a solicitation, of the target in an advertisement. */
  readonly mac: Uint8Array | null;
  /** Flags of an advertisement; false in a solicitation. */
  readonly router: boolean;
  readonly solicited: boolean;
  readonly override: boolean;
}

/** Null when it is none, or not a valid one (RFC 4861 sections 7.1.1 and 7.1.2; checksum and hop limit included). */
export function parseNeighbourMessage(packet: IpPacket): NeighbourMessage | null {
  const { source, destination, upper } = packet;
  if (packet.version !== 6 || packet.protocol !== PROTOCOL_ICMPV6 || packet.hopLimit !== HOP_LIMIT) return null;
  const [icmpType, code] = upper;
  if (icmpType !== ICMPV6_NEIGHBOUR_SOLICITATION && icmpType !== ICMPV6_NEIGHBOUR_ADVERTISEMENT) return null;
  if (code !== 0 || upper.length < FIXED_BYTES) return null;
  const pseudoHeader = ipv6PseudoHeader(source, destination, PROTOCOL_ICMPV6, upper.length);
  if (internetChecksum(pseudoHeader, upper) !== 0) return null;
  const target = upper.subarray(8, FIXED_BYTES);
  const solicitation = icmpType === ICMPV6_NEIGHBOUR_SOLICITATION;
  const options = linkLayerOption(
    upper.subarray(FIXED_BYTES),
    solicitation ? OPTION_SOURCE_LINK_LAYER : OPTION_TARGET_LINK_LAYER,
  );
  if (target[0] === 0xff || options === null) return null;
  const flags = solicitation ? 0 : (upper[4] ?? 0);
  return {
    type: solicitation ? 'solicitation' : 'advertisement',
    source,
    destination,
    target,
    mac: options.mac,
    router: (flags & FLAG_ROUTER) !== 0,
    solicited: (flags & FLAG_SOLICITED) !== 0,
    override: (flags & FLAG_OVERRIDE) !== 0,
  };
}

/** The whole IPv6 packet, checksum included. */
export function encodeNeighbourMessage(message: NeighbourMessage): Uint8Array {
  const solicitation = message.type === 'solicitation';
  const upper = new Uint8Array(FIXED_BYTES + (message.mac === null ? 0 : OPTION_UNIT_BYTES));
  upper[0] = solicitation ? ICMPV6_NEIGHBOUR_SOLICITATION : ICMPV6_NEIGHBOUR_ADVERTISEMENT;
  if (!solicitation) {
    upper[4] =
      (message.router ? FLAG_ROUTER : 0) |
      (message.solicited ? FLAG_SOLICITED : 0) |
      (message.override ? FLAG_OVERRIDE : 0);
  }
  upper.set(message.target, 8);
  if (message.mac !== null) {
    upper[FIXED_BYTES] = solicitation ? OPTION_SOURCE_LINK_LAYER : OPTION_TARGET_LINK_LAYER;
    upper[FIXED_BYTES + 1] = 1;
    upper.set(message.mac, FIXED_BYTES + 2);
  }
  const pseudoHeader = ipv6PseudoHeader(message.source, message.destination, PROTOCOL_ICMPV6, upper.length);
  writeUint16(upper, 2, internetChecksum(pseudoHeader, upper));

  const packet = new Uint8Array(IPV6_HEADER_BYTES + upper.length);
  packet[0] = 6 << 4;
  writeUint16(packet, 4, upper.length);
  packet[6] = PROTOCOL_ICMPV6;
  packet[7] = HOP_LIMIT;
  packet.set(message.source, 8);
  packet.set(message.destination, 24);
  packet.set(upper, IPV6_HEADER_BYTES);
  return packet;
}

/** Walks the options; null when one is empty or goes past the end. */
function linkLayerOption(options: Uint8Array, wanted: number): { readonly mac: Uint8Array | null } | null {
  let mac: Uint8Array | null = null;
  for (let at = 0; at < options.length; ) {
    const bytes = OPTION_UNIT_BYTES * (options[at + 1] ?? 0);
    if (bytes === 0 || at + bytes > options.length) return null;
    if (options[at] === wanted && bytes === OPTION_UNIT_BYTES) mac = options.subarray(at + 2, at + 2 + MAC_BYTES);
    at += bytes;
  }
  return { mac };
}
