/** Lines of logs, ours and others'. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ChannelLine, parseLine } from '../../../../src/observe/report/parse-line.js';
import { channel, line, T0_MS } from './crafted-logs.js';

function parsedChannel(text: string): ChannelLine {
  const parsed = parseLine(text);
  if (typeof parsed === 'string' || parsed.line.kind !== 'channel') throw new Error(`not a channel line: ${parsed}`);
  return parsed.line;
}

describe('a channel line', () => {
  it('gives times for shares, counts, and tables by station', () => {
    const { startMs, endMs, figures, retries, delays } = parsedChannel(
      channel(3, 0, {
        busyRatio: 0.25,
        txRatio: 0.1,
        stuckMs: 1500,
        heardMs: { 1: 900, 7: 20 },
        heardRest: { stations: 2, ms: 30 },
        answered: { 1: 4 },
        unanswered: { 7: 2 },
        attempts: 9,
        unacked: 3,
        retries: [4, 1],
        contentionWindow: 16,
        queue: 5,
        delayHistogramMs: { 64: 3, inf: 1 },
        drops: { 'retry-limit': 2 },
        dropsRest: { causes: 3, frames: 5 },
        dutyLeftMs: 0,
      }),
    );
    expect([startMs, endMs]).toEqual([T0_MS, T0_MS + 10_000]);
    expect(figures).toMatchObject({ coveredMs: 10_000, busyMs: 2500, txMs: 1000, stuckMs: 1500, heardRestMs: 30 });
    expect(figures).toMatchObject({
      attempts: 9,
      unacked: 3,
      windowMax: 16,
      windowMs: 160_000,
      queueMax: 5,
      dutySpentMs: 10_000,
    });
    expect(figures.heardMs).toEqual(
      new Map([
        [1, 900],
        [7, 20],
      ]),
    );
    expect(figures.answered).toEqual(new Map([[1, 4]]));
    expect(figures.unanswered).toEqual(new Map([[7, 2]]));
    expect(figures.drops).toEqual(
      new Map([
        ['retry-limit', 2],
        ['rarer causes', 5],
      ]),
    );
    expect(retries).toEqual([4, 1]);
    expect(delays).toEqual(
      new Map([
        [64, 3],
        [Number.POSITIVE_INFINITY, 1],
      ]),
    );
  });

  it('is found behind what a service manager writes before it', () => {
    expect(parsedChannel(`<6>Nov 21 07:00:00 hull sluice[12]: ${channel(1, 0)}`).startMs).toBe(T0_MS);
  });

  it('loses what makes no sense, and keeps the rest', () => {
    const wild = JSON.parse(channel(1, 0, { attempts: 7 })) as Record<string, unknown>;
    const { figures, delays } = parsedChannel(
      JSON.stringify({
        ...wild,
        busyRatio: 17,
        txRatio: 'much',
        unacked: -4,
        heardMs: { 255: 10, x: 1, 2: 9e99, 3: null },
        drops: ['a', 2],
        delayHistogramMs: { 3: 1, 64: 2, '1e400': 5 },
      }),
    );
    expect(figures).toMatchObject({ attempts: 7, busyMs: 10_000, txMs: 0, unacked: 0 });
    expect(figures.heardMs).toEqual(
      new Map([
        [2, 10_000],
        [3, 0],
      ]),
    );
    expect([...delays.keys()]).not.toContain(3);
  });
});

describe('any other line', () => {
  it.each([
    ['not-json', 'Linux version 6.1.0'],
    ['not-json', channel(1, 0).slice(0, 200)],
    ['foreign', '{"level":30,"time":1,"msg":"of another program"}'],
    ['foreign', '{"event":"channel","time":1795244400000,"station":900}'],
    ['foreign', '[1,2]'.replace('[', '{"a":[').replace(']', ']}')],
    ['unknown-event', '{"event":"teleported","time":1795244400000,"station":1}'],
    ['unusable', '{"event":"channel","time":1795244400000,"station":1,"busyRatio":0.2}'],
    ['unusable', channel(1, 0, {}, -5)],
  ])('is %s: %s', (reason, text) => {
    expect(parseLine(text)).toBe(reason);
  });

  it('tells what happened', () => {
    const note = (text: string): unknown => {
      const parsed = parseLine(text);
      return typeof parsed === 'string' ? parsed : parsed.line;
    };
    expect(note(line(1, T0_MS, 'stuck-busy', { change: 'end', busyMs: 9 }))).toEqual({
      kind: 'stuck-busy',
      begins: false,
    });
    expect(note(line(1, T0_MS, 'line-lost', { line: '/dev/x', cause: 'gone' }))).toEqual({
      kind: 'line-lost',
      cause: 'gone',
    });
    expect(note(line(1, T0_MS, 'hung', { forMs: 20_000, meaning: '' }))).toEqual({ kind: 'hung', forMs: 20_000 });
  });

  it('never throws, whatever it holds', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc
            .json()
            .map(
              (json) =>
                `{"event":"channel","time":1,"station":2,"startUnixMs":1,"endUnixMs":2,"drops":${json},"heardMs":${json},"retries":${json},"queue":${json}}`,
            ),
        ),
        (text) => {
          parseLine(text);
        },
      ),
    );
  });
});
