/** The worst minute: found where it is, and explained by what was wrong in it. */
import { describe, expect, it } from 'vitest';
import { type WorstMinute, worstMinute } from '../../../../src/observe/report/worst-minute.js';
import { channel, channels, modest, recordOf, T0_MS } from './crafted-logs.js';

function worstOf(...logs: string[][]): WorstMinute {
  const worst = worstMinute(recordOf(...logs));
  if (worst === undefined) throw new Error('no minute at all');
  return worst;
}

function seconds({ stretch: { fromMs, untilMs } }: WorstMinute): [number, number] {
  return [(fromMs - T0_MS) / 1000, (untilMs - T0_MS) / 1000];
}

/** Half an hour of peace between 1 and 2, but for one minute. */
function peaceBut(
  fromS: number,
  one: Parameters<typeof modest>[1],
  two: Parameters<typeof modest>[1] = {},
): string[][] {
  const within = (atS: number): boolean => atS >= fromS && atS < fromS + 60;
  return [
    channels(1, 0, 1800, (atS) => modest(2, within(atS) ? one : {})),
    channels(2, 0, 1800, (atS) => modest(1, within(atS) ? two : {})),
  ];
}

describe('the worst minute', () => {
  it('is the one with the flood', () => {
    const worst = worstOf(...peaceBut(600, { txRatio: 0.8, queue: 44 }, { busyRatio: 0.8, heardMs: { 1: 8000 } }));
    expect(seconds(worst)).toEqual([600, 660]);
    expect(worst.causes[0]).toMatchObject({ kind: 'flood', stations: [1] });
    expect(worst.summary).toMatch(/^In this minute .*station 1, held 44 packets\.$/);
  });

  it('is the one with the stuck carrier', () => {
    const worst = worstOf(...peaceBut(1730, { stuckMs: 9900 }));
    expect(seconds(worst)).toEqual([1730, 1790]);
    expect(worst.causes[0]).toMatchObject({ kind: 'stuck-carrier', stations: [1] });
  });

  it('is the one with the loss, at any second of it', () => {
    const lossy = {
      attempts: 20,
      acked: 4,
      unacked: 16,
      answered: { 2: 4 },
      unanswered: { 2: 16 },
      drops: { 'retry-limit': 3 },
    } as const;
    const worst = worstOf(...peaceBut(1230, lossy));
    expect(seconds(worst)).toEqual([1230, 1290]);
    expect(worst.causes[0]).toMatchObject({ kind: 'weak', stations: [1] });
    expect(worst.summary).toMatch(/96 went unacknowledged.*Frames dropped: 18\./);
  });

  it('is the one in which a station went deaf, though it hears again later', () => {
    const worst = worstOf(
      ...peaceBut(300, { unacked: 5, acked: 0, answered: {}, unanswered: { 2: 5 } }, { heardMs: {}, answered: {} }),
    );
    expect(seconds(worst)).toEqual([300, 360]);
    expect(worst.causes[0]).toMatchObject({ kind: 'deaf', stations: [2, 1] });
  });

  it('has no cause where nothing is wrong, and is the busiest', () => {
    const worst = worstOf(...peaceBut(900, { txRatio: 0.2 }, { busyRatio: 0.2, heardMs: { 1: 2000 } }));
    expect(seconds(worst)).toEqual([900, 960]);
    expect(worst.causes).toEqual([]);
  });

  it('is all there is of a short log, and nothing of an empty one', () => {
    const worst = worstOf([channel(1, 0), channel(1, 10)]);
    expect(seconds(worst)).toEqual([0, 20]);
    expect(worst.summary).toMatch(/^In these 20 s/);
    expect(worstMinute(recordOf([]))).toBeUndefined();
  });

  it('of a log with longer intervals than a minute is one of those', () => {
    const long = [
      channel(1, 0, modest(2), 1800),
      channel(1, 1800, modest(2, { stuckMs: 900_000 }), 1800),
      channel(1, 3600, {}, 1800),
    ];
    const worst = worstOf(long);
    expect(worst.stretch.fromMs).toBeGreaterThanOrEqual(T0_MS + 1_790_000);
    expect(worst.causes[0]?.kind).toBe('stuck-carrier');
  });
});
