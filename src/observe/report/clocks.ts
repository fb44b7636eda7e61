/**
 * Finds by how much the stations' clocks differ: what one station sent, others heard at the same time, whatever their clocks said.
 * The airtime of a sender over time, as its own log has it, is laid over what a listener's log has of it, and moved until both fit.
 */
import type { Timeline } from './timeline.js';

/** What must be added to each station's clock; stations that it is not known of are missing. */
export type ClockOffsets = ReadonlyMap<number, number>;

/** More are not compared: the first ones do. */
const MAX_CELLS = 2000;
/** So many changes of the airtime in either log, and so good a fit (1 is perfect), are no chance. */
const LEAST_CHANGES = 40;
const LEAST_FIT = 0.9;
/** The fit must be better than elsewhere, and than that of the clocks as they are, by this much: traffic may repeat itself. */
const BETTER = 0.1;

export interface ClockCheck {
  readonly offsets: ClockOffsets;
  /** Clock against that of `reference`, in whole cells of the timeline. */
  readonly reference: number | undefined;
}

export function compareClocks(timeline: Timeline): ClockCheck {
  const { stations } = timeline;
  const [reference] = [...stations].sort((left, right) => timeline.count(right) - timeline.count(left) || left - right);
  const offsets = new Map<number, number>();
  if (reference === undefined) return { offsets, reference };
  // From the reference on, by those that are known already.
  const known = new Map([[reference, 0]]);
  for (const [from, fromOffsetMs] of known) {
    for (const station of stations) {
      if (known.has(station)) continue;
      const offsetMs = between(timeline, from, station);
      if (offsetMs === undefined) continue;
      known.set(station, fromOffsetMs + offsetMs);
      if (fromOffsetMs + offsetMs !== 0) offsets.set(station, fromOffsetMs + offsetMs);
    }
  }
  return { offsets, reference };
}

/** What must be added to the clock of `station`, so that it is that of `from`. */
function between(timeline: Timeline, from: number, station: number): number | undefined {
  const sent = bestShift(series(timeline, from, from), series(timeline, station, from));
  const heard = bestShift(series(timeline, from, station), series(timeline, station, station));
  const best = [sent, heard].filter((fit) => fit !== undefined).sort((left, right) => right.fit - left.fit)[0];
  return best === undefined ? undefined : best.shift * timeline.cellMs;
}

/** Airtime of `sender` by cell, as `witness` has it. */
function series(timeline: Timeline, witness: number, sender: number): Map<number, number> {
  const found = new Map<number, number>();
  for (const [startMs, figures] of timeline.between(witness, 0, Number.POSITIVE_INFINITY)) {
    if (found.size >= MAX_CELLS) break;
    found.set(startMs / timeline.cellMs, witness === sender ? figures.txMs : (figures.heardMs.get(sender) ?? 0));
  }
  return found;
}

interface Fit {
  readonly shift: number;
  readonly fit: number;
}

/** By how many cells `moved` must be moved to lie upon `still`; undefined when no place is clearly the right one. */
function bestShift(still: ReadonlyMap<number, number>, moved: ReadonlyMap<number, number>): Fit | undefined {
  const a = dense(still);
  const b = dense(moved);
  if (a === undefined || b === undefined) return undefined;
  const fits: number[] = [];
  for (let at = 1 - b.values.length; at < a.values.length; at++) fits.push(correlation(a.values, b.values, at));
  const fit = Math.max(...fits);
  if (fit < LEAST_FIT) return undefined;
  const firstAt = 1 - b.values.length;
  if ((fits[b.first - a.first - firstAt] ?? 0) >= fit - BETTER) return { shift: 0, fit };
  // Neighbours of the best place are good, too; a place apart must not be.
  const peaks = fits.filter((each, index) => each >= fit - BETTER && (fits[index - 1] ?? 0) < fit - BETTER);
  if (peaks.length > 1) return undefined;
  return { shift: fits.indexOf(fit) + firstAt + a.first - b.first, fit };
}

function dense(sparse: ReadonlyMap<number, number>): { first: number; values: Float64Array } | undefined {
  const keys = [...sparse.keys()];
  const first = Math.min(...keys);
  const length = Math.min(MAX_CELLS, Math.max(...keys) - first + 1);
  if (keys.length < LEAST_CHANGES) return undefined;
  const values = new Float64Array(length);
  for (const [key, value] of sparse) if (key - first < length) values[key - first] = value;
  return { first, values };
}

/** Pearson's, of where the two overlap when `b` begins at index `at` of `a`; 0 when that is too little to tell. */
function correlation(a: Float64Array, b: Float64Array, at: number): number {
  const from = Math.max(0, at);
  const until = Math.min(a.length, at + b.length);
  const n = until - from;
  if (n < Math.max(LEAST_CHANGES, Math.min(a.length, b.length) / 2)) return 0;
  let [sumA, sumB, sumAA, sumBB, sumAB] = [0, 0, 0, 0, 0];
  let [changesA, changesB] = [0, 0];
  for (let index = from; index < until; index++) {
    const x = a[index] ?? 0;
    const y = b[index - at] ?? 0;
    if (index > from && x !== a[index - 1]) changesA++;
    if (index > from && y !== b[index - at - 1]) changesB++;
    sumA += x;
    sumB += y;
    sumAA += x * x;
    sumBB += y * y;
    sumAB += x * y;
  }
  const spread = (sumAA - (sumA * sumA) / n) * (sumBB - (sumB * sumB) / n);
  return Math.min(changesA, changesB) < LEAST_CHANGES || spread <= 0
    ? 0
    : (sumAB - (sumA * sumB) / n) / Math.sqrt(spread);
}
