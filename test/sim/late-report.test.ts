/** Modems that tell late, or not by their own knowledge, that a frame is sent: the answer to it is there before. */
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { Mac } from '../../src/mac/mac.js';
import type { MacSnapshot } from '../../src/mac/ports.js';
import { FramePhy } from '../../src/sim/frame-phy.js';
import { Medium } from '../../src/sim/medium.js';
import { VirtualTime } from '../../src/sim/virtual-time.js';

const PACKETS = 200;
const PACKET_BYTES = 400;

interface Result {
  readonly received: number[];
  readonly sender: MacSnapshot;
}

/** Station 1 sends to station 2, over a modem whose word that a frame is sent comes so late. */
function simulate(lateUs: number, burstAirtimeUs: number): Result {
  const time = new VirtualTime();
  const random = seededRandom(1);
  const stations = [{ id: 1 }, { id: 2 }];
  const medium = new Medium({ scheduler: time, random, rateBps: 9600, stations });
  const received: number[] = [];
  let pulled = 0;
  const macs = stations.map(({ id }) => {
    const phy = new FramePhy({ scheduler: time, medium, station: id, carrierDetectUs: 2000 });
    const attach = phy.attach.bind(phy);
    phy.attach = (listener) =>
      attach({
        carrier: (busy) => listener.carrier(busy),
        received: (frame, meta) => listener.received(frame, meta),
        discarded: (cause, octets) => listener.discarded(cause, octets),
        ready: (up) => listener.ready(up),
        sent: (outcome) => void time.at(time.nowUs() + (id === 1 ? lateUs : 0), () => listener.sent(outcome)),
      });
    const pull = () => {
      if (id === 2 || pulled === PACKETS) return null;
      const payload = new Uint8Array(PACKET_BYTES).fill(0x45);
      new DataView(payload.buffer).setUint32(4, pulled++);
      return { destination: 2, kind: 'ip' as const, payload, priority: 0 };
    };
    return new Mac({
      station: id,
      phy,
      scheduler: time,
      random: seededRandom(id),
      config: { linkFrames: true, fcsBytes: 4, arq: true, maxRetries: 7, deadlineUs: 1e12, burstAirtimeUs },
      source: { pull, idle: () => undefined },
      observer: {
        drop: () => undefined,
        deliver: ({ payload }) => void received.push(new DataView(payload.buffer, payload.byteOffset).getUint32(4)),
      },
    });
  });
  time.runFor(3600e6);
  const [sender] = macs;
  if (sender === undefined) throw new Error('no sender');
  return { received, sender: sender.snapshot() };
}

describe.each([
  ['single frames', 0],
  ['bursts of up to four', 1_400_000],
] as const)('%s', (_name, burstAirtimeUs) => {
  it.each([20_000, 100_000, 400_000])('are sent once each, told of %i us late', (lateUs) => {
    const { received, sender } = simulate(lateUs, burstAirtimeUs);
    expect(received).toEqual(Array.from({ length: PACKETS }, (_, index) => index));
    expect(sender.counters).toMatchObject({ acked: PACKETS, attempts: PACKETS });
  });
});
