/**
 * The medium against theory (Abramson 1970, Roberts 1975): frames sent by nobody's rules collide as the formulas say.
 * Pure ALOHA carries S = G e^-2G, slotted ALOHA S = G e^-G, which is 1/e at its best.
 */
import { describe, expect, it } from 'vitest';
import { type Random, seededRandom } from '../../src/base/random.js';
import { Medium } from '../../src/sim/medium.js';
import { VirtualTime } from '../../src/sim/virtual-time.js';

const FRAME_BYTES = 100;
const FRAME_US = 100_000;
const SENDERS = 400;
/** Hears all and sends nothing. */
const LISTENER = 999;
const FRAMES = 60_000;

/** Throughput, in frames that arrive whole for each frame time, of so many offered. */
function throughput(offered: number, slotted: boolean, seed: number): number {
  const time = new VirtualTime();
  const random: Random = seededRandom(seed);
  const senders = Array.from({ length: SENDERS }, (_, i) => i + 1);
  const medium = new Medium({
    scheduler: time,
    random,
    rateBps: (FRAME_BYTES * 8 * 1e6) / FRAME_US,
    stations: [...senders, LISTENER].map((id) => ({ id })),
    // Only the listener matters: it keeps 400 stations cheap.
    hears: (listener) => listener === LISTENER,
    shareIntactFrames: true,
  });
  const frame = new Uint8Array(FRAME_BYTES);
  let station = 0;
  let arrivalUs = 0;
  const next = (): void => {
    arrivalUs += (-Math.log(1 - random.unit()) * FRAME_US) / offered;
    const startUs = slotted ? Math.ceil(arrivalUs / FRAME_US) * FRAME_US : Math.round(arrivalUs);
    time.at(startUs, () => {
      // By turns: nobody comes round again within its own frame, not in the densest traffic that Poisson draws here.
      station = (station % SENDERS) + 1;
      const signal = medium.keyUp(station);
      signal.sendFrame(frame);
      signal.keyDown();
      next();
    });
  };
  next();
  time.runUntil((FRAMES / offered) * FRAME_US);
  return (medium.counts(LISTENER).deliveries * FRAME_US) / time.nowUs();
}

describe('ALOHA on the medium', () => {
  for (const offered of [0.1, 0.25, 0.5, 1]) {
    it(`pure, G = ${offered}`, () => {
      const expected = offered * Math.exp(-2 * offered);
      expect(Math.abs(throughput(offered, false, 11) / expected - 1)).toBeLessThan(0.03);
    });
  }

  for (const offered of [0.5, 1, 2]) {
    it(`slotted, G = ${offered}`, () => {
      const expected = offered * Math.exp(-offered);
      expect(Math.abs(throughput(offered, true, 12) / expected - 1)).toBeLessThan(0.03);
    });
  }
});
