/** A real UDP sender that blocks, against the gate: the socket of an ordinary program feels the channel. Needs root. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { unshareNetwork } from '../../src/native/descriptors.js';
import { type Bench, openBench } from './back-pressure-scenarios.js';

/** Node's own datagram sockets never block, so the sender is Python, which the native build needs anyway. */
const SENDER = `
import signal, socket, sys
sent = 0
def stop(*_):
    print(sent, flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    s.sendto(sent.to_bytes(4, 'big') + bytes(796), ('10.99.0.2', 5000))
    sent += 1
`;
/** Ethernet, IPv4 and UDP headers. */
const PAYLOAD_OFFSET = 14 + 20 + 8;
const DATAGRAM_FRAME_BYTES = PAYLOAD_OFFSET + 800;
/** What a send buffer of 212,992 octets holds of these (77), and a margin. */
const MOST_WAITING = 100;
const READS = 150;
const READ_INTERVAL_MS = 8;

beforeAll(() => unshareNetwork());

function giveAddress({ tools, device }: Bench): void {
  tools.netlink.addAddress(device.ifindex, { address: Uint8Array.of(10, 99, 0, 1), prefixLength: 24 });
  tools.netlink.addNeighbour(device.ifindex, Uint8Array.of(10, 99, 0, 2), Uint8Array.of(2, 0, 0, 0, 0, 2));
}

/** The number in a datagram of the sender; null for anything else. */
function datagramNumber(frame: Uint8Array | null): number | null {
  if (frame?.length !== DATAGRAM_FRAME_BYTES) return null;
  return new DataView(frame.buffer, frame.byteOffset).getUint32(PAYLOAD_OFFSET);
}

async function stopAndCount(child: ChildProcess): Promise<number> {
  if (child.stdout === null) throw new Error('no pipe');
  child.kill('SIGTERM');
  const [text] = (await once(child.stdout, 'data')) as [Buffer];
  return Number(text.toString());
}

describe('a blocking UDP sender', () => {
  it('waits while nothing is granted, and sends no faster than frames are taken', { timeout: 30_000 }, async () => {
    const bench = openBench('gate');
    giveAddress(bench);
    const child = spawn('python3', ['-c', SENDER], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const received: number[] = [];
      while (received.length < READS) {
        const number = datagramNumber(bench.egress.pullFrame());
        if (number !== null) received.push(number);
        await sleep(READ_INTERVAL_MS);
      }
      const sent = await stopAndCount(child);
      expect(received).toEqual(received.map((_, i) => i));
      expect(sent).toBeGreaterThanOrEqual(READS);
      expect(sent).toBeLessThanOrEqual(READS + MOST_WAITING);
      expect(bench.tools.netlink.linkStatistics(bench.device.ifindex).txDropped).toBe(0);
      expect(bench.backPressure.qdisc().dropped).toBe(0);
    } finally {
      child.kill('SIGKILL');
      bench.close();
    }
  });
});
