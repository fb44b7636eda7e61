/** Stations whose clocks differ. */
import { describe, expect, it } from 'vitest';
import { airtimeMs } from '../../../../src/observe/report/stretch.js';
import { channel, modest, recordOf, T0_MS } from './crafted-logs.js';

/** Airtime in the interval, without rhyme. */
function burst(interval: number): number {
  return Math.imul(interval + 7, 0x9e3779b1) >>> 20;
}

/** Station 1 sends in bursts, which station 2 hears; the clock of 2 is off by so many seconds. */
function logs(offS: number, intervals = 60): [string[], string[]] {
  const order = Array.from({ length: intervals }, (_, index) => index);
  return [
    order.map((each) => channel(1, 10 * each, modest(2, { txRatio: burst(each) / 10_000 }))),
    order.map((each) => channel(2, 10 * each + offS, modest(1, { heardMs: { 1: burst(each) } }))),
  ];
}

describe('clocks', () => {
  it.each([-86_400, -250, -30, 20, 260, 40_000])('that differ by %i s are put right', (offS) => {
    const { clocks, whole } = recordOf(...logs(offS));
    expect(clocks).toEqual({ reference: 1, offsets: new Map([[2, -1000 * offS]]) });
    expect([...whole.figures.keys()]).toEqual([1, 2]);
    expect(airtimeMs(whole, 1)).toBeGreaterThan(0);
  });

  it('that agree, or cannot be compared, are left alone', () => {
    expect(recordOf(...logs(0)).clocks.offsets.size).toBe(0);
    expect(recordOf(...logs(250, 4)).clocks.offsets.size).toBe(0);
    const again = logs(40).map((lines) => lines.slice(0, 12)) as [string[], string[]];
    const repeated = again.map((lines) =>
      [0, 1, 2].flatMap((round) =>
        lines.map((text) =>
          text.replaceAll(
            /"(time|startUnixMs|endUnixMs)":(\d+)/g,
            (_, key, ms) => `"${key}":${Number(ms) + 120_000 * round}`,
          ),
        ),
      ),
    );
    expect(recordOf(...repeated).clocks.offsets.size).toBe(0);
    const even = [1, 2].map((station) =>
      Array.from({ length: 60 }, (_, each) => channel(station, 10 * each, modest(3 - station))),
    );
    expect(recordOf(...even).clocks.offsets.size).toBe(0);
  });

  it('are not judged by a few bursts that fit by chance', () => {
    const shares = [0, 0, 0, 0, 0, 0.1176, 0, 0, 0, 0, 0.1172, 0];
    const heardMs = [0, 0, 0, 0, 0, 0, 235.2, 0, 0, 0, 0, 235.2];
    const sent = shares.map((txRatio, each) => channel(5, 2 * each, { ...modest(1), txRatio }, 2));
    const heard = heardMs.map((ms, each) => channel(1, 2 * each + 1.3, { ...modest(5), heardMs: { 5: ms } }, 2));
    expect(recordOf(sent, heard).clocks.offsets.size).toBe(0);
  });

  it('that were never set count from 1970, and are put right by the others', () => {
    const { clocks, fromMs } = recordOf(...logs(-T0_MS / 1000 + 30));
    expect(clocks.offsets).toEqual(new Map([[2, T0_MS - 30_000]]));
    expect(fromMs).toBe(T0_MS);
  });

  it('that were set late leave out what came before', () => {
    const [one, two] = logs(0);
    const early = channel(2, -T0_MS / 1000 + 5, modest(1));
    const record = recordOf(one, [early, ...two]);
    expect(record.fromMs).toBe(T0_MS);
    expect(record.whole.figures.get(2)?.coveredMs).toBe(600_000);
  });

  it('that jump to another year leave out the fewer lines', () => {
    const [one] = logs(0);
    const record = recordOf([...one, channel(1, -3e7), channel(1, 3e7)]);
    expect([record.fromMs, record.untilMs]).toEqual([T0_MS, T0_MS + 600_000]);
    expect(record.cellsLeftOut).toBeGreaterThan(0);
  });
});
