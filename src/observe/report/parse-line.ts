/**
 * One line of a log, read without trust: it may be cut off, of another version or program, or put together by somebody who
 * wants to do harm. What comes out has the types of events.ts as far as the report needs them; everything else is left behind.
 */
import { addTo, BY_STATION, type Figures, newFigures } from './figures.js';

export type SkipReason = 'not-json' | 'truncated' | 'too-long' | 'foreign' | 'unknown-event' | 'unusable';

/** What each reason means, for the page. */
export const SKIP_REASONS: Readonly<Record<SkipReason, string>> = {
  'not-json': 'not JSON',
  truncated: 'last line of a file, cut off',
  'too-long': 'longer than any line of ours',
  foreign: 'JSON, but not a line of sluice: no event, station or time',
  'unknown-event': 'an event that this version does not know',
  unusable: 'a channel line without what this version needs, as older versions wrote',
};

export interface ChannelLine {
  readonly kind: 'channel';
  readonly startMs: number;
  readonly endMs: number;
  readonly figures: Figures;
  /** Frames acknowledged after so many repetitions. */
  readonly retries: readonly number[];
  /** Upper bound in milliseconds (infinite for the last) to frames. */
  readonly delays: ReadonlyMap<number, number>;
}

export type NoteLine =
  | { readonly kind: 'ready' | 'line-open' | 'address-conflict' | 'other' }
  | { readonly kind: 'stopped'; readonly queueLost: number }
  | { readonly kind: 'line-lost'; readonly cause: string }
  | { readonly kind: 'back-pressure'; readonly mode: string }
  | { readonly kind: 'back-pressure-leak'; readonly tapDropped: number; readonly qdiscDropped: number }
  | { readonly kind: 'stuck-busy'; readonly begins: boolean }
  | { readonly kind: 'hung'; readonly forMs: number };

export interface ParsedLine {
  readonly station: number;
  readonly timeMs: number;
  readonly interface: string;
  /** Lines like this one that were left out of the log. */
  readonly repeats: number;
  readonly line: ChannelLine | NoteLine;
}

/** Lines that the log may hold and the report has no use for. */
const OTHER_EVENTS = new Set([
  ...['line-retry', 'neighbour', 'drop', 'frame', 'interface', 'interface-lost', 'queue-adopted', 'queue-lost'],
  ...['privilege', 'host-latency', 'control-kept', 'modem'],
]);
/** The greatest station number of a link frame; 255 is broadcast. */
const MAX_STATION = 254;
/** 2100: later times are nonsense, and would stretch the axis. */
const MAX_TIME_MS = 4_102_444_800_000;
/** No log has channel lines as rare as this. */
const MAX_INTERVAL_MS = 7 * 86_400_000;
const MAX_RETRIES = 64;
const MAX_TEXT = 200;
const MAX_CAUSES = 64;
/** Causes that the line had no room for. */
const REST_OF_DROPS = 'rarer causes';

type Fields = Readonly<Record<string, unknown>>;

export function parseLine(text: string): ParsedLine | SkipReason {
  // A service manager or container may have put its own words before ours.
  const begin = text.indexOf('{');
  if (begin < 0) return 'not-json';
  let parsed: unknown;
  try {
    parsed = JSON.parse(begin === 0 ? text : text.slice(begin));
  } catch {
    return 'not-json';
  }
  const fields = asFields(parsed);
  const { station, event } = fields;
  const timeMs = asTime(fields.time);
  if (typeof event !== 'string' || timeMs === undefined || !isStation(station)) return 'foreign';
  const line = event === 'channel' ? channelLine(fields) : noteLine(event, fields);
  if (typeof line === 'string') return line;
  return { station, timeMs, interface: asText(fields.interface), repeats: count(fields.repeats), line };
}

