/** What is summed up of one station's log: for a stretch of time, or for all of it. Shares are worked out at the end, from these. */

/** Plain sums. `...Ms` are times within `coveredMs`. */
const SUMS = [
  /** Time that the log has a `channel` line for. */
  'coveredMs',
  /** Others were sensed. */
  'busyMs',
  /** We transmitted. */
  'txMs',
  /** A carrier was sensed that was no longer believed. */
  'stuckMs',
  /** Airtime of stations that were understood and are not in `heardMs`. */
  'heardRestMs',
  'garbled',
  'attempts',
  'acked',
  'unacked',
  'unconfirmed',
  'backoffs',
  'backoffSlots',
  /** Contention window times the time for which it was told: over `coveredMs` it is the mean. */
  'windowMs',
  /** Intervals at whose end the duty limit allowed no airtime any more. */
  'dutySpentMs',
] as const;

export type Sum = (typeof SUMS)[number];

/** What is told by station. */
export const BY_STATION = ['heardMs', 'answered', 'unanswered'] as const;

export interface Figures extends Record<Sum, number> {
  /** Longest contention window, in slots, and longest queue, in packets. */
  windowMax: number;
  queueMax: number;
  /** Airtime of frames that were understood, by sender. */
  readonly heardMs: Map<number, number>;
  /** Exchanges that were answered or not, by the station they were for. */
  readonly answered: Map<number, number>;
  readonly unanswered: Map<number, number>;
  readonly drops: Map<string, number>;
}

/** All of one shape, with nothing computed: there are many of them. */
export function newFigures(): Figures {
  return {
    coveredMs: 0,
    busyMs: 0,
    txMs: 0,
    stuckMs: 0,
    heardRestMs: 0,
    garbled: 0,
    attempts: 0,
    acked: 0,
    unacked: 0,
    unconfirmed: 0,
    backoffs: 0,
    backoffSlots: 0,
    windowMs: 0,
    dutySpentMs: 0,
    windowMax: 0,
    queueMax: 0,
    heardMs: new Map(),
    answered: new Map(),
    unanswered: new Map(),
    drops: new Map(),
  };
}

/** Adds a share (0 to 1) of `source` to `target`; what is a maximum stays whole. */
export function addFigures(target: Figures, source: Figures, share = 1): void {
  for (const name of SUMS) target[name] += source[name] * share;
  target.windowMax = Math.max(target.windowMax, source.windowMax);
  target.queueMax = Math.max(target.queueMax, source.queueMax);
  for (const name of BY_STATION) {
    for (const [station, amount] of source[name]) addTo(target[name], station, amount * share);
  }
  for (const [cause, count] of source.drops) addTo(target.drops, cause, count * share);
}

export function addTo<Key>(counts: Map<Key, number>, key: Key, amount: number): void {
  counts.set(key, (counts.get(key) ?? 0) + amount);
}

export function sumOf(values: Iterable<number>): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

/** Airtime that the sender is known of. */
export function understoodMs(figures: Figures): number {
  return figures.heardRestMs + sumOf(figures.heardMs.values());
}
