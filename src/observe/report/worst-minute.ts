/** Finds the minute in which most went wrong, and says why. */
import type { Cause } from './cause.js';
import { causesOf } from './causes.js';
import type { ChannelRecord } from './channel-record.js';
import { sumOf } from './figures.js';
import { coveredMs, occupancy, type Stretch } from './stretch.js';
import { count, duration, percent } from './words.js';

/** Kept off the air on purpose, or of no use to anybody: no harm done. */
const HARMLESS = /^(chatter-.*|rx-duplicate|rx-not-for-us|rx-other|shutdown)$/;
const MINUTE_MS = 60_000;
const STEP_MS = 10_000;

export interface WorstMinute {
  readonly stretch: Stretch;
  /** Worst first; empty when nothing was wrong. */
  readonly causes: readonly Cause[];
  /** What it cost, in a sentence. */
  readonly summary: string;
}

/** @returns undefined for a record without a single cell */
export function worstMinute(record: ChannelRecord): WorstMinute | undefined {
  const { cellMs, starts } = record.timeline;
  if (starts.length === 0) return undefined;
  const lengthMs = Math.max(MINUTE_MS, cellMs);
  const stepMs = Math.max(STEP_MS, cellMs);
  const lastMs = record.untilMs - lengthMs;
  const froms = new Set(starts.map((startMs) => Math.floor(Math.min(startMs, lastMs) / stepMs) * stepMs));
  froms.add(record.fromMs);
  let worst: { stretch: Stretch; score: number } | undefined;
  for (const fromMs of froms) {
    if (fromMs < record.fromMs) continue;
    const stretch = record.stretch(fromMs, Math.min(fromMs + lengthMs, record.untilMs));
    // Shares of a little are easily great ones.
    const weight = coveredMs(stretch) / lengthMs;
    const score = weight * (sumOf(causesOf(stretch).map((cause) => cause.weight)) + harm(stretch));
    if (worst === undefined || score > worst.score) worst = { stretch, score };
  }
  if (worst === undefined) return undefined;
  const { stretch } = worst;
  return { stretch, causes: causesOf(stretch), summary: summary(stretch) };
}

interface Tally {
  readonly attempts: number;
  readonly unacked: number;
  readonly done: number;
  readonly dropped: number;
}

function tally(stretch: Stretch): Tally {
  const all = [...stretch.figures.values()];
  const dropped = all.map(({ drops }) =>
    sumOf([...drops].map(([cause, frames]) => (HARMLESS.test(cause) ? 0 : frames))),
  );
  return {
    attempts: sumOf(all.map(({ attempts }) => attempts)),
    unacked: sumOf(all.map(({ unacked }) => unacked)),
    done: sumOf(all.map(({ acked, unconfirmed }) => acked + unconfirmed)),
    dropped: sumOf(dropped),
  };
}

/** Shares of attempts and frames that came to nothing, and a little for the load, which decides between two good minutes. */
function harm(stretch: Stretch): number {
  const { attempts, unacked, done, dropped } = tally(stretch);
  const lost = dropped > 0 ? dropped / (dropped + done) : 0;
  return (attempts > 0 ? unacked / attempts : 0) + lost + 0.1 * Math.min(1, occupancy(stretch));
}

function summary(stretch: Stretch): string {
  const { attempts, unacked, dropped } = tally(stretch);
  const lengthMs = stretch.untilMs - stretch.fromMs;
  const sentences = [
    `In ${lengthMs === MINUTE_MS ? 'this minute' : `these ${duration(lengthMs)}`} somebody was sending for ${percent(Math.min(1, occupancy(stretch)))} of the time.`,
  ];
  if (attempts >= 1) {
    const all = `Of ${count(attempts)} attempts`;
    sentences.push(unacked < 0.5 ? `${all}, all were acknowledged.` : `${all}, ${count(unacked)} went unacknowledged.`);
  }
  if (dropped >= 0.5) sentences.push(`Frames dropped: ${count(dropped)}.`);
  const [longest] = [...stretch.figures].sort(([, left], [, right]) => right.queueMax - left.queueMax);
  if (longest !== undefined && longest[1].queueMax > 0) {
    sentences.push(`The longest queue, at station ${longest[0]}, held ${count(longest[1].queueMax)} packets.`);
  }
  return sentences.join(' ');
}