function channelLine(fields: Fields): ChannelLine | SkipReason {
  const startMs = asTime(fields.startUnixMs);
  const endMs = asTime(fields.endUnixMs);
  if (startMs === undefined || endMs === undefined) return 'unusable';
  const coveredMs = endMs - startMs;
  if (coveredMs <= 0 || coveredMs > MAX_INTERVAL_MS) return 'unusable';
  const figures = newFigures();
  figures.coveredMs = coveredMs;
  figures.busyMs = share(fields.busyRatio) * coveredMs;
  figures.txMs = share(fields.txRatio) * coveredMs;
  figures.stuckMs = Math.min(coveredMs, count(fields.stuckMs));
  figures.heardRestMs = Math.min(coveredMs, count(asFields(fields.heardRest).ms));
  for (const name of ['garbled', 'attempts', 'acked', 'unacked', 'unconfirmed', 'backoffs', 'backoffSlots'] as const) {
    figures[name] = count(fields[name]);
  }
  figures.windowMax = count(fields.contentionWindow);
  figures.windowMs = figures.windowMax * coveredMs;
  figures.queueMax = count(fields.queue);
  for (const name of BY_STATION) {
    const most = name === 'heardMs' ? coveredMs : Number.POSITIVE_INFINITY;
    for (const [key, value] of Object.entries(asFields(fields[name]))) {
      const station = /^\d{1,3}$/.test(key) ? Number(key) : 0;
      if (isStation(station)) figures[name].set(station, Math.min(most, count(value)));
    }
  }
  if (fields.dutyLeftMs === 0) figures.dutySpentMs = coveredMs;
  for (const [cause, value] of Object.entries(asFields(fields.drops)).slice(0, MAX_CAUSES)) {
    addTo(figures.drops, cause.slice(0, MAX_TEXT), count(value));
  }
  const rest = count(asFields(fields.dropsRest).frames);
  if (rest > 0) addTo(figures.drops, REST_OF_DROPS, rest);
  const retries = Array.isArray(fields.retries) ? fields.retries.slice(0, MAX_RETRIES).map(count) : [];
  return { kind: 'channel', startMs, endMs, figures, retries, delays: delays(fields.delayHistogramMs) };
}

function delays(value: unknown): ReadonlyMap<number, number> {
  const histogram = new Map<number, number>();
  for (const [key, frames] of Object.entries(asFields(value))) {
    const boundMs = key === 'inf' ? Number.POSITIVE_INFINITY : Number(key);
    const isPowerOfTwo = boundMs >= 1 && Number.isInteger(Math.log2(boundMs)) && boundMs <= 2 ** 30;
    if (isPowerOfTwo || boundMs === Number.POSITIVE_INFINITY) histogram.set(boundMs, count(frames));
  }
  return histogram;
}

function noteLine(event: string, fields: Fields): NoteLine | SkipReason {
  switch (event) {
    case 'ready':
    case 'line-open':
    case 'address-conflict':
      return { kind: event };
    case 'stopped':
      return { kind: event, queueLost: count(asFields(fields.queue).lost) };
    case 'line-lost':
      return { kind: event, cause: asText(fields.cause) };
    case 'back-pressure':
      return { kind: event, mode: asText(fields.mode) };
    case 'back-pressure-leak':
      return { kind: event, tapDropped: count(fields.tapDropped), qdiscDropped: count(fields.qdiscDropped) };
    case 'stuck-busy':
      return { kind: event, begins: fields.change !== 'end' };
    case 'hung':
      return { kind: event, forMs: count(fields.forMs) };
    default:
      return OTHER_EVENTS.has(event) ? { kind: 'other' } : 'unknown-event';
  }
}

function asFields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, MAX_TEXT) : '';
}

/** Milliseconds, or an ISO date, which is pino's other form. */
function asTime(value: unknown): number | undefined {
  const ms = typeof value === 'string' && value.length < 40 ? Date.parse(value) : value;
  return typeof ms === 'number' && ms >= 0 && ms <= MAX_TIME_MS ? ms : undefined;
}

function isStation(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_STATION;
}

/** Anything that is no count counts nothing; sums of the greatest still are exact enough. */
function count(value: unknown): number {
  return typeof value === 'number' && value > 0 ? Math.min(value, 1e12) : 0;
}

function share(value: unknown): number {
  return Math.min(1, count(value));
}
