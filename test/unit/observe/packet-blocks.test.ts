/** Blocks of a packet ring, laid out here as the kernel's header says (linux/if_packet.h), in either byte order. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RingPacket, readRingBlock } from '../../../src/observe/packet-blocks.js';

/** sizeof(struct tpacket_block_desc); sizeof(struct tpacket3_hdr), after which the address lies. */
const BLOCK_HEAD_BYTES = 48;
const PACKET_HEAD_BYTES = 48;
/** sizeof(struct sockaddr_ll). */
const ADDRESS_BYTES = 20;
const VLAN_VALID = 0x10;
const VLAN_TPID_VALID = 0x40;

interface Laid {
  readonly sec: number;
  readonly nsec: number;
  readonly frame: Uint8Array;
  readonly originalBytes: number;
  readonly kind: number;
  /** Octets between the address and the frame. */
  readonly gap: number;
  readonly vlan?: { readonly tci: number; readonly tpid?: number };
}

function layOut(number: bigint, packets: readonly Laid[], little: boolean): Uint8Array {
  const sizes = packets.map(({ frame, gap }) => PACKET_HEAD_BYTES + ADDRESS_BYTES + gap + frame.length);
  // Each header is aligned to 8.
  const strides = sizes.map((size) => 8 * Math.ceil(size / 8));
  const block = new Uint8Array(BLOCK_HEAD_BYTES + strides.reduce((sum, each) => sum + each, 0));
  const view = new DataView(block.buffer);
  view.setUint32(12, packets.length, little);
  view.setUint32(16, BLOCK_HEAD_BYTES, little);
  view.setBigUint64(24, number, little);
  let at = BLOCK_HEAD_BYTES;
  for (const [index, { sec, nsec, frame, originalBytes, kind, gap, vlan }] of packets.entries()) {
    const mac = PACKET_HEAD_BYTES + ADDRESS_BYTES + gap;
    const isLast = index === packets.length - 1;
    view.setUint32(at, isLast ? 0 : (strides[index] ?? 0), little);
    view.setUint32(at + 4, sec, little);
    view.setUint32(at + 8, nsec, little);
    view.setUint32(at + 12, frame.length, little);
    view.setUint32(at + 16, originalBytes, little);
    const valid = (vlan === undefined ? 0 : VLAN_VALID) | (vlan?.tpid === undefined ? 0 : VLAN_TPID_VALID);
    view.setUint32(at + 20, 1 | valid, little);
    view.setUint16(at + 24, mac, little);
    view.setUint32(at + 32, vlan?.tci ?? 0, little);
    view.setUint16(at + 36, vlan?.tpid ?? 0, little);
    view.setUint8(at + PACKET_HEAD_BYTES + 10, kind);
    block.set(frame, at + mac);
    at += strides[index] ?? 0;
  }
  return block;
}

const laid = fc.record({
  sec: fc.integer({ min: 0, max: 0xffff_ffff }),
  nsec: fc.integer({ min: 0, max: 999_999_999 }),
  frame: fc.uint8Array({ minLength: 14, maxLength: 80 }),
  originalBytes: fc.integer({ min: 14, max: 70_000 }),
  kind: fc.integer({ min: 0, max: 4 }),
  gap: fc.integer({ min: 0, max: 20 }),
});

const plain: Laid = {
  ...{ sec: 5, nsec: 7, originalBytes: 16, kind: 0, gap: 0 },
  frame: Uint8Array.of(1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 0x08, 0x00, 0x45, 0x46),
};

function only(packet: Laid): RingPacket {
  const [found, ...more] = readRingBlock(layOut(1n, [packet], true), true).packets;
  if (found === undefined || more.length > 0) throw new Error('not one packet');
  return found;
}

describe('a block of the ring', () => {
  it('holds its packets in order, wherever they lie, in the byte order of the machine', () => {
    fc.assert(
      fc.property(
        fc.array(laid, { maxLength: 10 }),
        fc.bigInt({ min: 0n, max: 1n << 40n }),
        fc.boolean(),
        (all, n, le) => {
          const { number, packets } = readRingBlock(layOut(n, all, le), le);
          expect(number).toBe(n);
          expect(packets.map(({ octets, ...rest }) => ({ octets: [...octets], ...rest }))).toEqual(
            all.map(({ sec, nsec, frame, originalBytes, kind }) => ({
              octets: [...frame],
              atNs: BigInt(sec) * 1_000_000_000n + BigInt(nsec),
              originalBytes,
              kind: ['host', 'broadcast', 'multicast', 'other-host', 'outgoing'][kind],
            })),
          );
        },
      ),
    );
  });

  it('may lie anywhere in the memory of the ring', () => {
    const ring = new Uint8Array(4096);
    const block = layOut(3n, [plain], true);
    ring.set(block, 1000);
    const { packets } = readRingBlock(ring.subarray(1000, 1000 + block.length), true);
    expect([...(packets[0]?.octets ?? [])]).toEqual([...plain.frame]);
  });

  it.each([
    ['802.1Q', { tci: 0x2064 }, [0x81, 0x00, 0x20, 0x64]],
    ['802.1Q, named', { tci: 0x2064, tpid: 0x8100 }, [0x81, 0x00, 0x20, 0x64]],
    ['802.1ad', { tci: 1, tpid: 0x88a8 }, [0x88, 0xa8, 0x00, 0x01]],
    ['tag 0, which is one', { tci: 0 }, [0x81, 0x00, 0x00, 0x00]],
  ])('has the VLAN tag back that the kernel took out: %s', (_what, vlan, tag) => {
    const { octets, originalBytes } = only({ ...plain, vlan });
    expect([...octets]).toEqual([...plain.frame.slice(0, 12), ...tag, ...plain.frame.slice(12)]);
    expect(originalBytes).toBe(plain.originalBytes + 4);
  });

  it('has packets of kinds that are not known', () => {
    expect(only({ ...plain, kind: 7 }).kind).toBe('other-host');
  });
});
