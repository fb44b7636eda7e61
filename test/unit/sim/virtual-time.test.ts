/** Virtual time: order, cancelling, and the promise that equal times keep the order of scheduling. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VirtualTime } from '../../../src/sim/virtual-time.js';

describe('VirtualTime', () => {
  it('runs calls by time, and calls of one time in the order of scheduling', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 200 }), (times) => {
        const time = new VirtualTime();
        const seen: [number, number][] = [];
        for (const [index, atUs] of times.entries()) time.at(atUs, () => seen.push([time.nowUs(), index]));
        time.runAll();
        const expected = times.map((atUs, index): [number, number] => [atUs, index]);
        expected.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
        expect(seen).toEqual(expected);
      }),
    );
  });

  it('keeps order with cancellations and calls that schedule calls', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ at: fc.nat(50), cancel: fc.boolean(), again: fc.nat(5) }), { maxLength: 100 }),
        (plan) => {
          const time = new VirtualTime();
          const seen: number[] = [];
          const cancels = plan.map(({ at, again }) =>
            time.at(at, () => {
              seen.push(time.nowUs());
              time.at(time.nowUs() + again, () => seen.push(time.nowUs()));
            }),
          );
          plan.forEach(({ cancel }, index) => {
            if (cancel) cancels[index]?.();
          });
          time.runAll();
          expect(seen).toEqual([...seen].sort((a, b) => a - b));
          expect(seen.length).toBe(2 * plan.filter(({ cancel }) => !cancel).length);
        },
      ),
    );
  });

  it('never calls back from within at, and runs what is past at once, not before now', () => {
    const time = new VirtualTime(1000);
    const seen: number[] = [];
    time.at(5, () => seen.push(time.nowUs()));
    expect(seen).toEqual([]);
    time.runUntil(1000);
    expect(seen).toEqual([1000]);
  });

  it('rounds a fraction up: never before the time asked for', () => {
    const time = new VirtualTime();
    let ranAtUs = -1;
    time.at(2.25, () => {
      ranAtUs = time.nowUs();
    });
    time.runUntil(2);
    expect(ranAtUs).toBe(-1);
    time.runUntil(3);
    expect(ranAtUs).toBe(3);
  });

  it('leaves the clock at the end of the run, and runs what is due exactly then', () => {
    const time = new VirtualTime();
    let ran = 0;
    time.at(100, () => ran++);
    time.at(101, () => ran++);
    time.runFor(100);
    expect([ran, time.nowUs(), time.nextDueUs]).toEqual([1, 100, 101]);
    time.runUntil(50);
    expect(time.nowUs()).toBe(100);
  });

  it('cancelling twice, or after the call ran, does nothing, even amid a sweep', () => {
    const time = new VirtualTime();
    let ran = 0;
    const cancels = Array.from({ length: 20_000 }, (_, i) => time.at(i % 977, () => ran++));
    cancels.forEach((cancel, i) => {
      if (i % 4 !== 0) {
        cancel();
        cancel();
      }
    });
    time.runAll();
    expect(ran).toBe(5000);
    for (const cancel of cancels) cancel();
    expect(time.nextDueUs).toBeUndefined();
    time.at(2000, () => ran++);
    expect(time.nextDueUs).toBe(2000);
    time.runAll();
    expect(ran).toBe(5001);
  });

  it('refuses a time that is not a number', () => {
    expect(() => new VirtualTime().at(Number.NaN, () => {})).toThrow(/not a number/);
  });
});
