/** The short form of the long run in test/bench/fuzz.ts: any octets at all, in any split. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import { fuzzDecoder, SUBJECTS } from '../../bench/fuzz.js';
import { fuzzReception } from '../../bench/fuzz-reception.js';

describe('fuzz', () => {
  it.each(SUBJECTS.map((subject) => [subject.name, subject] as const))(
    '%s: every octet accounted for once, nothing too long, nothing held after a reset',
    (_, subject) => {
      fc.assert(
        fc.property(fc.integer(), (seed) => {
          const { wrong, frames } = fuzzDecoder(subject, 300, seededRandom(seed));
          expect(wrong).toBe(0);
          expect(frames).toBeGreaterThan(0);
        }),
        { numRuns: 30 },
      );
    },
  );

  it('the whole way of reception takes anything, and says what became of it', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const { delivered, drops } = fuzzReception(2000, seededRandom(seed));
        expect(delivered).toBeGreaterThan(0);
        expect(drops['rx-fcs']).toBeGreaterThan(0);
      }),
      { numRuns: 10 },
    );
  });
});
