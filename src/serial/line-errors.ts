/** What goes wrong with a line, as errors that name the path, the cause and the remedy. */
import { SluiceError } from '../base/errors.js';

interface Explanation {
  readonly cause: string;
  readonly remedy: string;
}

const ABSENT: Explanation = {
  cause: 'there is no such device',
  remedy: 'Plug the modem in, or correct the path; /dev/serial/by-id lists what is there.',
};
const BUSY: Explanation = {
  cause: 'another program has it open',
  remedy: 'Stop that program (fuser -v names it), or give this modem another port.',
};
const FORBIDDEN: Explanation = {
  cause: 'no permission',
  remedy: 'Add the user to the group that owns the device (usually dialout) and log in again.',
};
const NO_TTY: Explanation = {
  cause: 'it is not a serial port',
  remedy: 'Give the path of a serial device, such as /dev/ttyUSB0.',
};
const UNREACHABLE: Explanation = {
  cause: 'the host cannot be reached',
  remedy: 'Check the address and the route to it.',
};

/** What an errno means when a tty is opened (open(2), flock(2), tcgetattr(3)) or a TCP connection is made. */
const EXPLANATIONS: Readonly<Record<string, Explanation>> = {
  ENOENT: ABSENT,
  ENODEV: ABSENT,
  ENXIO: ABSENT,
  EBUSY: BUSY,
  EAGAIN: BUSY,
  EACCES: FORBIDDEN,
  EPERM: FORBIDDEN,
  ENOTTY: NO_TTY,
  EISDIR: NO_TTY,
  EIO: {
    cause: 'the device does not answer',
    remedy: 'Check that the port exists in hardware, or that the program at its other end runs.',
  },
  ECONNREFUSED: {
    cause: 'nothing listens there',
    remedy: 'Start the serial server, or correct the port number.',
  },
  EHOSTUNREACH: UNREACHABLE,
  ENETUNREACH: UNREACHABLE,
  ENOTFOUND: { cause: 'the host name is not known', remedy: 'Correct the name, or give the address.' },
  EAI_AGAIN: { cause: 'the name server does not answer', remedy: 'Give the address instead of the name.' },
  ETIMEDOUT: { cause: 'no answer in time', remedy: 'Check that the host is up and that nothing filters the port.' },
};

const UNKNOWN_REMEDY = 'Try it with another program; of a device the kernel may say more (dmesg).';

/** The errno's name in an error of Node, if it carries one. */
export function errnoOf(failure: unknown): string | undefined {
  if (!(failure instanceof Error)) return undefined;
  // A connection tried on several addresses fails with one error for each.
  if (failure instanceof AggregateError && failure.errors.length > 0) return errnoOf(failure.errors[0]);
  const code = 'code' in failure ? failure.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** The error of an `open` that failed; `errno` where `failure` does not carry it. */
export function openError(path: string, failure: unknown, errno = errnoOf(failure)): SluiceError {
  const known = errno === undefined ? undefined : EXPLANATIONS[errno];
  const cause = known?.cause ?? (failure instanceof Error ? failure.message : String(failure));
  return new SluiceError('line', `cannot open ${path}: ${cause}`, {
    subject: path,
    cause: failure,
    remedy: known?.remedy ?? UNKNOWN_REMEDY,
    ...(errno !== undefined && { errno }),
  });
}

/** The error of a line that had been open. */
export function lostError(path: string, failure: unknown): SluiceError {
  const errno = errnoOf(failure);
  const reason = failure instanceof Error ? failure.message : String(failure);
  return new SluiceError('line', `lost ${path}: ${reason}`, {
    subject: path,
    cause: failure,
    remedy: 'Check the cable and the power of the modem.',
    ...(errno !== undefined && { errno }),
  });
}

/** The error of a line that is open and takes nothing. */
export function stalledError(path: string, stallUs: number): SluiceError {
  return new SluiceError('line', `lost ${path}: it has taken no octet for ${Math.round(stallUs / 1e6)} s`, {
    subject: path,
    remedy: 'Check flow control (line.flowControl, CTS), and that the modem or the other side reads.',
  });
}

export function keyDownError(path: string, limitUs: number): SluiceError {
  return new SluiceError(
    'line',
    `${path}: the modem kept its key down for more than ${Math.round(limitUs / 1000)} ms`,
    {
      subject: path,
      remedy: 'Check flow control and air.rateBps against what the modem does, and limits.keyDownMs.',
    },
  );
}

/** Nothing is wrong: there is no room, or nothing to read, at this moment. */
export function isTemporary(failure: unknown): boolean {
  const errno = errnoOf(failure);
  return errno === 'EAGAIN' || errno === 'EINTR';
}
