/** The `channel` line: figures of the interval, in 1 kB however many stations, causes and delays there are. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DROP_CAUSES } from '../../../src/base/drops.js';
import { type ChannelMoment, channelFields, channelMoment } from '../../../src/daemon/channel-summary.js';
import type { MacSnapshot } from '../../../src/mac/ports.js';
import { DurationHistogram, newMacCounters } from '../../../src/mac/statistics.js';
import type { ChannelFields } from '../../../src/observe/events.js';
import { createLog } from '../../../src/observe/log.js';

const RETRIES = 16;
const PRESENT = {
  final: true,
  backPressure: 'native',
  contentionWindow: 1024,
  queue: 1000,
  queueBytes: 1_514_000,
} as const;

interface Seen {
  readonly atUs?: number;
  readonly heardUs?: Readonly<Record<number, number>>;
  readonly unanswered?: Readonly<Record<number, number>>;
  readonly delaysUs?: readonly number[];
  readonly retries?: readonly number[];
  readonly counter?: number;
  readonly drops?: ChannelFields['drops'];
}

function moment(seen: Seen): ChannelMoment {
  const { atUs = 0, heardUs = {}, unanswered = {}, delaysUs = [], retries = [], counter = 0, drops = {} } = seen;
  const delays = new DurationHistogram();
  for (const us of delaysUs) delays.record(us);
  const counters = newMacCounters();
  for (const name of Object.keys(counters) as (keyof typeof counters)[]) counters[name] = counter;
  const neighbours = Object.entries(heardUs).map(([station, airtimeUs]) => ({
    station: Number(station),
    airtimeUs,
    attempts: 2 * (unanswered[Number(station)] ?? 0),
    answered: unanswered[Number(station)] ?? 0,
    lastHeardUs: 0,
    lossRatio: 0,
    missed: 0,
    lost: false,
  }));
  const share = atUs / 10;
  const snapshot: Partial<MacSnapshot> = {
    ...{ busyUs: 3 * share, txUs: 2 * share, stuckUs: share, counters, delays, neighbours, unheard: [] },
    retries: Array.from({ length: RETRIES }, (_, index) => retries[index] ?? 0),
  };
  return channelMoment(snapshot as MacSnapshot, drops, atUs, Date.UTC(2026, 10, 21) + atUs / 1000);
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** What it comes to as a line of the log. */
function lineBytes(fields: ChannelFields): number {
  const lines: string[] = [];
  const output = { write: (line: string) => void lines.push(line) };
  const base = { interface: 'sluice-abcdefgh', station: 254 };
  createLog({ level: 'info', format: 'json', base, output }).info('channel', fields);
  return Buffer.byteLength(lines.join(''));
}

describe('an interval', () => {
  it('has only what is of it', () => {
    const before = moment({
      ...{ atUs: 10_000_000, heardUs: { 3: 1000, 5: 2000 }, counter: 5, drops: { deadline: 3, 'rx-fcs': 1 } },
      ...{ delaysUs: [1000], retries: [4, 1], unanswered: { 3: 1, 5: 1 } },
    });
    const after = moment({
      ...{
        atUs: 20_000_000,
        heardUs: { 3: 1000, 5: 2500, 9: 1_500_000 },
        counter: 12,
        drops: { deadline: 7, 'rx-fcs': 1 },
      },
      ...{ delaysUs: [1000, 30_000, 30_000, 1_000_000], retries: [7, 1, 2], unanswered: { 3: 3, 5: 1 } },
    });
    expect(channelFields(before, after, { ...PRESENT, final: false, queueDelayMs: { p50: 1, p99: 2 } })).toEqual({
      startUnixMs: before.unixMs,
      endUnixMs: after.unixMs,
      busyRatio: 0.3,
      txRatio: 0.2,
      stuckMs: 1000,
      heardMs: { 9: 1500, 5: 0.5 },
      garbled: 7,
      attempts: 7,
      acked: 7,
      unacked: 7,
      answered: { 3: 2 },
      unanswered: { 3: 2 },
      unconfirmed: 7,
      retries: [3, 0, 2],
      backoffs: 7,
      backoffSlots: 7,
      contentionWindow: 1024,
      delayMs: { p50: expect.closeTo(30, -1), p99: expect.closeTo(1000, -2) },
      delayHistogramMs: { 32: 2, 1024: 1 },
      queueDelayMs: { p50: 1, p99: 2 },
      backPressure: 'native',
      queue: 1000,
      queueBytes: 1_514_000,
      drops: { deadline: 4 },
    });
  });

  it('without a frame says nothing of delays', () => {
    const fields = channelFields(moment({}), moment({ atUs: 1_000_000 }), PRESENT);
    expect(fields).toMatchObject({ final: true, heardMs: {}, retries: [], drops: {} });
    for (const name of ['delayMs', 'delayHistogramMs', 'queueDelayMs', 'answered', 'dropsRest', 'heardRest']) {
      expect(fields).not.toHaveProperty(name);
    }
  });
});

