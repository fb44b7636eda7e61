/** Figures of a span, from what was said at its two ends. */
import { describe, expect, it } from 'vitest';
import { History, LONG_SPAN_MS, type TopFigures } from '../../../../src/cli/top/figures.js';
import type { BridgeStatus } from '../../../../src/daemon/status.js';
import { neighbour, statusOf } from './statuses.js';

function figuresAfter(...said: BridgeStatus[]): TopFigures {
  const history = new History();
  for (const status of said) history.add(status);
  const figures = history.figures();
  if (figures === undefined) throw new Error('no figures');
  return figures;
}

describe('figures of top', () => {
  it('are none before anything was said', () => {
    expect(new History().figures()).toBeUndefined();
  });

  it('tell of the time since the start at first', () => {
    const figures = figuresAfter(
      statusOf({
        uptimeMs: 10_000,
        mac: { airtimeUs: 1_000_000, busyUs: 6_000_000, attempts: 7 },
        drops: { 'rx-fcs': 2 },
      }),
    );
    expect(figures).toMatchObject({ spanMs: 10_000, longSpanMs: 10_000, now: { own: 0.1, others: 0.6 } });
    expect(figures.now.idle).toBeCloseTo(0.3);
    expect(figures.fresh.attempts).toBe(7);
    expect(figures.drops).toEqual([{ cause: 'rx-fcs', total: 2, fresh: 2 }]);
  });

  it('tell of the latest span, and of all that was said in the last minute', () => {
    const figures = figuresAfter(
      statusOf({ uptimeMs: 10_000, mac: { airtimeUs: 1_000_000, attempts: 7, acked: 3 } }),
      statusOf({ uptimeMs: 12_000, mac: { airtimeUs: 1_000_000, attempts: 8, acked: 4 } }),
      statusOf({ uptimeMs: 14_000, mac: { airtimeUs: 2_000_000, busyUs: 1_000_000, attempts: 10, acked: 5 } }),
    );
    expect(figures).toMatchObject({ spanMs: 2000, longSpanMs: 4000 });
    expect(figures.now).toEqual({ own: 0.5, others: 0.5, idle: 0, stuck: 0 });
    expect(figures.long).toEqual({ own: 0.25, others: 0.25, idle: 0.5, stuck: 0 });
    expect(figures.fresh).toMatchObject({ attempts: 2, acked: 1 });
  });

  it('forget what was said more than a minute ago', () => {
    const said = Array.from({ length: 100 }, (_, i) =>
      statusOf({ uptimeMs: 2000 * i, mac: { airtimeUs: 20_000 * i } }),
    );
    const figures = figuresAfter(...said);
    expect(figures.longSpanMs).toBe(LONG_SPAN_MS);
    expect(figures.long.own).toBeCloseTo(0.01);
  });

  it('keep a span where looks are rarer than that', () => {
    const figures = figuresAfter(
      statusOf({ uptimeMs: 100_000 }),
      statusOf({ uptimeMs: 200_000 }),
      statusOf({ uptimeMs: 300_000, mac: { airtimeUs: 50_000_000 } }),
    );
    expect(figures).toMatchObject({ spanMs: 100_000, now: { own: 0.5 } });
  });

  it('begin anew with a bridge that was started anew', () => {
    const figures = figuresAfter(
      statusOf({ uptimeMs: 90_000, mac: { airtimeUs: 80_000_000, attempts: 500 }, drops: { 'rx-fcs': 9 } }),
      statusOf({ uptimeMs: 1000, mac: { airtimeUs: 100_000, attempts: 1 } }),
    );
    expect(figures).toMatchObject({ spanMs: 1000, now: { own: 0.1 }, fresh: { attempts: 1 }, drops: [] });
  });

  it('never make shares that are none, whatever the clocks say', () => {
    const figures = figuresAfter(
      statusOf({ uptimeMs: 10_000, mac: { airtimeUs: 9_000_000, busyUs: 500 } }),
      statusOf({ uptimeMs: 11_000, mac: { airtimeUs: 11_000_000, busyUs: 0 } }),
    );
    expect(figures.now).toEqual({ own: 1, others: 0, idle: 0, stuck: 0 });
  });

  it('count the time of a stuck carrier neither as busy nor as idle', () => {
    const figures = figuresAfter(
      statusOf({ uptimeMs: 10_000 }),
      statusOf({ uptimeMs: 12_000, mac: { busyUs: 500_000, stuckUs: 1_000_000 } }),
    );
    expect(figures.now).toEqual({ own: 0, others: 0.25, stuck: 0.5, idle: 0.25 });
  });

  it('put the causes first that went on counting', () => {
    const before = statusOf({ drops: { 'chatter-mdns': 50, 'retry-limit': 3 } });
    const after = statusOf({ uptimeMs: 12_000, drops: { 'chatter-mdns': 50, 'retry-limit': 4, 'rx-fcs': 2 } });
    expect(figuresAfter(before, after).drops).toEqual([
      { cause: 'rx-fcs', total: 2, fresh: 2 },
      { cause: 'retry-limit', total: 4, fresh: 1 },
      { cause: 'chatter-mdns', total: 50, fresh: 0 },
    ]);
  });
});

describe('neighbours of top', () => {
  const rows = (parts: Parameters<typeof statusOf>[0]) =>
    Object.fromEntries(figuresAfter(statusOf(parts)).neighbours.map((row) => [row.station, row]));

  it('have the share of the span that their frames took, and loss only once something was sent to them', () => {
    const figures = figuresAfter(
      statusOf({ uptimeMs: 10_000, neighbours: [neighbour(2, { airtimeUs: 5_000_000 })] }),
      statusOf({
        uptimeMs: 12_000,
        neighbours: [neighbour(2, { airtimeUs: 5_100_000 }), neighbour(7, { rssiDbm: -90 })],
      }),
    );
    expect(figures.neighbours).toMatchObject([
      { station: 2, share: 0.05, lossRatio: null, note: '' },
      { station: 7, share: 0, rssiDbm: -90 },
    ]);
  });

  it('that are heard and never answer seem deaf, after more than an attempt or two', () => {
    const {
      2: deaf,
      3: once,
      4: lossy,
    } = rows({
      neighbours: [
        neighbour(2, { attempts: 20, lossRatio: 1 }),
        neighbour(3, { attempts: 2, lossRatio: 1 }),
        neighbour(4, { attempts: 20, lossRatio: 0.5 }),
      ],
    });
    expect([deaf?.note, once?.note, lossy?.note]).toEqual(['deaf to us?', '', '']);
  });

  it('that were sent to and never heard are there, too', () => {
    expect(rows({ neighbours: [neighbour(2)], unheard: [{ station: 9, attempts: 5 }] })[9]).toMatchObject({
      lastHeardMs: null,
      lossRatio: 1,
      attempts: 5,
      note: 'never heard',
    });
  });

  it('that take more than all others and we together are told', () => {
    const neighbours = [neighbour(2, { airtimeUs: 4_000_000 }), neighbour(3, { airtimeUs: 1_000_000 })];
    expect(rows({ neighbours, mac: { airtimeUs: 2_000_000 } })[2]?.note).toBe('takes most');
    expect(rows({ neighbours, mac: { airtimeUs: 3_100_000 } })[2]?.note).toBe('');
    // Most of next to nothing.
    expect(rows({ neighbours: [neighbour(2, { airtimeUs: 1_000_000 })] })[2]?.note).toBe('');
  });
});
