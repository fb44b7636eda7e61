/** From log files to the page: 1. read all lines, 2. put the clocks right, 3. find the worst minute, 4. draw, 5. write. */
import { SluiceError } from '../../base/errors.js';
import type { Cause } from './cause.js';
import { causesOf } from './causes.js';
import { ChannelRecord } from './channel-record.js';
import { sumOf } from './figures.js';
import { LogBook } from './log-book.js';
import { makePage } from './page.js';
import { type LineSink, readLines } from './read-lines.js';
import { remarks } from './tables.js';
import { type WorstMinute, worstMinute } from './worst-minute.js';

export interface Report {
  /** The page. */
  readonly page: string;
  readonly stations: readonly number[];
  readonly fromMs: number;
  readonly untilMs: number;
  /** What is wrong in all of the time, the worst first. */
  readonly causes: readonly Cause[];
  readonly worst: WorstMinute;
  readonly lines: number;
  /** Files that could not be read, or not to their end: name and why. */
  readonly failures: readonly string[];
}

export interface ReportOptions {
  /** Told now and then how far it is: file, and lines read of all files. */
  progress?(file: string, lines: number): void;
}

/** So many lines between two calls of `progress`. */
const PROGRESS_LINES = 20_000;

/**
 * Reads log files (`-`: standard input; `.gz` is unpacked) and makes the report.
 * @throws SluiceError `usage` when no file can be read, or none has a usable `channel` line: it names each file, and the first line of each kind
 */
export async function makeReport(paths: readonly string[], options: ReportOptions = {}): Promise<Report> {
  const book = new LogBook();
  let lines = 0;
  for (const path of paths) {
    const sink = book.file(path === '-' ? 'standard input' : path);
    const tick = (): void => {
      if (++lines % PROGRESS_LINES === 0) options.progress?.(path, lines);
    };
    try {
      await readLines(path, ticking(sink, tick));
    } catch (error) {
      sink.failed(error instanceof Error ? error.message : String(error));
    }
  }
  const record = new ChannelRecord(book);
  const worst = worstMinute(record);
  if (worst === undefined) throw nothingUsable(book);
  return {
    page: await makePage(book, record, worst),
    stations: book.stations.map(({ station }) => station),
    fromMs: record.fromMs,
    untilMs: record.untilMs,
    causes: causesOf(record.whole),
    worst,
    lines: sumOf(book.files.map((file) => file.lines)),
    failures: book.files.flatMap(({ name, failure, lines: read }) =>
      failure === undefined ? [] : [`${name}, after line ${read}: ${failure}`],
    ),
  };
}

function ticking(sink: LineSink, tick: () => void): LineSink {
  return {
    line: (text) => {
      tick();
      sink.line(text);
    },
    rest: (text) => sink.rest(text),
    tooLong: () => sink.tooLong(),
  };
}

function nothingUsable(book: LogBook): SluiceError {
  const unread = book.files.filter(({ lines, failure }) => lines === 0 && failure !== undefined);
  if (unread.length === book.files.length) {
    const causes = unread.map(({ name, failure }) => `${name}: ${failure}`);
    return new SluiceError('usage', `no log could be read: ${causes.join('; ')}`, { remedy: 'Name log files.' });
  }
  const files = book.files.map(
    (file) => `${file.name}: ${file.lines} lines, ${remarks(file) || 'none of them a channel line'}`,
  );
  return new SluiceError('usage', `no channel line of sluice was found\n  ${files.join('\n  ')}`, {
    remedy: 'Give logs as "sluice up" writes them: one JSON object a line (journalctl -o cat does), at level info.',
  });
}
