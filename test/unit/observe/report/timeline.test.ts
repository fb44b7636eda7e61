/** Figures over time: nothing gets lost or more, however cells grow. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newFigures } from '../../../../src/observe/report/figures.js';
import { Timeline } from '../../../../src/observe/report/timeline.js';

function figures(attempts: number): ReturnType<typeof newFigures> {
  return { ...newFigures(), attempts, heardMs: new Map([[9, attempts]]) };
}

function sum(timeline: Timeline, station: number): number {
  const cells = timeline.between(station, 0, Number.POSITIVE_INFINITY);
  return cells.reduce((total, [, { attempts }]) => total + attempts, 0);
}

describe('a timeline', () => {
  it('spreads an interval over the seconds that it touches', () => {
    const timeline = new Timeline();
    timeline.add(1, 1500, 3500, figures(20));
    const cells = timeline.between(1, 0, 10_000).map(([startMs, { attempts }]) => [startMs, attempts]);
    expect(cells).toEqual([
      [1000, 5],
      [2000, 10],
      [3000, 5],
    ]);
    expect(timeline.between(1, 2000, 3000)).toHaveLength(1);
    expect(timeline.between(2, 0, 10_000)).toHaveLength(0);
  });

  it('keeps all figures and few cells', () => {
    const interval = fc.record({
      station: fc.integer({ min: 1, max: 3 }),
      startMs: fc.integer({ min: 0, max: 10_000_000 }),
      lengthMs: fc.integer({ min: 1, max: 90_000 }),
      attempts: fc.integer({ min: 0, max: 100 }),
    });
    fc.assert(
      fc.property(fc.array(interval, { maxLength: 60 }), (intervals) => {
        const timeline = new Timeline(50);
        for (const { station, startMs, lengthMs, attempts } of intervals) {
          timeline.add(station, startMs, startMs + lengthMs, figures(attempts));
        }
        for (const station of [1, 2, 3]) {
          const all = intervals.filter((each) => each.station === station);
          expect(sum(timeline, station)).toBeCloseTo(
            all.reduce((total, { attempts }) => total + attempts, 0),
            6,
          );
        }
        const cells = [1, 2, 3].reduce((total, station) => total + timeline.count(station), 0);
        expect(cells).toBeLessThanOrEqual(50);
      }),
    );
  });

  it('moves a station by its offset', () => {
    const timeline = new Timeline();
    timeline.add(1, 5000, 6000, figures(1));
    timeline.add(2, 5000, 6000, figures(2));
    const moved = timeline.shifted(new Map([[2, -3000]]));
    expect(moved.starts).toEqual([2000, 5000]);
    expect(moved.between(2, 2000, 3000)[0]?.[1].attempts).toBe(2);
  });
});
