/**
 * The receiving side of one station: which signals arrive now, which of them destroy each other, what half duplex hides,
 * what noise does to the rest, and when a modem sees a carrier. Told of everything by the medium; draws from its own
 * random stream.
 */
import { SluiceError } from '../base/errors.js';
import type { Random } from '../base/random.js';
import { BitNoise } from './noise.js';
import { destroyedOctet, Reception } from './reception.js';
import { type AirFrame, type AntennaListener, noStationCounts, type Signal, type StationCounts } from './signal.js';

/** The same for all antennas of one medium. */
export interface ReceptionRules {
  nowUs(): number;
  callAt(atUs: number, callback: () => void): void;
  readonly octetUs: number;
  readonly fullDuplex: boolean;
  readonly bitErrorRate: number;
  readonly frameErrorRate: number;
  /** Power of a signal over the sum of all others from which on it survives; undefined: none ever does. */
  readonly captureRatio: number | undefined;
  /** Give all listeners the same octets of an intact frame. */
  readonly shareIntactFrames: boolean;
  /** Whether a hit destroys one octet of a frame, the same for all listeners, and not all that it covers. */
  readonly brieflySpoiled: boolean;
}

export class Antenna {
  readonly station: number;
  readonly counts: StationCounts = noStationCounts();
  readonly #rules: ReceptionRules;
  readonly #random: Random;
  readonly #noise: BitNoise;
  /** Signals arriving now, oldest first. */
  readonly #active: Reception[] = [];
  #listener: AntennaListener = {};
  #carrierDetectUs = 0;
  /** Own transmissions that may still matter, as from, to ...; the last to is infinite while sending. */
  #own: number[] = [];
  #sending = false;
  /** Since when a modem here could have seen the present signals; -1 when there is nothing to see. */
  #visibleSinceUs = -1;
  #reportedBusy = false;

  constructor(station: number, rules: ReceptionRules, random: Random) {
    this.station = station;
    this.#rules = rules;
    this.#random = random;
    this.#noise = new BitNoise(rules.bitErrorRate, random);
  }

  get carrierDetectUs(): number {
    return this.#carrierDetectUs;
  }

  get sending(): boolean {
    return this.#sending;
  }

  /** Until now, with the signal that is still on. */
  get airtimeUs(): number {
    const current = this.#sending ? this.#rules.nowUs() - (this.#own.at(-2) ?? 0) : 0;
    return this.counts.airtimeUs + current;
  }

  /** Connects the modem; use `Medium.listen`, which knows who must be told. */
  setListener(listener: AntennaListener, carrierDetectUs: number): void {
    this.#listener = listener;
    this.#carrierDetectUs = carrierDetectUs;
  }

