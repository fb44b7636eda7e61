/** The short form of the long run in test/bench/fuzz.ts: any octets at all, in any split. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import { fuzzDecoder } from '../../bench/fuzz-decoder.js';
import { fuzzReception } from '../../bench/fuzz-reception.js';
import { SUBJECTS } from '../../bench/fuzz-subjects.js';

describe('fuzz', () => {
  it.each(SUBJECTS.map((subject) => [subject.name, subject] as const))(
    '%s: every octet accounted for once, every frame as the line has it, nothing held after a reset',
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

  it.each([
    ['as they come', false],
    ['in order', true],
  ])('the whole way of reception, frames %s, takes anything and says of each octet what became of it', (_, arq) => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const { wrong, octetsBy } = fuzzReception(2000, seededRandom(seed), arq);
        expect(wrong).toBe(0);
        for (const what of ['to the TAP', 'rx-fcs', 'rx-malformed', 'rx-framing', arq ? 'rx-duplicate' : 'rx-fragment'])
          expect(octetsBy[what], what).toBeGreaterThan(0);
      }),
      { numRuns: 10 },
    );
  });
});
