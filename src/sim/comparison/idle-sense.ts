/**
 * Idle Sense (Heusse, Rousseau, Guillier, Duda, SIGCOMM 2005): every station steers its contention window so that the mean
 * number of idle slots between two transmissions on the channel meets the optimum for this slot and frame length.
 */
import type { Random } from '../../base/random.js';
import { type Contention, optimalAttempts } from '../../mac/contention.js';

/** From the paper: additive step on the attempt rate, multiplicative step, transmissions for each step. */
const EPSILON = 0.001;
const INVERSE_ALPHA = 1.0666;
const TRANSMISSIONS_PER_STEP = 5;

const WINDOW_FIRST = 16;
const WINDOW_MIN = 2;
const WINDOW_MAX = 4096;

export class IdleSense implements Contention {
  readonly #random: Random;
  readonly #targetSlots: number;
  #window = WINDOW_FIRST;
  #idleSlots = 0;
  #transmissions = 0;

  /** @param a slot length / length of a usual exchange */
  constructor(random: Random, a: number) {
    this.#random = random;
    const none = Math.exp(-optimalAttempts(a));
    this.#targetSlots = none / (1 - none);
  }

  get window(): number {
    return Math.round(this.#window);
  }

  drawSlots(): number {
    return this.#random.below(Math.round(this.#window));
  }

  began(idleSlots: number): void {
    this.#idleSlots += idleSlots;
    if (++this.#transmissions < TRANSMISSIONS_PER_STEP) return;
    const tooManyTransmit = this.#idleSlots / this.#transmissions < this.#targetSlots;
    this.#idleSlots = 0;
    this.#transmissions = 0;
    const window = this.#window;
    const next = tooManyTransmit ? window * INVERSE_ALPHA : (2 * window) / (2 + EPSILON * window);
    this.#window = Math.min(WINDOW_MAX, Math.max(WINDOW_MIN, next));
  }

  heard(): void {}
  ended(): void {}
  succeeded(): void {}
  failed(): void {}
}