  /** Whether the modem sees a carrier now: one that has been there for the detection time, and the station not sending. */
  carrierNow(): boolean {
    if (this.#visibleSinceUs < 0 || this.#deaf()) return false;
    return this.#rules.nowUs() - this.#visibleSinceUs >= this.#carrierDetectUs;
  }

  arrive(signal: Signal, power: number): void {
    const nowUs = this.#rules.nowUs();
    const reception = new Reception(signal, nowUs, power);
    const active = this.#active;
    if (active.length === 0) this.#visibleSinceUs = nowUs;
    active.push(reception);
    if (active.length > 1) this.#recomputeHits(nowUs, reception);
    if (this.#carrierDetectUs === 0) this.detect();
  }

  /** The detection time after an arrival has passed. */
  detect(): void {
    if (this.#reportedBusy || !this.carrierNow()) return;
    this.#reportedBusy = true;
    this.#listener.carrier?.(true);
  }

  end(signal: Signal): void {
    const active = this.#active;
    const index = this.#indexOf(signal);
    const reception = active[index];
    if (reception === undefined) return;
    const nowUs = this.#rules.nowUs();
    if (reception.streamed) this.#countStream(reception);
    active.splice(index, 1);
    if (active.length > 0) {
      this.#recomputeHits(nowUs, undefined);
      return;
    }
    this.#visibleSinceUs = -1;
    this.#reportIdle();
  }

  /** A frame of `signal` has arrived to its end. @param delayUs from the speaker to here */
  frameEnds(signal: Signal, frame: AirFrame, delayUs: number): void {
    const reception = this.#active[this.#indexOf(signal)];
    if (reception === undefined) return;
    const nowUs = this.#rules.nowUs();
    const startUs = frame.startUs + delayUs;
    const preambleFromUs = frame.first ? reception.startUs : Math.round(startUs);
    const hit = reception.isHit(preambleFromUs, nowUs);
    if (hit) this.counts.collisionsHeard++;
    const missed = this.#sentDuring(preambleFromUs, nowUs);
    if (missed) this.counts.missedWhileSending++;
    if ((hit || missed) && !frame.hit) {
      frame.hit = true;
      signal.speakerCounts.collisions++;
    }
    if (missed) return;
    const preambleHit = hit && frame.first && reception.isHit(reception.startUs, Math.round(startUs));
    let octets = this.#rules.shareIntactFrames ? frame.octets : frame.octets.slice();
    const ownCopy = (): void => {
      if (octets === frame.octets || octets === frame.spoiled) octets = octets.slice();
    };
    let damages = 0;
    if (hit && this.#rules.brieflySpoiled) {
      frame.spoiled ??= withOneOctetDestroyed(frame.octets, this.#random);
      octets = frame.spoiled;
      damages = 1;
    } else if (hit) {
      ownCopy();
      damages = reception.destroyHitOctets(octets, startUs, frame.octetUs, nowUs, this.#random);
      this.counts.octetsDestroyed += damages;
    }
    if (octets.length > 0 && this.#fades()) {
      ownCopy();
      const victim = this.#random.below(octets.length);
      octets[victim] = destroyedOctet(octets[victim] as number, this.#random);
      damages++;
    }
    if (!this.#noise.passes(octets.length * 8)) {
      ownCopy();
      const errors = this.#noise.apply(octets);
      this.counts.bitErrors += errors;
      damages += errors;
    }
    const intact = damages === 0;
    if (intact) {
      this.counts.deliveries++;
      this.counts.octetsReceived += octets.length;
    }
    this.#listener.frame?.({ speaker: signal.speaker, octets, intact, preambleHit });
  }

  /** An octet of a streamed signal has arrived; times are those at this antenna. */
  octetEnds(signal: Signal, octet: number, fromUs: number, toUs: number): void {
    const active = this.#active;
    const index = this.#indexOf(signal);
    const reception = active[index];
    if (reception === undefined) return;
    if (!reception.streamed) {
      reception.streamed = true;
      reception.faded = this.#fades();
    }
    if (this.#sentDuring(fromUs, toUs)) {
      reception.missed = true;
      return;
    }
    let value = octet;
    if (reception.isHit(fromUs, toUs)) {
      reception.collided = true;
      this.counts.octetsDestroyed++;
      // One demodulator makes one stream of octets: of signals that spoil each other, the oldest sets its pace.
      if (index > 0) return;
      value = destroyedOctet(octet, this.#random);
    } else if (reception.faded === true) {
      reception.spoiled = true;
      value = destroyedOctet(octet, this.#random);
    } else if (!this.#noise.passes(8)) {
      const single = Uint8Array.of(octet);
      this.counts.bitErrors += this.#noise.apply(single);
      reception.spoiled = true;
      value = single[0] as number;
    } else this.counts.octetsReceived++;
    this.#listener.octet?.(value);
  }

  /** An octet that nobody sent, out of a carrier that nobody holds. */
  noiseOctet(octet: number, fromUs: number, toUs: number): void {
    if (!this.#sentDuring(fromUs, toUs)) this.#listener.octet?.(octet);
  }

  /** The key goes down: from now on this station hears nothing (half duplex). */
  startSending(): void {
    if (this.#sending) {
      throw new SluiceError('internal', `station ${this.station} began to send while it was sending`);
    }
    this.#sending = true;
    this.#own.push(this.#rules.nowUs(), Number.POSITIVE_INFINITY);
  }

  stopSending(): void {
    const nowUs = this.#rules.nowUs();
    const own = this.#own;
    this.#sending = false;
    own[own.length - 1] = nowUs;
    const sentUs = nowUs - (own[own.length - 2] as number);
    this.counts.airtimeUs += sentUs;
    // A key-up of no length hides nothing.
    if (sentUs === 0) own.length -= 2;
    const oldestUs = this.#active[0]?.startUs ?? Number.POSITIVE_INFINITY;
    while (own.length > 0 && (own[1] as number) <= oldestUs) own.splice(0, 2);
    if (this.#rules.fullDuplex) return;
    if (this.#active.length === 0) this.#reportIdle();
    else if (!this.#reportedBusy) {
      // The modem must find the carrier anew.
      this.#visibleSinceUs = nowUs;
      if (this.#carrierDetectUs === 0) this.detect();
      else this.#rules.callAt(nowUs + this.#carrierDetectUs, () => this.detect());
    }
  }

  #deaf(): boolean {
    return this.#sending && !this.#rules.fullDuplex;
  }

  #reportIdle(): void {
    if (!this.#reportedBusy || this.#deaf()) return;
    this.#reportedBusy = false;
    this.#listener.carrier?.(false);
  }

  #indexOf(signal: Signal): number {
    const active = this.#active;
    for (let i = 0; i < active.length; i++) if (active[i]?.signal === signal) return i;
    return -1;
  }

  /** Which signals are being destroyed from now on. `added` is the one that just came, undefined when one just went. */
  #recomputeHits(nowUs: number, added: Reception | undefined): void {
    const active = this.#active;
    const ratio = this.#rules.captureRatio;
    if (ratio !== undefined) {
      let total = 0;
      for (const reception of active) total += reception.power;
      for (const reception of active) {
        const others = total - reception.power;
        reception.setHit(active.length > 1 && reception.power < ratio * others, nowUs);
      }
    } else if (added === undefined) {
      if (active.length === 1) active[0]?.setHit(false, nowUs);
    } else {
      added.setHit(true, nowUs);
      active[0]?.setHit(true, nowUs);
    }
  }

  /** Whether this station sent (half duplex) at any time in from .. to, of which `toUs` is now. */
  #sentDuring(fromUs: number, toUs: number): boolean {
    if (this.#rules.fullDuplex) return false;
    const own = this.#own;
    for (let i = 0; i < own.length; i += 2) {
      if ((own[i] as number) < toUs && (own[i + 1] as number) > fromUs) return true;
    }
    return false;
  }

  #fades(): boolean {
    const rate = this.#rules.frameErrorRate;
    if (rate === 0 || this.#random.unit() >= rate) return false;
    this.counts.noiseErrors++;
    return true;
  }

  #countStream(reception: Reception): void {
    if (reception.collided) this.counts.collisionsHeard++;
    if (reception.missed) this.counts.missedWhileSending++;
    const { signal } = reception;
    if (reception.collided || reception.missed) {
      if (!signal.hit) signal.speakerCounts.collisions++;
      signal.hit = true;
    } else if (!reception.spoiled && reception.faded === false) this.counts.deliveries++;
  }
}

function withOneOctetDestroyed(intact: Uint8Array, random: Random): Uint8Array {
  const octets = intact.slice();
  if (octets.length > 0) octets[0] = destroyedOctet(octets[0] as number, random);
  return octets;
}
