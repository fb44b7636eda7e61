/**
 * Real time for everything below the daemon: the monotonic clock, and one Node timer for all scheduled calls.
 * Node's timers are good to a millisecond; the last one before a call is due is spent polling the event loop, so that
 * octets which arrive in it are seen before a decision to transmit.
 */
import type { Cancel, Scheduler } from '../base/clock.js';
import { VirtualTime } from '../sim/virtual-time.js';

const MS_US = 1000;
/** The longest delay that setTimeout takes. */
const LONGEST_MS = 0x7fffffff;

export class RealTime implements Scheduler {
  readonly #originNs = process.hrtime.bigint();
  /** Used as a queue only; its clock lags behind. */
  readonly #queue = new VirtualTime();
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #armedForUs = Number.POSITIVE_INFINITY;
  #running = false;

  nowUs(): number {
    return Number((process.hrtime.bigint() - this.#originNs) / 1000n);
  }

  at(atUs: number, callback: () => void): Cancel {
    const cancel = this.#queue.at(atUs, callback);
    if (atUs < this.#armedForUs) this.#arm();
    return cancel;
  }

  #arm(): void {
    if (this.#running) return;
    clearTimeout(this.#timer);
    if (this.#immediate !== undefined) clearImmediate(this.#immediate);
    this.#immediate = undefined;
    const dueUs = this.#queue.nextDueUs;
    this.#armedForUs = dueUs ?? Number.POSITIVE_INFINITY;
    if (dueUs === undefined) return;
    const waitMs = Math.floor((dueUs - this.nowUs()) / MS_US);
    if (waitMs >= 1) this.#timer = setTimeout(() => this.#wake(), Math.min(waitMs, LONGEST_MS));
    else this.#immediate = setImmediate(() => this.#wake());
  }

  #wake(): void {
    this.#running = true;
    try {
      const nowUs = this.nowUs();
      if ((this.#queue.nextDueUs ?? Number.POSITIVE_INFINITY) <= nowUs) this.#queue.runUntil(nowUs);
    } finally {
      this.#running = false;
      this.#arm();
    }
  }
}
