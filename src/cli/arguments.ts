/** What several commands need of their arguments and signals. */
import { InvalidArgumentError } from 'commander';

/** @throws InvalidArgumentError, which commander turns into a usage error */
export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError(`expected a whole number, got "${text}"`);
  return Number(text);
}

/** A parser for a whole number within these bounds. */
export function between(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = wholeNumber(text);
    if (value < least || value > most) {
      throw new InvalidArgumentError(`expected ${least} to ${most}, got "${text}"`);
    }
    return value;
  };
}

/** Seconds between two looks at a bridge. */
export const lookInterval = between(1, 3600);

/** A parser for an argument that must be one of a few words. */
export function oneOf<const T extends string>(...allowed: readonly T[]): (text: string) => T {
  return (text) => {
    const found = allowed.find((each) => each === text);
    if (found === undefined) throw new InvalidArgumentError(`expected one of ${allowed.join(', ')}, got "${text}"`);
    return found;
  };
}

/** For options that may be given several times. */
export function append(value: string, before: string[] = []): string[] {
  return [...before, value];
}

/** npm and npx pass an interrupt on that the terminal has sent already: the second one comes at once, and nobody meant it. */
const SAME_INTERRUPT_MS = 500;
/** 128 + the number of SIGINT and SIGTERM, as shells have it. */
export const EXIT_BY_SIGNAL = { SIGINT: 130, SIGTERM: 143 } as const;

/** The first of SIGINT and SIGTERM. Who interrupts again while that is being obeyed wants no order, but an end. */
export function untilSignal(): Promise<'SIGINT' | 'SIGTERM'> {
  return new Promise((resolve) => {
    let firstMs: number | undefined;
    const take = (signal: 'SIGINT' | 'SIGTERM'): void => {
      const nowMs = performance.now();
      firstMs ??= nowMs;
      if (signal === 'SIGINT' && nowMs - firstMs > SAME_INTERRUPT_MS) {
        process.stderr.write('sluice: interrupted again, ended at once: what was in hand is lost\n');
        process.exit(EXIT_BY_SIGNAL.SIGINT);
      }
      resolve(signal);
    };
    process.on('SIGINT', take);
    process.on('SIGTERM', take);
  });
}
