/** A stretch of time as all stations saw it, and who hears whom in it. */
import { type Figures, understoodMs } from './figures.js';
import type { Note } from './log-book.js';

export interface Stretch {
  readonly fromMs: number;
  readonly untilMs: number;
  /** Of the stations that have a log that covers some of it. */
  readonly figures: ReadonlyMap<number, Figures>;
  readonly notes: ReadonlyMap<number, readonly Note[]>;
}

/** Less airtime than this, or fewer attempts, may have been missed by chance. */
const TELLING_MS = 300;
const TELLING_ATTEMPTS = 3;
/** Whose receiver is blocked for longer than this share of the time is not called deaf besides. */
const BLOCKED_SHARE = 0.5;

/** All that sent, whether there is a log of theirs or not, by number. */
export function senders(stretch: Stretch): number[] {
  const found = new Set<number>();
  for (const [station, figures] of stretch.figures) {
    if (figures.txMs > 0) found.add(station);
    for (const [heard, ms] of figures.heardMs) if (ms > 0) found.add(heard);
  }
  return [...found].sort((left, right) => left - right);
}

/** Airtime of a station: as its own log has it, or as the one says that heard most of it. */
export function airtimeMs(stretch: Stretch, station: number): number {
  const own = stretch.figures.get(station);
  if (own !== undefined) return own.txMs;
  return Math.max(0, ...[...stretch.figures.values()].map(({ heardMs }) => heardMs.get(station) ?? 0));
}

/** Share of the time in which somebody sent; more than 1 where they sent at the same time. */
export function occupancy(stretch: Stretch): number {
  const lengthMs = Math.max(1, coveredMs(stretch));
  return senders(stretch).reduce((sum, station) => sum + airtimeMs(stretch, station), 0) / lengthMs;
}

/** What the log that covers most of the stretch covers. */
export function coveredMs(stretch: Stretch): number {
  return Math.max(0, ...[...stretch.figures.values()].map((figures) => figures.coveredMs));
}

/** Time in which a carrier was sensed that came to nothing: no frame of it was understood. */
export function strangeMs(figures: Figures): number {
  return Math.max(0, figures.busyMs - understoodMs(figures));
}

export function stuckShare(figures: Figures): number {
  return figures.coveredMs > 0 ? figures.stuckMs / figures.coveredMs : 0;
}

/** Share of the time in which a carrier was sensed that no frame came of, believed or not. */
export function blockedShare(figures: Figures): number {
  return figures.coveredMs > 0 ? (figures.stuckMs + strangeMs(figures)) / figures.coveredMs : 0;
}

/** Whether `listener` hears `sender`; null when the logs do not tell. */
export function hears(stretch: Stretch, listener: number, sender: number): boolean | null {
  const there = stretch.figures.get(listener);
  const here = stretch.figures.get(sender);
  if ((there?.heardMs.get(sender) ?? 0) > 0 || (here?.answered.get(listener) ?? 0) > 0) return true;
  if (there === undefined || there.heardRestMs > 0 || blockedShare(there) > BLOCKED_SHARE) return null;
  if (there.coveredMs < coveredMs(stretch) / 2) return null;
  if (here !== undefined && here.attempts < TELLING_ATTEMPTS) return null;
  return airtimeMs(stretch, sender) >= TELLING_MS ? false : null;
}
