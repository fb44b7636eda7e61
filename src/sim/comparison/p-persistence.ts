/** What a KISS TNC does: in each idle slot it begins with a fixed probability, by default 64/256 ("The KISS TNC", 1987). */
import type { Random } from '../../base/random.js';
import type { Contention } from '../../mac/contention.js';

export const KISS_PERSISTENCE = 64 / 256;

export class PPersistence implements Contention {
  readonly window: number;
  readonly #random: Random;
  readonly #persistence: number;

  /** @param persistence probability for each slot, above 0, at most 1 */
  constructor(random: Random, persistence = KISS_PERSISTENCE) {
    this.#random = random;
    this.#persistence = persistence;
    this.window = Math.round(1 / persistence);
  }

  drawSlots(): number {
    let slots = 0;
    while (this.#random.unit() >= this.#persistence) slots++;
    return slots;
  }

  /** No memory: each slot is decided by itself, whatever came between. */
  recount(): null {
    return null;
  }

  began(): void {}
  heard(): void {}
  ended(): void {}
  succeeded(): void {}
  failed(): void {}
}
