/** The lines beside the data: what the modem drives, read and watched. A pty and a TCP connection have none. */
import type { Cancel, Scheduler } from '../base/clock.js';
import type { LineInputs, LineOutputs } from './line.js';
import type { TtyExtras } from './tty-settings.js';

// Bits of TIOCMGET (asm-generic/termios.h).
const TIOCM_DTR = 0x002;
const TIOCM_RTS = 0x004;
const TIOCM_CTS = 0x020;
const TIOCM_CAR = 0x040;
const TIOCM_RNG = 0x080;
const TIOCM_DSR = 0x100;
const INPUTS = TIOCM_CTS | TIOCM_CAR | TIOCM_RNG | TIOCM_DSR;

/** How often the lines are looked at where the driver cannot wait for a change (no TIOCMIWAIT). */
const POLL_US = 20_000;
/**
 * How often they are looked at while a thread waits: the kernel tells of changes that come after TIOCMIWAIT was entered, and
 * when the thread has got so far nobody knows. (On a busy machine a change was seen to be missed for ever.)
 */
const BACKSTOP_US = 250_000;

export type InputExtras = Pick<TtyExtras, 'modemLines' | 'awaitModemLines'>;

/** What the modem drives, or undefined where the port has no such lines. */
export function readInputs(fd: number, extras: InputExtras | undefined): LineInputs | undefined {
  const bits = extras?.modemLines?.(fd) ?? -1;
  if (bits < 0) return undefined;
  return {
    cts: (bits & TIOCM_CTS) !== 0,
    dsr: (bits & TIOCM_DSR) !== 0,
    dcd: (bits & TIOCM_CAR) !== 0,
    ring: (bits & TIOCM_RNG) !== 0,
  };
}

/** @returns whether the port has such lines */
export function setOutputs(fd: number, { dtr, rts }: LineOutputs, extras: TtyExtras | undefined): boolean {
  const bits = (wanted: boolean): number => (dtr === wanted ? TIOCM_DTR : 0) | (rts === wanted ? TIOCM_RTS : 0);
  return (extras?.setModemLines?.(fd, bits(true), bits(false)) ?? -1) === 0;
}

/** What waits in threads for an open port; ended before the port is closed. */
export class PortWaits {
  readonly #ends = new Set<() => void>();

  /** @returns whether the port has inputs that can change */
  watchInputs(
    fd: number,
    scheduler: Scheduler,
    extras: InputExtras | undefined,
    changed: (inputs: LineInputs) => void,
  ): boolean {
    if (extras === undefined || readInputs(fd, extras) === undefined) return false;
    const watch = new InputWatch(fd, scheduler, extras, changed);
    this.#ends.add(() => watch.end());
    return true;
  }

  /** @returns whether the port can tell when it has sent everything */
  drain(fd: number, extras: Pick<TtyExtras, 'drain'> | undefined, done: () => void): boolean {
    if (extras?.drain === undefined) return false;
    const end = extras.drain(fd, () => {
      if (!this.#ends.delete(end)) return;
      end();
      // Also where it failed: who waits to let go of a wire must not wait for ever.
      done();
    });
    this.#ends.add(end);
    return true;
  }

  endAll(): void {
    const ends = [...this.#ends];
    this.#ends.clear();
    for (const end of ends) end();
  }
}

/**
 * Calls at each change of the inputs, until `end`, which must come before the descriptor is closed. The waiting is done by
 * a thread; where the driver cannot wait, the lines are polled. Two changes in quick succession may be told as one.
 */
export class InputWatch {
  readonly #fd: number;
  readonly #scheduler: Scheduler;
  readonly #extras: InputExtras;
  readonly #changed: (inputs: LineInputs) => void;
  #last: LineInputs | undefined;
  #stopWaiting: (() => void) | undefined;
  #cancelLook: Cancel | undefined;
  #ended = false;

  constructor(fd: number, scheduler: Scheduler, extras: InputExtras, changed: (inputs: LineInputs) => void) {
    this.#fd = fd;
    this.#scheduler = scheduler;
    this.#extras = extras;
    this.#changed = changed;
    this.#last = readInputs(fd, extras);
    this.#wait();
  }

  end(): void {
    this.#ended = true;
    this.#cancelLook?.();
    this.#stopWaiting?.();
    this.#stopWaiting = undefined;
  }

  #wait(): void {
    if (this.#ended) return;
    const wait = this.#extras.awaitModemLines;
    if (wait === undefined) {
      this.#lookEvery(POLL_US);
      return;
    }
    this.#lookEvery(BACKSTOP_US);
    this.#stopWaiting = wait(this.#fd, INPUTS, (result) => {
      if (this.#ended) return;
      this.#stopWaiting?.();
      this.#stopWaiting = undefined;
      this.#look();
      if (result < 0) this.#lookEvery(POLL_US);
      else this.#wait();
    });
    // A change between the last look and this wait is not waited for.
    this.#look();
  }

  #lookEvery(intervalUs: number): void {
    if (this.#ended) return;
    this.#cancelLook?.();
    this.#cancelLook = this.#scheduler.at(this.#scheduler.nowUs() + intervalUs, () => {
      this.#look();
      this.#lookEvery(intervalUs);
    });
  }

  #look(): void {
    const now = readInputs(this.#fd, this.#extras);
    const last = this.#last;
    if (this.#ended || now === undefined) return;
    this.#last = now;
    const isSame =
      last !== undefined &&
      now.cts === last.cts &&
      now.dsr === last.dsr &&
      now.dcd === last.dcd &&
      now.ring === last.ring;
    if (!isSame) this.#changed(now);
  }
}
