/** The log: one JSON object a line, `event` names what happened. The only file that knows pino. */
import { pino } from 'pino';
import pretty from 'pino-pretty';
import type { EventName, LineFields, LogEvents } from './events.js';

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
    (level: 'debug' | 'info' | 'warn' | 'error'): WriteLine =>
    (event, fields) => {
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
