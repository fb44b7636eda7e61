/** Bit errors at one antenna: independent, each bit with the same probability. */
import type { Random } from '../base/random.js';

export class BitNoise {
  readonly #random: Random;
  readonly #logOfGood: number;
  /** Good bits until the next error; memoryless, so it runs on from one frame to the next. */
  #goodBits: number;

  /** @param bitErrorRate 0 .. 1 (0: none ever) */
  constructor(bitErrorRate: number, random: Random) {
    this.#random = random;
    this.#logOfGood = Math.log1p(-bitErrorRate);
    this.#goodBits = this.#drawGoodBits();
  }

  /** The number of errors that the next `bits` bits will have is 0. */
  passes(bits: number): boolean {
    if (this.#goodBits < bits) return false;
    this.#goodBits -= bits;
    return true;
  }

  /** Turns over bits of `octets` in place; returns how many. */
  apply(octets: Uint8Array): number {
    const bits = octets.length * 8;
    let at = this.#goodBits;
    let errors = 0;
    while (at < bits) {
      octets[at >> 3] = (octets[at >> 3] as number) ^ (0x80 >> (at & 7));
      errors++;
      at += 1 + this.#drawGoodBits();
    }
    this.#goodBits = at - bits;
    return errors;
  }

  /** Geometric: P(k good bits, then an error) = (1 - p)^k p. */
  #drawGoodBits(): number {
    if (this.#logOfGood === 0) return Number.POSITIVE_INFINITY;
    return Math.floor(Math.log(1 - this.#random.unit()) / this.#logOfGood);
  }
}
