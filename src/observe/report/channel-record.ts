/** What the logs say of the channel over time: stretches of it, cut from the figures and the events of all stations. */
import { type ClockCheck, compareClocks } from './clocks.js';
import { addFigures, type Figures, newFigures } from './figures.js';
import { EPOCH_MS, type LogBook, type Note } from './log-book.js';
import type { Stretch } from './stretch.js';
import type { Timeline } from './timeline.js';

/** A silence of the logs that is longer than this, and than all that they cover, is a wrong clock or another day. */
const APART_MS = 6 * 3_600_000;

export class ChannelRecord {
  readonly timeline: Timeline;
  readonly clocks: ClockCheck;
  /** Begin and end of all that is covered, in Unix time. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** Cells that were left out, because they are far apart from most others. */
  readonly cellsLeftOut: number;
  readonly #notes = new Map<number, Note[]>();

  constructor(book: LogBook) {
    const { timeline } = book;
    for (const { station, clockUnset, lastMs } of book.stations) {
      // What it wrote before its clock was set has no place among the rest.
      if (clockUnset > 0 && lastMs >= EPOCH_MS) timeline.keep(EPOCH_MS, Number.POSITIVE_INFINITY, station);
    }
    this.clocks = compareClocks(timeline);
    const { offsets } = this.clocks;
    this.timeline = timeline.shifted(offsets);
    const { fromMs, untilMs, leftOut } = mainSpan(this.timeline);
    this.fromMs = fromMs;
    this.untilMs = untilMs;
    this.cellsLeftOut = leftOut;
    if (leftOut > 0) this.timeline.keep(fromMs, untilMs);
    for (const { station, notes } of book.stations) {
      const offsetMs = offsets.get(station) ?? 0;
      const shifted = notes.map(({ atMs, note }) => ({ atMs: atMs + offsetMs, note }));
      this.#notes.set(
        station,
        shifted.sort((left, right) => left.atMs - right.atMs),
      );
    }
  }

  /** @returns figures and events of [`fromMs`, `untilMs`) */
  stretch(fromMs: number, untilMs: number): Stretch {
    const { timeline } = this;
    const figures = new Map<number, Figures>();
    const notes = new Map<number, readonly Note[]>();
    for (const station of timeline.stations) {
      const sum = newFigures();
      for (const [, cell] of timeline.between(station, fromMs, untilMs)) addFigures(sum, cell);
      if (sum.coveredMs > 0) figures.set(station, sum);
    }
    for (const [station, all] of this.#notes) {
      const some = all.slice(firstFrom(all, fromMs), firstFrom(all, untilMs));
      if (some.length > 0) notes.set(station, some);
    }
    return { fromMs, untilMs, figures, notes };
  }

  get whole(): Stretch {
    return this.stretch(this.fromMs, this.untilMs);
  }
}

/** Index of the first note at or after a time. */
function firstFrom(notes: readonly Note[], ms: number): number {
  let low = 0;
  let high = notes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((notes[middle]?.atMs ?? 0) < ms) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The part of the time in which most cells lie. */
function mainSpan(timeline: Timeline): { fromMs: number; untilMs: number; leftOut: number } {
  const { starts, cellMs } = timeline;
  const apartMs = Math.max(APART_MS, starts.length * cellMs);
  const spans: { fromMs: number; untilMs: number; cells: number }[] = [];
  for (const startMs of starts) {
    const last = spans.at(-1);
    if (last !== undefined && startMs - last.untilMs <= apartMs) {
      last.untilMs = startMs + cellMs;
      last.cells++;
    } else {
      spans.push({ fromMs: startMs, untilMs: startMs + cellMs, cells: 1 });
    }
  }
  const [main] = spans.sort((left, right) => right.cells - left.cells);
  if (main === undefined) return { fromMs: 0, untilMs: 0, leftOut: 0 };
  return { fromMs: main.fromMs, untilMs: main.untilMs, leftOut: starts.length - main.cells };
}
