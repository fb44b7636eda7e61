/** The log: one JSON object a line, `event` names what happened. The only file that knows pino. */
import { type DestinationStream, pino } from 'pino';
import pretty from 'pino-pretty';
import type { EventName, LineFields, LogEvents } from './events.js';
import { isJournal, withPriorities } from './journal.js';
import { tellFailures, WAITING_MAX_BYTES } from './log-failures.js';
import type { LineStream } from './log-file.js';
import { limitOf } from './repeat-limits.js';
import { type Later, Repeats } from './repeats.js';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';
export const LOG_LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

/** Writes one line; the fields are those that events.ts has for this event. */
export type WriteLine = <Name extends EventName>(event: Name, fields: LogEvents[Name]) => void;

/** Fields of every line that the program gives itself. */
export type BaseFields = Pick<LineFields, 'interface' | 'station'>;

/** What the rest of the program writes to. */
export interface Log {
  readonly debug: WriteLine;
  readonly info: WriteLine;
  readonly warn: WriteLine;
  readonly error: WriteLine;
  /** Other values for fields of every line, from now on. */
  rebase(fields: Partial<BaseFields>): void;
  /** Whether lines of this level are written at all; ask before building costly fields. */
  enabled(level: LogLevel): boolean;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: 'json' | 'pretty';
  /** Fields of every line. */
  readonly base: BaseFields;
  /** Gets every line, too, as JSON. */
  readonly file?: LineStream | undefined;
  /** Instead of standard output. */
  readonly output?: LineStream;
  /** Instead of timers that keep no process alive. */
  readonly later?: Later;
}

export function createLog(options: LogOptions): Log {
  let base = options.base;
  // Not pino's own `base`, which is for good. A fresh object each time: pino fills it with the line's fields.
  const settings = { level: options.level, base: null, mixin: () => ({ ...base }) };
  const logger = pino(settings, tee(options.output ?? standardOutput(options.format), options.file));
  const repeats = new Repeats(options.later ?? laterUnreferenced);
  const write =
    (level: 'debug' | 'info' | 'warn' | 'error'): WriteLine =>
    (event, fields) => {
      if (!logger.isLevelEnabled(level)) return;
      const limit = limitOf(event, fields);
      if (event === 'stopped') repeats.flush();
      if (limit === null) logger[level]({ event, ...fields });
      else {
        repeats.pass(limit.subject, limit, (leftOut) =>
          logger[level](leftOut === 0 ? { event, ...fields } : { event, ...fields, repeats: leftOut }),
        );
      }
    };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    rebase: (fields) => {
      base = { ...base, ...fields };
    },
    enabled: (level) => logger.isLevelEnabled(level),
  };
}

function standardOutput(format: LogOptions['format']): DestinationStream {
  if (format === 'pretty') return pretty({ sync: true, ignore: 'pid,hostname', messageKey: 'event' });
  const output = pino.destination({ fd: 1, sync: true, maxLength: WAITING_MAX_BYTES });
  tellFailures(output, (cause) => console.error(`sluice: the log on standard output: ${cause.message}`));
  return isJournal(1, process.env) ? withPriorities(output) : output;
}

function tee(output: LineStream, file: LineStream | undefined): DestinationStream {
  if (file === undefined) return output;
  return {
    write: (line) => {
      output.write(line);
      file.write(line);
    },
  };
}

function laterUnreferenced(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, ms).unref();
  return () => clearTimeout(timer);
}
