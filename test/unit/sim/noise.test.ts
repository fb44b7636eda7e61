/** Bit errors: as many as the rate says, and each bit by itself. */
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import { BitNoise } from '../../../src/sim/noise.js';

describe('BitNoise', () => {
  it.each([0.5, 0.1, 0.01])('rate %d: counts, pairs of neighbours and bit positions as of independent bits', (rate) => {
    const noise = new BitNoise(rate, seededRandom(9));
    const bits = 800_000;
    const octets = new Uint8Array(bits / 8);
    // In pieces, so that what remains between two pieces counts too.
    let errors = 0;
    for (let at = 0; at < octets.length; at += 50) errors += noise.apply(octets.subarray(at, at + 50));
    const isWrong = (bit: number): boolean => (((octets[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1) === 1;
    const positions = new Array<number>(8).fill(0);
    let total = 0;
    let neighbours = 0;
    for (let bit = 0; bit < bits; bit++) {
      if (!isWrong(bit)) continue;
      total++;
      positions[bit & 7] = (positions[bit & 7] ?? 0) + 1;
      if (bit > 0 && isWrong(bit - 1)) neighbours++;
    }
    const near = (seen: number, trials: number, p: number): void =>
      expect(Math.abs(seen - trials * p)).toBeLessThan(4.5 * Math.sqrt(trials * p * (1 - p)));
    expect(errors).toBe(total);
    near(total, bits, rate);
    for (const seen of positions) near(seen, bits / 8, rate);
    // Neighbouring pairs overlap, which widens their spread by less than this.
    expect(Math.abs(neighbours - bits * rate ** 2)).toBeLessThan(8 * Math.sqrt(bits * rate ** 2));
  });

  it('never errs at rate 0, and passes as often as no bit is hit', () => {
    expect(new BitNoise(0, seededRandom(1)).passes(1e12)).toBe(true);
    const noise = new BitNoise(1e-3, seededRandom(2));
    const piece = new Uint8Array(100);
    let passed = 0;
    for (let i = 0; i < 20_000; i++) {
      if (noise.passes(800)) passed++;
      else expect(noise.apply(piece)).toBeGreaterThan(0);
    }
    const share = (1 - 1e-3) ** 800;
    expect(Math.abs(passed / 20_000 - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / 20_000));
  });
});
