/** One signal at one antenna: which stretches of it another signal hit, and which octets that destroys. */
import type { Random } from '../base/random.js';
import type { Signal } from './signal.js';

/** Hits further back than this many are dropped where only the newest can still matter (streams). */
const KEPT_STREAM_HITS = 8;

export class Reception {
  readonly signal: Signal;
  /** When it began at this antenna. */
  readonly startUs: number;
  /** Relative received power, linear. */
  readonly power: number;
  /** Streams: whether any octet so far was lost or spoiled, and whether noise takes the whole signal. */
  streamed = false;
  spoiled = false;
  collided = false;
  missed = false;
  faded: boolean | undefined;
  #hitSinceUs = -1;
  /** Ended hits as from, to, from, to ...; each from before its to. */
  #hits: number[] | undefined;

  constructor(signal: Signal, startUs: number, power: number) {
    this.signal = signal;
    this.startUs = startUs;
    this.power = power;
  }

  /** Another signal begins (or ceases) to cover this one. Hits of no length leave no trace. */
  setHit(hit: boolean, nowUs: number): void {
    if (hit) {
      if (this.#hitSinceUs < 0) this.#hitSinceUs = nowUs;
      return;
    }
    if (this.#hitSinceUs < 0) return;
    if (nowUs > this.#hitSinceUs) {
      this.#hits ??= [];
      this.#hits.push(this.#hitSinceUs, nowUs);
      if (this.streamed && this.#hits.length > 2 * KEPT_STREAM_HITS) this.#hits.splice(0, 2);
    }
    this.#hitSinceUs = -1;
  }

  /** Whether a hit fell into from .. to, of which `toUs` is now or past. */
  isHit(fromUs: number, toUs: number): boolean {
    if (this.#hitSinceUs >= 0 && this.#hitSinceUs < toUs) return true;
    const hits = this.#hits;
    if (hits === undefined) return false;
    for (let i = hits.length - 2; i >= 0; i -= 2) {
      if ((hits[i] as number) < toUs && (hits[i + 1] as number) > fromUs) return true;
    }
    return false;
  }

  /**
   * Destroys every octet that a hit overlaps by a microsecond or more.
   * @param startUs of the first octet at this antenna; octet k lasts from round(startUs + k octetUs) to that of k + 1
   * @returns how many octets were destroyed
   */
  destroyHitOctets(octets: Uint8Array, startUs: number, octetUs: number, nowUs: number, random: Random): number {
    let destroyed = 0;
    let done = 0;
    const destroy = (fromUs: number, toUs: number): void => {
      let k = Math.max(done, Math.floor((fromUs - startUs) / octetUs) - 1);
      while (k < octets.length && Math.round(startUs + (k + 1) * octetUs) <= fromUs) k++;
      while (k < octets.length && Math.round(startUs + k * octetUs) < toUs) {
        octets[k] = destroyedOctet(octets[k] as number, random);
        destroyed++;
        k++;
      }
      done = Math.max(done, k);
    };
    const hits = this.#hits ?? [];
    for (let i = 0; i < hits.length; i += 2) destroy(hits[i] as number, hits[i + 1] as number);
    if (this.#hitSinceUs >= 0 && this.#hitSinceUs < nowUs) destroy(this.#hitSinceUs, nowUs);
    return destroyed;
  }
}

/** Any other octet, each equally likely: a destroyed octet never survives by luck. */
export function destroyedOctet(octet: number, random: Random): number {
  return octet ^ (1 + random.below(255));
}
