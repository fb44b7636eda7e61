/** Finds `+++` between guard times in octets that are data. */
import type { Scheduler } from '../../base/clock.js';

const PLUS = 0x2b;

export class EscapeSequence {
  readonly #scheduler: Scheduler;
  readonly #guardUs: number;
  readonly #found: () => void;
  #pluses = 0;
  #octets = 0;
  #lastUs = Number.NEGATIVE_INFINITY;

  constructor(scheduler: Scheduler, guardUs: number, found: () => void) {
    this.#scheduler = scheduler;
    this.#guardUs = guardUs;
    this.#found = found;
  }

  /** One octet, which took so long on the line. */
  take(octet: number, octetUs: number): void {
    const nowUs = this.#scheduler.nowUs();
    const quietUs = nowUs - this.#lastUs - octetUs;
    this.#lastUs = nowUs;
    const count = ++this.#octets;
    if (octet !== PLUS) this.#pluses = 0;
    else if (this.#pluses > 0 || quietUs >= this.#guardUs) this.#pluses++;
    if (this.#pluses !== 3) return;
    this.#scheduler.at(nowUs + this.#guardUs, () => {
      if (count !== this.#octets) return;
      this.#pluses = 0;
      this.#found();
    });
  }

  /** The silence before the first plus begins now. */
  reset(): void {
    this.#pluses = 0;
    this.#octets++;
    this.#lastUs = this.#scheduler.nowUs();
  }
}
