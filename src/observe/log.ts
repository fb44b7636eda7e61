/** The log: one JSON object a line, `event` names what happened. The only file that knows pino. */
import { pino } from 'pino';
import pretty from 'pino-pretty';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';
export const LOG_LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

export type LogFields = Readonly<Record<string, unknown>>;

/** What the rest of the program writes to. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** Other values for fields of every line, from now on. */
  rebase(fields: LogFields): void;
  /** Whether lines of this level are written at all; ask before building costly fields. */
  enabled(level: LogLevel): boolean;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: 'json' | 'pretty';
  /** Fields of every line. */
  readonly base: LogFields;
}

export function createLog(options: LogOptions): Log {
  let base = options.base;
  // Not pino's own `base`, which is for good. A fresh object each time: pino fills it with the line's fields.
  const settings = { level: options.level, base: null, mixin: () => ({ ...base }) };
  const logger =
    options.format === 'pretty'
      ? pino(settings, pretty({ sync: true, ignore: 'pid,hostname', messageKey: 'event' }))
      : pino(settings, pino.destination({ fd: 1, sync: true }));
  const write =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (event: string, fields: LogFields = {}): void => {
      logger[level]({ event, ...fields });
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
