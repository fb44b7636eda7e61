/**
 * How long packets wait in the queueing discipline, which does not say so itself. Sampled: a packet that comes when so many
 * wait has passed once so many more have been read. Packets that overtake, or are dropped there, make it a little wrong.
 */
import type { Clock } from '../base/clock.js';
import type { DelayMs } from '../observe/events.js';
import { milliseconds } from './status.js';

/** Asking the kernel costs about as much as sending a frame. */
const SAMPLE_US = 250_000;
/** Samples kept for one interval. */
const SAMPLES_MAX = 1024;

export interface QueueDelayParts {
  readonly clock: Clock;
  /** Packets that wait now. */
  backlog(): number;
}

export class QueueDelay {
  readonly #parts: QueueDelayParts;
  /** Packets whose turn has not come: how many will have been read before, and since when they wait. */
  readonly #waiting: { readonly turn: number; readonly sinceUs: number }[] = [];
  #samplesUs: number[] = [];
  #read = 0;
  #sampledUs = Number.NEGATIVE_INFINITY;
  #lastUs = 0;

  constructor(parts: QueueDelayParts) {
    this.#parts = parts;
  }

  /** A packet was read. */
  read(): void {
    const nowUs = this.#parts.clock.nowUs();
    this.#read++;
    while ((this.#waiting[0]?.turn ?? Number.POSITIVE_INFINITY) < this.#read) this.#passed(nowUs);
    if (nowUs - this.#sampledUs < SAMPLE_US) return;
    this.#sampledUs = nowUs;
    const backlog = this.#parts.backlog();
    // Whatever waited has passed, or was dropped.
    if (backlog === 0) while (this.#waiting.length > 0) this.#passed(nowUs);
    this.#waiting.push({ turn: this.#read + backlog, sinceUs: nowUs });
    if (backlog === 0) this.#passed(nowUs);
  }

  /** Of those that passed since it was last asked; undefined when there were none. */
  take(): DelayMs | undefined {
    const sorted = this.#samplesUs.sort((left, right) => left - right);
    this.#samplesUs = [];
    if (sorted.length === 0) return undefined;
    const at = (share: number): number =>
      milliseconds(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0);
    return { p50: at(0.5), p99: at(0.99) };
  }

  /** Of the latest sample that passed, or of the one whose turn is next, if that waits longer already; 0 before the first. */
  presentMs(): number {
    const waitedUs = this.#parts.clock.nowUs() - (this.#waiting[0]?.sinceUs ?? Number.POSITIVE_INFINITY);
    return milliseconds(Math.max(this.#lastUs, waitedUs));
  }

  #passed(nowUs: number): void {
    const first = this.#waiting.shift();
    if (first !== undefined) this.#lastUs = nowUs - first.sinceUs;
    if (first !== undefined && this.#samplesUs.length < SAMPLES_MAX) this.#samplesUs.push(nowUs - first.sinceUs);
  }
}
