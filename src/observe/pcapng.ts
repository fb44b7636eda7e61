/**
 * The blocks of a pcapng file (draft-ietf-opsawg-pcapng), little-endian, one section. Each function gives one whole block:
 * a file is a section header, a description of each interface, then packets, and statistics last.
 */

/** The registry of link-layer header types (draft-ietf-opsawg-pcaplinktype). */
export const LINK_TYPES = {
  ethernet: 1,
  ax25: 3,
  rawIp: 101,
  /** For private use; the meaning of ours is told in link-frame.md. */
  user0: 147,
} as const;

/** Section 4 and its subsections: block types. */
const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const INTERFACE_STATISTICS = 5;
const ENHANCED_PACKET = 6;

const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
/** Section 4.1: a length that nobody knows beforehand. */
const UNKNOWN_LENGTH = 0xffff_ffff;
/** Type and length before the body, the length again behind it. */
const FRAME_BYTES = 12;
const OPTION_MAX_BYTES = 0xffff;
/** Where `interfaceStatistics` puts the number of packets dropped: behind its body, three options and a fourth's head. */
const DROPPED_AT = 8 + 12 + 3 * 12 + 4;

/** Sections 3.5 and 4.1 to 4.6: option codes. */
const OPTION = {
  end: 0,
  comment: 1,
  sectionHardware: 2,
  sectionOs: 3,
  sectionApplication: 4,
  interfaceName: 2,
  interfaceDescription: 3,
  interfaceResolution: 9,
  packetFlags: 2,
  packetDropCount: 4,
  statisticsStart: 2,
  statisticsEnd: 3,
  statisticsReceived: 4,
  statisticsDropped: 5,
} as const;

/** Section 4.3.1: the bits of epb_flags. */
const DIRECTIONS = { inbound: 1, outbound: 2 } as const;
const CASTS = { unspecified: 0, unicast: 1, multicast: 2, broadcast: 3, promiscuous: 4 } as const;
const CAST_SHIFT = 2;
const FCS_SHIFT = 5;
const CRC_ERROR_BIT = 1 << 24;

export interface SectionInfo {
  readonly hardware: string;
  readonly os: string;
  readonly application: string;
}

export interface InterfaceInfo {
  readonly linkType: number;
  readonly name: string;
  readonly description: string;
  /** Decimal places of a second in every time of this interface: 6 or 9. */
  readonly timeDigits: number;
  /** Longest packet kept; 0: no limit. */
  readonly snapBytes: number;
}

export interface PacketInfo {
  /** Number of the interface's description in the file, from 0. */
  readonly interface: number;
  /** Since 1970, in the interface's units. */
  readonly at: bigint;
  readonly octets: Uint8Array;
  /** Length before it was cut to `octets`; default: theirs. */
  readonly originalBytes?: number;
  readonly direction: keyof typeof DIRECTIONS;
  readonly cast: keyof typeof CASTS;
  /** Octets of frame check sequence at the end of `octets`. */
  readonly fcsBytes?: number;
  readonly crcError?: boolean;
  /** Packets lost by the capture since the one before. */
  readonly dropped?: number;
  readonly comment?: string;
}

export interface InterfaceStatistics {
  readonly interface: number;
  /** In the interface's units, as for packets. */
  readonly from: bigint;
  readonly to: bigint;
  /** Those that passed, the dropped ones included. */
  readonly received: number;
  /** Those that the capture dropped, for want of a reader that keeps up. */
  readonly dropped: number;
}

interface Option {
  readonly code: number;
  readonly value: Uint8Array;
}

const utf8 = new TextEncoder();

export function sectionHeader({ hardware, os, application }: SectionInfo): Uint8Array {
  const options = [
    text(OPTION.sectionHardware, hardware),
    text(OPTION.sectionOs, os),
    text(OPTION.sectionApplication, application),
  ];
  return block(SECTION_HEADER, 16, options, (view, at) => {
    view.setUint32(at, BYTE_ORDER_MAGIC, true);
    // Version 1.0.
    view.setUint16(at + 4, 1, true);
    view.setUint32(at + 8, UNKNOWN_LENGTH, true);
    view.setUint32(at + 12, UNKNOWN_LENGTH, true);
  });
}

export function interfaceDescription(info: InterfaceInfo): Uint8Array {
  const options = [
    text(OPTION.interfaceName, info.name),
    text(OPTION.interfaceDescription, info.description),
    { code: OPTION.interfaceResolution, value: Uint8Array.of(info.timeDigits) },
  ];
  return block(INTERFACE_DESCRIPTION, 8, options, (view, at) => {
    view.setUint16(at, info.linkType, true);
    view.setUint32(at + 4, info.snapBytes, true);
  });
}

