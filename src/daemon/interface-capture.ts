/**
 * The packets of a network interface as a pcapng stream, both ways, by a ring of the kernel's: whatever is behind the
 * interface neither knows nor waits. What finds no room in the ring is lost to the capture, and counted.
 */
import { arch, endianness, release, type } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError } from '../base/errors.js';
import { PacketRing } from '../native/addon.js';
import { interfaceIndex } from '../native/descriptors.js';
import { type RingPacket, readRingBlock } from '../observe/packet-blocks.js';
import {
  enhancedPacket,
  interfaceDescription,
  interfaceStatistics,
  LINK_TYPES,
  sectionHeader,
} from '../observe/pcapng.js';

/** 16 MiB: half a second at 250 Mbit/s. A block holds the longest packet that segmentation offload makes, and more. */
const RING = { blockBytes: 256 << 10, blocks: 64, retireMs: 20 } as const;
const NANOSECOND_DIGITS = 9;
const NS_PER_MS = 1_000_000n;
const LITTLE_ENDIAN = endianness() === 'LE';

const CASTS = {
  host: 'unicast',
  broadcast: 'broadcast',
  multicast: 'multicast',
  'other-host': 'promiscuous',
  outgoing: 'unspecified',
} as const;

/**
 * Until `finish`, or until the interface is gone; then the statistics.
 * @throws SluiceError `usage` when there is no such interface, `privilege` without CAP_NET_RAW
 */
export async function* captureInterface(
  name: string,
  finish: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const index = interfaceIndex(name);
  if (index === 0) {
    throw new SluiceError('usage', `there is no interface ${name}`, {
      subject: name,
      remedy: 'Name one that "ip link" shows in this network namespace.',
    });
  }
  const startNs = nowNs();
  const ring = new PacketRing(index, RING);
  const buffer = new Uint8Array(RING.blockBytes);
  let [received, dropped] = [0, 0];
  let expected = 0n;
  try {
    yield sectionHeader({ hardware: arch(), os: `${type()} ${release()}`, application: 'sluice' });
    const linkType = LINK_TYPES.ethernet;
    yield interfaceDescription({ name, description: '', linkType, timeDigits: NANOSECOND_DIGITS, snapBytes: 0 });
    for (;;) {
      const isLast = finish.aborted || (ring.takeError() !== 0 && interfaceIndex(name) !== index);
      // By then the kernel has given out the block that it was filling.
      if (isLast) await sleep(2 * RING.retireMs);
      for (let i = 0; i < RING.blocks; i++) {
        const bytes = ring.read(buffer);
        if (bytes < 0) break;
        const block = readRingBlock(buffer.subarray(0, bytes), LITTLE_ENDIAN);
        if (expected !== 0n && block.number !== expected) {
          throw new SluiceError('internal', `block ${block.number} of the ring came when ${expected} was next`);
        }
        expected = block.number + 1n;
        if (block.packets.length > 0) yield Buffer.concat(block.packets.map(packetBlock));
      }
      // The kernel counts in 32 bits, and from zero after each look.
      const fresh = ring.statistics();
      received += fresh.packets;
      dropped += fresh.dropped;
      if (isLast) break;
      await readable(ring, finish);
    }
    yield interfaceStatistics({ interface: 0, from: startNs, to: nowNs(), received, dropped });
  } finally {
    ring.close();
  }
}

function nowNs(): bigint {
  return BigInt(Date.now()) * NS_PER_MS;
}

function packetBlock({ atNs, octets, originalBytes, kind }: RingPacket): Uint8Array {
  const direction = kind === 'outgoing' ? 'outbound' : 'inbound';
  return enhancedPacket({ interface: 0, at: atNs, octets, originalBytes, direction, cast: CASTS[kind] });
}

/** Settles once there is something to read, the socket has an error, or it is time to finish. */
async function readable(ring: PacketRing, finish: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      finish.removeEventListener('abort', done);
      ring.disarm();
      resolve();
    };
    finish.addEventListener('abort', done);
    ring.arm(done);
  });
}