describe('the line', () => {
  const station = fc.integer({ min: 1, max: 254 });
  const seen = fc.record({
    atUs: fc.integer({ min: 1_000_000, max: 86_400_000_000 }),
    heardUs: fc.dictionary(station.map(String), fc.integer({ min: 1, max: 86_400_000_000 }), { maxKeys: 254 }),
    unanswered: fc.dictionary(station.map(String), fc.integer({ min: 0, max: 1_000_000 }), { maxKeys: 254 }),
    delaysUs: fc.array(fc.integer({ min: 1, max: 2_000_000_000 }), { maxLength: 200 }),
    retries: fc.array(fc.integer({ min: 0, max: 1_000_000 }), { maxLength: RETRIES }),
    counter: fc.integer({ min: 0, max: 100_000_000 }),
    drops: fc.dictionary(fc.constantFrom(...Object.keys(DROP_CAUSES)), fc.integer({ min: 1, max: 10_000_000 })),
  });

  it('is 1 kB at most, and what is cut off is summed', () => {
    fc.assert(
      fc.property(seen, (after) => {
        const fields = channelFields(moment({}), moment(after), { ...PRESENT, queueDelayMs: { p50: 1e6, p99: 1e6 } });
        expect(lineBytes(fields)).toBeLessThanOrEqual(1024);
        const heard = sum(Object.values(fields.heardMs)) + (fields.heardRest?.ms ?? 0);
        expect(heard).toBeCloseTo(sum(Object.values(after.heardUs)) / 1000, -2);
        expect(sum(Object.values(fields.drops)) + (fields.dropsRest?.frames ?? 0)).toBe(
          sum(Object.values(after.drops)),
        );
        expect(sum(fields.retries)).toBe(sum(after.retries));
        expect(sum(Object.values(fields.delayHistogramMs ?? {}))).toBe(after.delaysUs.length);
      }),
    );
  });

  it('is so with everything at its worst, too', () => {
    const stations = Array.from({ length: 254 }, (_, index) => index + 1);
    const worst = moment({
      atUs: 86_400_000_000,
      heardUs: Object.fromEntries(stations.map((each) => [each, 86_399_999_900 - each])),
      unanswered: Object.fromEntries(stations.map((each) => [each, 9_999_999])),
      delaysUs: Array.from({ length: 22 }, (_, octave) => 1000 * 2 ** octave).flatMap((us) => Array(99).fill(us)),
      retries: Array(RETRIES).fill(9_999_999),
      counter: 999_999_999,
      drops: Object.fromEntries(Object.keys(DROP_CAUSES).map((cause) => [cause, 9_999_999])),
    });
    const fields = channelFields(moment({}), worst, {
      ...PRESENT,
      queueDelayMs: { p50: 999_999.9, p99: 999_999.9 },
      dutyLeftMs: 35_999_999.9,
    });
    expect(lineBytes(fields)).toBeLessThanOrEqual(1024);
    expect(Object.keys(fields.heardMs).length).toBeGreaterThan(0);
  });

  it('names eight of twenty neighbours on an ordinary busy channel', () => {
    const stations = Array.from({ length: 20 }, (_, index) => index + 1);
    const after = moment({
      atUs: 10_000_000,
      heardUs: Object.fromEntries(stations.map((each) => [each, 30_000 * each])),
      unanswered: { 4: 3, 9: 12, 17: 1 },
      delaysUs: [40_000, 80_000, 300_000, 700_000],
      retries: [31, 8, 2, 0, 1],
      counter: 250,
      drops: { 'retry-limit': 2, deadline: 11, 'rx-fcs': 9, 'chatter-mdns': 14, 'chatter-nd': 3 },
    });
    const fields = channelFields(moment({}), after, { ...PRESENT, queueDelayMs: { p50: 812.4, p99: 2140.8 } });
    expect(Object.keys(fields.heardMs)).toHaveLength(8);
    expect(fields.heardRest).toEqual({ stations: 12, ms: sum(stations.slice(0, 12)) * 30 });
    expect(lineBytes(fields)).toBeLessThanOrEqual(1024);
  });
});
