/**
 * The `channel` line of the log: figures since the start, taken at two moments, made into those of the interval between
 * them, and cut so that the line stays short however many stations, causes and delays there are.
 */
import type { DropCause } from '../base/drops.js';
import type { MacSnapshot } from '../mac/ports.js';
import { DurationHistogram, type MacCounters } from '../mac/statistics.js';
import {
  type BackPressureName,
  type ChannelFields,
  DELAY_BOUND_MAX_MS,
  type DelayMs,
  HEARD_STATIONS_MAX,
} from '../observe/events.js';
import { milliseconds, ratio } from './status.js';

/** A line is 1 kB at most. What the log itself writes (level, time, interface, station, event) takes a tenth of it. */
const FIELDS_MAX_BYTES = 1024 - 112;

type Drops = Readonly<Partial<Record<DropCause, number>>>;

/** Figures since the start at one moment; a copy. */
export interface ChannelMoment {
  readonly atUs: number;
  readonly unixMs: number;
  readonly busyUs: number;
  readonly txUs: number;
  readonly stuckUs: number;
  readonly counters: Readonly<MacCounters>;
  readonly retries: readonly number[];
  /** By bucket of DurationHistogram. */
  readonly delays: Float64Array;
  readonly heardUs: ReadonlyMap<number, number>;
  readonly answered: ReadonlyMap<number, number>;
  readonly unanswered: ReadonlyMap<number, number>;
  readonly drops: Drops;
}

export function channelMoment(mac: MacSnapshot, drops: Drops, atUs: number, unixMs: number): ChannelMoment {
  const { busyUs, txUs, stuckUs } = mac;
  const stations = [...mac.neighbours, ...mac.unheard];
  return {
    ...{ atUs, unixMs, busyUs, txUs, stuckUs, drops },
    counters: { ...mac.counters },
    retries: [...mac.retries],
    delays: mac.delays.counts.slice(),
    heardUs: new Map(stations.map(({ station, airtimeUs }) => [station, airtimeUs])),
    answered: new Map(stations.map(({ station, answered }) => [station, answered])),
    unanswered: new Map(stations.map(({ station, attempts, answered }) => [station, attempts - answered])),
  };
}

/** What is not of the interval, but of its end. */
export interface ChannelPresent {
  readonly final: boolean;
  readonly backPressure: BackPressureName;
  readonly contentionWindow: number;
  readonly queue: number;
  readonly queueBytes: number;
  readonly queueDelayMs?: DelayMs | undefined;
  readonly dutyLeftMs?: number | undefined;
}

/** As much as fits: in the worst case, of each list only the first. */
export function channelFields(before: ChannelMoment, after: ChannelMoment, present: ChannelPresent): ChannelFields {
  for (let names = HEARD_STATIONS_MAX; ; names--) {
    const fields = cutTo(names, before, after, present);
    if (names === 1 || Buffer.byteLength(JSON.stringify(fields)) <= FIELDS_MAX_BYTES) return fields;
  }
}

