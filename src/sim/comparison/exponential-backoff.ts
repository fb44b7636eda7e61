/**
 * The backoff of IEEE 802.11 (DCF): uniform in a window that doubles with each failure and starts anew with each success.
 * The counter stands still while the channel is busy.
 */
import type { Random } from '../../base/random.js';
import type { Contention } from '../../mac/contention.js';

/** CWmin + 1 and CWmax + 1 of IEEE 802.11a and later. */
const WINDOW_MIN = 16;
const WINDOW_MAX = 1024;

export class ExponentialBackoff implements Contention {
  readonly #random: Random;
  #window = WINDOW_MIN;

  constructor(random: Random) {
    this.#random = random;
  }

  get window(): number {
    return this.#window;
  }

  drawSlots(): number {
    return this.#random.below(this.#window);
  }

  /** Here an exchange counts as a slot; there it does not. */
  recount(slotsLeft: number): number {
    return slotsLeft + 1;
  }

  succeeded(): void {
    this.#window = WINDOW_MIN;
  }

  failed(): void {
    this.#window = Math.min(WINDOW_MAX, 2 * this.#window);
  }

  began(): void {}
  heard(): void {}
  ended(): void {}
}
