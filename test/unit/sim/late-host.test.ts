/** Late timers for tests: never early, never out of order. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import { lateScheduler } from '../../../src/sim/late-host.js';
import { VirtualTime } from '../../../src/sim/virtual-time.js';

it('runs calls late by up to the draw, and those scheduled in order of time in that order', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1000)), fc.nat(), (gaps, seed) => {
      const time = new VirtualTime();
      const random = seededRandom(seed);
      const late = lateScheduler(time, () => random.below(5000));
      const seen: [number, number, number][] = [];
      let dueUs = 0;
      for (const [index, gap] of gaps.entries()) {
        dueUs += gap;
        const askedUs = dueUs;
        late.at(askedUs, () => seen.push([index, askedUs, late.nowUs()]));
      }
      time.runAll();
      expect(seen.map(([index]) => index)).toEqual(gaps.map((_, index) => index));
      for (const [, askedUs, ranUs] of seen) {
        expect(ranUs).toBeGreaterThanOrEqual(askedUs);
        expect(ranUs).toBeLessThan(askedUs + 5000);
      }
    }),
  );
});
