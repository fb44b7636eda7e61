/**
 * The blocks of a TPACKET_V3 ring, as the kernel fills them (include/uapi/linux/if_packet.h: tpacket_block_desc,
 * tpacket3_hdr, sockaddr_ll). Pure: octets in, packets out.
 */

/** Of struct tpacket_block_desc. */
const BLOCK = { packets: 12, first: 16, number: 24 } as const;
/** Of struct tpacket3_hdr. */
const PACKET = { next: 0, sec: 4, nsec: 8, kept: 12, length: 16, status: 20, mac: 24, tci: 32, tpid: 36 } as const;
/** struct sockaddr_ll lies behind struct tpacket3_hdr, aligned to 16 octets; in it the kind of packet. */
const KIND = 48 + 10;

/** TP_STATUS_VLAN_VALID, TP_STATUS_VLAN_TPID_VALID. */
const VLAN_VALID = 1 << 4;
const VLAN_TPID_VALID = 1 << 6;
/** IEEE 802.1Q, where the kernel names no other. */
const VLAN_TPID = 0x8100;
const MAC_ADDRESSES_BYTES = 12;
const VLAN_TAG_BYTES = 4;

/** PACKET_HOST and so on, by number. */
const KINDS = ['host', 'broadcast', 'multicast', 'other-host', 'outgoing'] as const;

export interface RingPacket {
  /** Since 1970, in nanoseconds. */
  readonly atNs: bigint;
  /** The Ethernet frame, without FCS; a view into the block where possible. */
  readonly octets: Uint8Array;
  /** Its length before it was cut to what a block can hold. */
  readonly originalBytes: number;
  readonly kind: (typeof KINDS)[number];
}

export interface RingBlock {
  /** Counts up by one from block to block. */
  readonly number: bigint;
  readonly packets: readonly RingPacket[];
}

/** @param littleEndian the machine's byte order */
export function readRingBlock(block: Uint8Array, littleEndian: boolean): RingBlock {
  const view = new DataView(block.buffer, block.byteOffset, block.length);
  const u32 = (at: number): number => view.getUint32(at, littleEndian);
  const u16 = (at: number): number => view.getUint16(at, littleEndian);
  const packets: RingPacket[] = [];
  let at = u32(BLOCK.first);
  for (let left = u32(BLOCK.packets); left > 0; left--) {
    const start = at + u16(at + PACKET.mac);
    const plain = block.subarray(start, start + u32(at + PACKET.kept));
    const status = u32(at + PACKET.status);
    const tag = (status & VLAN_VALID) === 0 ? undefined : u16(at + PACKET.tci);
    const tpid = (status & VLAN_TPID_VALID) === 0 ? VLAN_TPID : u16(at + PACKET.tpid);
    packets.push({
      atNs: BigInt(u32(at + PACKET.sec)) * 1_000_000_000n + BigInt(u32(at + PACKET.nsec)),
      octets: tag === undefined ? plain : tagged(plain, tpid, tag),
      originalBytes: u32(at + PACKET.length) + (tag === undefined ? 0 : VLAN_TAG_BYTES),
      kind: KINDS[view.getUint8(at + KIND)] ?? 'other-host',
    });
    at += u32(at + PACKET.next);
  }
  return { number: view.getBigUint64(BLOCK.number, littleEndian), packets };
}

/** The kernel takes the VLAN tag out of a frame and tells it apart: here it goes back in. */
function tagged(frame: Uint8Array, tpid: number, tag: number): Uint8Array {
  const whole = new Uint8Array(frame.length + VLAN_TAG_BYTES);
  whole.set(frame.subarray(0, MAC_ADDRESSES_BYTES));
  const octets = [tpid >> 8, tpid & 0xff, tag >> 8, tag & 0xff];
  whole.set(octets, MAC_ADDRESSES_BYTES);
  whole.set(frame.subarray(MAC_ADDRESSES_BYTES), MAC_ADDRESSES_BYTES + VLAN_TAG_BYTES);
  return whole;
}
