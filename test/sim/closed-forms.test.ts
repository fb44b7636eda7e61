/**
 * The simulator against theory, within 2 %: slotted ALOHA (Roberts 1975), non-persistent CSMA, slotted and not, and
 * p-persistent CSMA (Kleinrock and Tobagi 1975), the last with the production MAC.
 */
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import {
  memorylessBound,
  nonPersistentThroughput,
  persistentUtilisation,
  slottedNonPersistentThroughput,
} from '../../src/sim/bound.js';
import { PPersistence } from '../../src/sim/comparison/p-persistence.js';
import { Medium } from '../../src/sim/medium.js';
import { simulateSaturation } from '../../src/sim/saturation.js';
import { VirtualTime } from '../../src/sim/virtual-time.js';

const FRAME_BYTES = 100;
const FRAME_US = 100_000;
const SENDERS = 300;
/** Hears all and sends nothing: the channel as seen after the propagation delay. */
const LISTENER = 999;
const OFFERED_FRAMES = 150_000;

type Start = 'slotted ALOHA' | 'non-persistent' | 'slotted non-persistent';

/** Frames that arrive whole, for each frame time, of a Poisson stream that senses as told and never comes back. */
function throughput(rule: Start, offered: number, a: number): number {
  const time = new VirtualTime();
  const random = seededRandom(5);
  const medium = new Medium({
    scheduler: time,
    random,
    rateBps: (FRAME_BYTES * 8 * 1e6) / FRAME_US,
    stations: [...Array.from({ length: SENDERS }, (_, i) => ({ id: i + 1 })), { id: LISTENER }],
    hears: (listener) => listener === LISTENER,
    shareIntactFrames: true,
  });
  const delayUs = Math.round(a * FRAME_US);
  const frame = new Uint8Array(FRAME_BYTES);
  const slotUs = rule === 'slotted ALOHA' ? FRAME_US : rule === 'non-persistent' ? 1 : delayUs;
  // What a station senses is the channel as it was one propagation delay ago.
  let busyFromUs = Number.POSITIVE_INFINITY;
  let busyUntilUs = Number.NEGATIVE_INFINITY;
  let station = 0;
  let arrivalUs = 0;
  const offer = (): void => {
    arrivalUs += (-Math.log(1 - random.unit()) * FRAME_US) / offered;
    time.at(Math.ceil(arrivalUs / slotUs) * slotUs, () => {
      const nowUs = time.nowUs();
      if (nowUs >= busyUntilUs) busyFromUs = Number.POSITIVE_INFINITY;
      const senses = rule !== 'slotted ALOHA';
      if (!senses || nowUs < busyFromUs) {
        station = (station % SENDERS) + 1;
        const signal = medium.keyUp(station);
        signal.sendFrame(frame);
        signal.keyDown();
        busyFromUs = Math.min(busyFromUs, nowUs + delayUs);
        busyUntilUs = nowUs + FRAME_US + delayUs;
      }
      offer();
    });
  };
  offer();
  time.runUntil((OFFERED_FRAMES / offered) * FRAME_US);
  return (medium.counts(LISTENER).deliveries * FRAME_US) / time.nowUs();
}

const off = (measured: number, expected: number): number => Math.abs(measured / expected - 1);

describe('random access on the medium', () => {
  it('slotted ALOHA carries 1/e at its best', () => {
    expect(off(throughput('slotted ALOHA', 1, 0), 1 / Math.E)).toBeLessThan(0.02);
  });

  for (const [offered, a] of [
    [1, 0.1],
    [5, 0.01],
    [3, 0.1],
  ] as const) {
    it(`non-persistent CSMA, G = ${offered}, a = ${a}`, () => {
      expect(off(throughput('non-persistent', offered, a), nonPersistentThroughput(offered, a))).toBeLessThan(0.02);
    });

    it(`slotted non-persistent CSMA, G = ${offered}, a = ${a}`, () => {
      const expected = slottedNonPersistentThroughput(offered, a);
      expect(off(throughput('slotted non-persistent', offered, a), expected)).toBeLessThan(0.02);
    });
  }
});

describe('p-persistent CSMA with the production MAC', () => {
  for (const [n, p, a] of [
    [2, 0.2, 0.03],
    [5, 0.05, 0.03],
    [10, 0.05, 0.1],
    [20, 0.01, 0.01],
    [5, 0.25, 0.1],
  ] as const) {
    it(`n = ${n}, p = ${p}, a = ${a}`, () => {
      const durationFrames = 12_000;
      const { utilisation } = simulateSaturation({
        stations: n,
        a,
        seed: 3,
        durationFrames,
        warmUpFrames: 10,
        // Nobody waits for an answer: each exchange is one frame, and the next slot begins with its end.
        config: { arq: false },
        contention: (_timing, station) => new PPersistence(seededRandom(1000 + station), p),
      });
      // So the slot that the closed form puts behind each exchange is not there.
      const idle = (1 - p) ** n;
      const success = n * p * (1 - p) ** (n - 1);
      const expected = success / (idle * a + 1 - idle);
      expect(off(utilisation, expected)).toBeLessThan(0.02);
    });
  }
});

describe('the bound', () => {
  // The table of Kleinrock and Tobagi's formula as the targets give it, computed independently.
  for (const [n, a, expected] of [
    [2, 0.003, 0.945],
    [5, 0.01, 0.878],
    [10, 0.03, 0.785],
    [50, 0.1, 0.627],
    [20, 0.3, 0.445],
    [50, 1, 0.234],
  ] as const) {
    it(`n = ${n}, a = ${a}`, () => {
      expect(memorylessBound(n, a)).toBeCloseTo(expected, 3);
    });
  }

  it('is at least what any persistence gives', () => {
    for (let p = 0.01; p < 1; p += 0.01) {
      expect(memorylessBound(7, 0.02)).toBeGreaterThanOrEqual(persistentUtilisation(7, p, 0.02));
    }
  });
});
