/** Pulls the next frame out of the TAP at the moment when the channel is won, and not before. */

import type { BackPressure } from './back-pressure.js';

/** One kick may be the grant's own; two or more without data mean that they filled the credit. */
const KICKS_THAT_FILL_A_CREDIT = 2;

export class Egress {
  readonly #tap: { read(): Uint8Array | null };
  readonly #backPressure: BackPressure;
  #kicks = 0;
  #kicksInARow = 0;

  constructor(tap: { read(): Uint8Array | null }, backPressure: BackPressure) {
    this.#tap = tap;
    this.#backPressure = backPressure;
  }

  /** Kicks read and thrown away so far. */
  get kicks(): number {
    return this.#kicks;
  }

  /**
   * The next frame: from the ring, else by a grant. Null when nothing waits: then one credit stands, the next packet
   * passes into the ring at once, and the TAP becomes readable. That is also what happens when another processor is just
   * running the queue and the frame is about to come.
   */
  pullFrame(): Uint8Array | null {
    let frame = this.#readPastKicks();
    while (frame === null) {
      this.#backPressure.grant();
      frame = this.#readPastKicks();
      // Each round takes at least two kicks out of the queue and puts one in, so this ends.
      if (this.#kicksInARow < KICKS_THAT_FILL_A_CREDIT) break;
    }
    return frame;
  }

  /** The next frame that is past the gate already. */
  readRing(): Uint8Array | null {
    return this.#readPastKicks();
  }

  #readPastKicks(): Uint8Array | null {
    this.#kicksInARow = 0;
    for (;;) {
      const frame = this.#tap.read();
      if (frame === null || !this.#backPressure.isKick(frame)) return frame;
      this.#kicks++;
      this.#kicksInARow++;
    }
  }
}