function cutTo(names: number, before: ChannelMoment, after: ChannelMoment, present: ChannelPresent): ChannelFields {
  const spanUs = after.atUs - before.atUs;
  const { final, contentionWindow, queue, queueBytes, queueDelayMs, backPressure, dutyLeftMs } = present;
  const count = (name: keyof MacCounters): number => after.counters[name] - before.counters[name];
  const [heard, heardRest] = longest(freshOf(before.heardUs, after.heardUs), names);
  const [answered] = longest(freshOf(before.answered, after.answered), names);
  const [unanswered] = longest(freshOf(before.unanswered, after.unanswered), names);
  const causes = freshOf(new Map(Object.entries(before.drops)), new Map(Object.entries(after.drops)));
  const [drops, dropsRest] = longest(causes, 3 * names);
  const delays = after.delays.map((value, bucket) => value - (before.delays[bucket] ?? 0));
  const delayMs = percentiles(delays);
  const stuckMs = milliseconds(after.stuckUs - before.stuckUs);
  return {
    startUnixMs: before.unixMs,
    endUnixMs: after.unixMs,
    ...(final ? { final } : {}),
    busyRatio: ratio(after.busyUs - before.busyUs, spanUs),
    txRatio: ratio(after.txUs - before.txUs, spanUs),
    ...(stuckMs > 0 ? { stuckMs } : {}),
    heardMs: Object.fromEntries(heard.map(([station, us]) => [station, milliseconds(us)])),
    ...(heardRest.size > 0 ? { heardRest: { stations: heardRest.size, ms: milliseconds(heardRest.sum) } } : {}),
    garbled: count('garbled'),
    attempts: count('attempts'),
    acked: count('acked'),
    unacked: count('unacked'),
    ...(answered.length > 0 ? { answered: Object.fromEntries(answered) } : {}),
    ...(unanswered.length > 0 ? { unanswered: Object.fromEntries(unanswered) } : {}),
    unconfirmed: count('unconfirmed'),
    retries: shortened(
      after.retries.map((value, index) => value - (before.retries[index] ?? 0)),
      2 * names,
    ),
    backoffs: count('backoffs'),
    backoffSlots: count('backoffSlots'),
    contentionWindow,
    ...(delayMs === undefined ? {} : { delayMs, delayHistogramMs: octaves(delays, 3 * names) }),
    ...(queueDelayMs === undefined ? {} : { queueDelayMs }),
    backPressure,
    queue,
    queueBytes,
    drops: Object.fromEntries(drops) as Drops,
    ...(dropsRest.size > 0 ? { dropsRest: { causes: dropsRest.size, frames: dropsRest.sum } } : {}),
    ...(dutyLeftMs === undefined ? {} : { dutyLeftMs }),
  };
}

/** What was added to each, where something was. */
function freshOf<Key>(before: ReadonlyMap<Key, number>, after: ReadonlyMap<Key, number>): [Key, number][] {
  return [...after]
    .map(([key, value]): [Key, number] => [key, value - (before.get(key) ?? 0)])
    .filter(([, value]) => value > 0);
}

/** The greatest ones, and how many others there are with what sum. */
function longest<Key>(values: [Key, number][], limit: number): [[Key, number][], { size: number; sum: number }] {
  const sorted = values.sort(([, left], [, right]) => right - left);
  const rest = sorted.slice(limit);
  return [sorted.slice(0, limit), { size: rest.length, sum: rest.reduce((sum, [, value]) => sum + value, 0) }];
}

/** Without trailing zeros; what is too many is added to the last one. */
function shortened(counts: readonly number[], limit: number): number[] {
  const short = counts.slice(0, limit);
  short[limit - 1] = counts.slice(limit - 1).reduce((sum, value) => sum + value, 0);
  while (short.at(-1) === 0) short.pop();
  return short;
}

/** Undefined when there were none. Off by a tenth at most, like the buckets. */
function percentiles(counts: Float64Array): DelayMs | undefined {
  const total = counts.reduce((sum, value) => sum + value, 0);
  if (total === 0) return undefined;
  const at = (share: number): number => {
    let below = 0;
    const bucket = counts.findIndex((value) => {
      below += value;
      return below >= share * total;
    });
    const boundMs = DurationHistogram.boundUs(bucket) / 1000;
    return Number(Math.min(boundMs, DELAY_BOUND_MAX_MS).toPrecision(3));
  };
  return { p50: at(0.5), p99: at(0.99) };
}

/** Buckets of a whole octave, bounds in milliseconds; the rarest are added to the one above where there are too many. */
function octaves(counts: Float64Array, limit: number): Record<string, number> {
  const sums = new Map<number, number>();
  counts.forEach((value, bucket) => {
    if (value === 0) return;
    const boundMs = DurationHistogram.boundUs(bucket) / 1000;
    // A millisecond is the first bound; the tolerance is for what the logarithm of a power of two may be off.
    const octave = Math.max(1, 2 ** Math.ceil(Math.log2(boundMs) - 1e-6));
    sums.set(octave, (sums.get(octave) ?? 0) + value);
  });
  while (sums.size > limit) {
    const [rarest] = [...sums].slice(0, -1).sort(([, left], [, right]) => left - right);
    const above = [...sums.keys()].find((bound) => rarest !== undefined && bound > rarest[0]);
    if (rarest === undefined || above === undefined) break;
    sums.delete(rarest[0]);
    sums.set(above, (sums.get(above) ?? 0) + rarest[1]);
  }
  return Object.fromEntries([...sums].map(([bound, value]) => [Number.isFinite(bound) ? bound : 'inf', value]));
}
