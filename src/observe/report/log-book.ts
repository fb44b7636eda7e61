/** All that the report keeps of the lines of all files: sums by station and over time, and what happened. Bounded. */
import { addFigures, addTo, type Figures, newFigures } from './figures.js';
import { type ChannelLine, type NoteLine, type ParsedLine, parseLine, type SkipReason } from './parse-line.js';
import type { LineSink } from './read-lines.js';
import { Timeline } from './timeline.js';

/** Before this, no station's clock was set that any log of ours can have been written with. 2020-01-01. */
export const EPOCH_MS = 1_577_836_800_000;
const MAX_NOTES = 1000;
const MAX_FILES = 1000;
const MAX_KNOWN_LINES = 100_000;
/** Rounded differences between the clock's readings are no jump. */
const JUMP_MS = 1000;

export interface Note {
  readonly atMs: number;
  readonly note: NoteLine;
}

/** What one station's logs say, all files together. */
export interface StationLog {
  readonly station: number;
  readonly totals: Figures;
  readonly retries: number[];
  readonly delays: Map<number, number>;
  readonly interfaces: Set<string>;
  /** The first ones; `notesLeftOut` more came. */
  readonly notes: Note[];
  notesLeftOut: number;
  /** Begin and end of what its channel lines cover, in its own clock. */
  firstMs: number;
  lastMs: number;
  /** Channel lines met again: a file given twice, or copied while it was rotated. */
  duplicates: number;
  /** Times that its clock went backwards within a file. */
  clockSteps: number;
  /** Channel lines from before its clock was set. */
  clockUnset: number;
}

/** Lines that were of no use for one reason: how many, and where the first one is. */
export interface Skipped {
  lines: number;
  readonly firstLine: number;
}

export interface FileCount {
  readonly name: string;
  lines: number;
  used: number;
  readonly skipped: Map<SkipReason, Skipped>;
  /** Why the file was not read to its end. */
  failure?: string;
}

export class LogBook {
  readonly files: FileCount[] = [];
  filesLeftOut = 0;
  /** Over time. */
  readonly timeline = new Timeline();
  readonly #stations = new Map<number, StationLog>();
  readonly #known = new Map<number, Set<number>>();

  /** By station number. */
  get stations(): StationLog[] {
    return [...this.#stations.values()].sort((left, right) => left.station - right.station);
  }

  station(station: number): StationLog | undefined {
    return this.#stations.get(station);
  }

  /** Takes the lines of one file. */
  file(name: string): LineSink & { failed(why: string): void } {
    const file: FileCount = { name, lines: 0, used: 0, skipped: new Map() };
    if (this.files.length < MAX_FILES) this.files.push(file);
    else this.filesLeftOut++;
    const lastMs = new Map<number, number>();
    const skip = (reason: SkipReason): void => {
      const known = file.skipped.get(reason);
      if (known === undefined) file.skipped.set(reason, { lines: 1, firstLine: file.lines });
      else known.lines++;
    };
    const take = (text: string, broken: SkipReason): void => {
      file.lines++;
      if (text.trim() === '') return;
      const parsed = parseLine(text);
      if (typeof parsed === 'string') {
        skip(parsed === 'not-json' ? broken : parsed);
        return;
      }
      file.used++;
      const log = this.#take(parsed);
      if (parsed.timeMs < (lastMs.get(parsed.station) ?? 0) - JUMP_MS) log.clockSteps++;
      lastMs.set(parsed.station, parsed.timeMs);
    };
    return {
      line: (text) => take(text, 'not-json'),
      rest: (text) => take(text, 'truncated'),
      tooLong: () => {
        file.lines++;
        skip('too-long');
      },
      failed: (why) => {
        file.failure = why;
      },
    };
  }

  #take(parsed: ParsedLine): StationLog {
    const { station, line } = parsed;
    const log = this.#log(station);
    if (log.interfaces.size < 8) log.interfaces.add(parsed.interface);
    if (line.kind === 'channel') this.#takeChannel(log, line);
    else if (line.kind !== 'other') {
      if (log.notes.length < MAX_NOTES) log.notes.push({ atMs: parsed.timeMs, note: line });
      else log.notesLeftOut++;
      log.notesLeftOut += parsed.repeats;
    }
    return log;
  }

  #takeChannel(log: StationLog, line: ChannelLine): void {
    const { startMs, endMs, figures } = line;
    if (!this.#isNew(log.station, startMs)) {
      log.duplicates++;
      return;
    }
    addFigures(log.totals, figures);
    for (const [times, frames] of line.retries.entries()) log.retries[times] = (log.retries[times] ?? 0) + frames;
    for (const [boundMs, frames] of line.delays) addTo(log.delays, boundMs, frames);
    if (startMs < EPOCH_MS) log.clockUnset++;
    this.timeline.add(log.station, startMs, endMs, figures);
    log.firstMs = Math.min(log.firstMs, startMs);
    log.lastMs = Math.max(log.lastMs, endMs);
  }

  #isNew(station: number, startMs: number): boolean {
    let known = this.#known.get(station);
    if (known === undefined || known.size >= MAX_KNOWN_LINES) {
      known = new Set();
      this.#known.set(station, known);
    }
    if (known.has(startMs)) return false;
    known.add(startMs);
    return true;
  }

  #log(station: number): StationLog {
    let log = this.#stations.get(station);
    if (log === undefined) {
      log = {
        station,
        totals: newFigures(),
        retries: [],
        delays: new Map(),
        interfaces: new Set(),
        notes: [],
        notesLeftOut: 0,
        firstMs: Number.POSITIVE_INFINITY,
        lastMs: 0,
        duplicates: 0,
        clockSteps: 0,
        clockUnset: 0,
      };
      this.#stations.set(station, log);
    }
    return log;
  }
}
