/** The one error type of the project: a code to branch on, a cause to read, a remedy to follow. */

export type ErrorCode =
  /** A wrong command line. */
  | 'usage'
  /** A configuration or profile that cannot be used: names the key, the value and what is allowed. */
  | 'configuration'
  /** A privilege is missing (EPERM, EACCES). */
  | 'privilege'
  /** The kernel lacks a feature, or refuses the device. */
  | 'kernel-feature'
  /** The line to the modem cannot be opened, or was lost. */
  | 'line'
  /** A system call failed in a way that has no class of its own. */
  | 'system'
  /** A broken invariant of our own. */
  | 'internal';

/** Exit codes of the command line, as scripts rely on them. */
export const EXIT_CODES: Readonly<Record<ErrorCode, number>> = {
  usage: 2,
  configuration: 2,
  privilege: 3,
  'kernel-feature': 3,
  line: 4,
  system: 1,
  internal: 1,
};

export interface ErrorDetails {
  /** What to do about it, as one sentence for the operator. */
  readonly remedy?: string | undefined;
  /** The system call or ioctl that failed, e.g. `TUNSETIFF`. */
  readonly call?: string;
  /** The errno's name, e.g. `EPERM`. */
  readonly errno?: string;
  /** The device, file or key that the error is about. */
  readonly subject?: string;
  readonly cause?: unknown;
}

export class SluiceError extends Error {
  override readonly name = 'SluiceError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: Exclude<ErrorCode, 'usage' | 'configuration' | 'line'>, message: string, details?: ErrorDetails);
  /** What an operator wrote or plugged in, an operator can mend: the remedy must be named. Undefined is for errors passed on. */
  constructor(code: ErrorCode, message: string, details: ErrorDetails & { readonly remedy: string | undefined });
  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.details = details;
  }

  get exitCode(): number {
    return EXIT_CODES[this.code];
  }
}

export function isSluiceError(value: unknown, code?: ErrorCode): value is SluiceError {
  return value instanceof SluiceError && (code === undefined || value.code === code);
}

/** For the default branch of a switch that must be exhaustive. */
export function unreachable(value: never): never {
  throw new SluiceError('internal', `unreachable value ${JSON.stringify(value)}`);
}