export function enhancedPacket(packet: PacketInfo): Uint8Array {
  const { octets, dropped = 0, comment } = packet;
  const options = [uint32(OPTION.packetFlags, flags(packet))];
  if (dropped > 0) options.push(uint64(OPTION.packetDropCount, BigInt(dropped)));
  if (comment !== undefined) options.push(text(OPTION.comment, comment));
  return block(ENHANCED_PACKET, 20 + padded(octets.length), options, (view, at) => {
    view.setUint32(at, packet.interface, true);
    setTime(view, at + 4, packet.at);
    view.setUint32(at + 12, octets.length, true);
    view.setUint32(at + 16, packet.originalBytes ?? octets.length, true);
    new Uint8Array(view.buffer).set(octets, at + 20);
  });
}

/** May be given again; readers take the last one. */
export function interfaceStatistics(info: InterfaceStatistics): Uint8Array {
  const options = [
    time(OPTION.statisticsStart, info.from),
    time(OPTION.statisticsEnd, info.to),
    uint64(OPTION.statisticsReceived, BigInt(info.received)),
    uint64(OPTION.statisticsDropped, BigInt(info.dropped)),
  ];
  return block(INTERFACE_STATISTICS, 12, options, (view, at) => {
    view.setUint32(at, info.interface, true);
    setTime(view, at + 4, info.to);
  });
}

/**
 * Cuts a stream of blocks, as the functions here make them, where one ends and the next begins: so that what is written
 * is a complete file whenever the stream ends.
 */
export class BlockCutter {
  /** Packets so far. */
  packets = 0;
  /** What the last statistics said; undefined before there were any. */
  dropped: number | undefined;
  #rest = new Uint8Array(0);

  /** Gives the whole blocks that there are now, joined; undefined as long as there is none. */
  push(octets: Uint8Array): Uint8Array | undefined {
    let all = octets;
    if (this.#rest.length > 0) {
      all = new Uint8Array(this.#rest.length + octets.length);
      all.set(this.#rest);
      all.set(octets, this.#rest.length);
    }
    const view = new DataView(all.buffer, all.byteOffset, all.length);
    let end = 0;
    while (end + 8 <= all.length) {
      const next = end + Math.max(FRAME_BYTES, view.getUint32(end + 4, true));
      if (next > all.length) break;
      const type = view.getUint32(end, true);
      if (type === ENHANCED_PACKET) this.packets++;
      else if (type === INTERFACE_STATISTICS) this.dropped = Number(view.getBigUint64(end + DROPPED_AT, true));
      end = next;
    }
    this.#rest = all.slice(end);
    return end === 0 ? undefined : all.subarray(0, end);
  }
}

function block(
  type: number,
  bodyBytes: number,
  options: readonly Option[],
  fill: (view: DataView, at: number) => void,
): Uint8Array {
  const optionBytes = options.reduce((sum, { value }) => sum + 4 + padded(value.length), 4);
  const octets = new Uint8Array(FRAME_BYTES + bodyBytes + optionBytes);
  const view = new DataView(octets.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, octets.length, true);
  fill(view, 8);
  let at = 8 + bodyBytes;
  for (const { code, value } of options) {
    view.setUint16(at, code, true);
    view.setUint16(at + 2, value.length, true);
    octets.set(value, at + 4);
    at += 4 + padded(value.length);
  }
  // Of opt_endofopt code and length are 0, as the octets are already.
  view.setUint32(octets.length - 4, octets.length, true);
  return octets;
}

function flags({ direction, cast, fcsBytes = 0, crcError = false }: PacketInfo): number {
  const word = DIRECTIONS[direction] | (CASTS[cast] << CAST_SHIFT) | (fcsBytes << FCS_SHIFT);
  return crcError ? word | CRC_ERROR_BIT : word;
}

/** Blocks and options are filled up to 32 bits (section 3.1). */
function padded(bytes: number): number {
  return (bytes + 3) & ~3;
}

/** UTF-8, cut where an option's length ends. */
function text(code: number, value: string): Option {
  return { code, value: utf8.encode(value).subarray(0, OPTION_MAX_BYTES) };
}

function uint32(code: number, value: number): Option {
  const octets = new Uint8Array(4);
  new DataView(octets.buffer).setUint32(0, value, true);
  return { code, value: octets };
}

function uint64(code: number, value: bigint): Option {
  const octets = new Uint8Array(8);
  new DataView(octets.buffer).setBigUint64(0, value, true);
  return { code, value: octets };
}

function time(code: number, value: bigint): Option {
  const octets = new Uint8Array(8);
  setTime(new DataView(octets.buffer), 0, value);
  return { code, value: octets };
}

/** The high half first, whatever the byte order (section 4.3). */
function setTime(view: DataView, at: number, value: bigint): void {
  view.setUint32(at, Number(value >> 32n), true);
  view.setUint32(at + 4, Number(value & 0xffff_ffffn), true);
}
