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
  persistentWithoutPause,
  slottedNonPersistentThroughput,
} from '../../src/sim/bound.js';
import { PPersistence } from '../../src/sim/comparison/p-persistence.js';
import { type AccessRule, simulateRandomAccess } from '../../src/sim/comparison/random-access.js';
import { simulateSaturation } from '../../src/sim/saturation.js';

const OFFERED_FRAMES = 150_000;

const throughput = (rule: AccessRule, offered: number, a: number): number =>
  simulateRandomAccess({ rule, offered, a, seed: 5, frames: OFFERED_FRAMES });

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
      expect(off(utilisation, persistentWithoutPause(n, p, a))).toBeLessThan(0.02);
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
