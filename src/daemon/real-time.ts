/**
 * Real time for everything below the daemon: the monotonic clock, and one Node timer for all scheduled calls.
 * Node's timers are good to a millisecond; the last one before a call is due is spent polling the event loop, so that
 * octets which arrive in it are seen before a decision to transmit.
 *
 * Time in which the process did not run (stopped by a signal, starved) does not count: the clock stands still, so that
 * nothing is late when it goes on. An answer that came meanwhile is read before its deadline, and a packet in hand has not
 * grown old through no fault of its own.
 */
import type { Cancel, Scheduler } from '../base/clock.js';
import { VirtualTime } from '../sim/virtual-time.js';

const MS_US = 1000;
/** A clock that was not looked at for so long, although a heartbeat does, belongs to a process that did not run. */
const HUNG_US = 1_000_000;
const HEARTBEAT_MS = 250;
/** The longest delay that setTimeout takes. */
const LONGEST_MS = 0x7fffffff;

export class RealTime implements Scheduler {
  /** Hears of each hang, once it is over; may be set at any time. */
  onHang: ((hungUs: number) => void) | undefined;
  readonly #originNs = process.hrtime.bigint();
  /** Used as a queue only; its clock lags behind. */
  readonly #queue = new VirtualTime();
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #armedForUs = Number.POSITIVE_INFINITY;
  #running = false;
  #lastRawUs = 0;
  #hungUs = 0;
  #unreportedUs = 0;

  constructor() {
    setInterval(() => this.#beat(), HEARTBEAT_MS).unref();
  }

  nowUs(): number {
    const rawUs = Number((process.hrtime.bigint() - this.#originNs) / 1000n);
    const goneUs = rawUs - this.#lastRawUs;
    this.#lastRawUs = rawUs;
    if (goneUs > HUNG_US) {
      this.#hungUs += goneUs;
      this.#unreportedUs += goneUs;
    }
    return rawUs - this.#hungUs;
  }

  at(atUs: number, callback: () => void): Cancel {
    const cancel = this.#queue.at(atUs, callback);
    if (atUs < this.#armedForUs) this.#arm();
    return cancel;
  }

  #beat(): void {
    this.nowUs();
    const hungUs = this.#unreportedUs;
    this.#unreportedUs = 0;
    if (hungUs > 0) this.onHang?.(hungUs);
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
