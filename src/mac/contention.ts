/**
 * How many idle slots to wait before a transmission, without knowing how many others want to transmit.
 * Idle Sense (Heusse, Rousseau, Guillier, Duda, SIGCOMM 2005): every station steers its contention window so that the
 * mean number of idle slots between two transmissions on the channel meets the optimum for this slot and frame length.
 */
import type { Random } from '../base/random.js';

/** What the MAC tells about the channel, and asks of it. */
export interface Contention {
  /** Idle slots to wait before the next transmission. */
  drawSlots(): number;
  /** A transmission, ours or another's, ended an idle period of so many slots; it kept the channel for `busyUs`. */
  observed(idleSlots: number, busyUs: number, own: boolean): void;
  /** Our unicast frame was acknowledged, or a broadcast went out. */
  succeeded(): void;
  /** No acknowledgement came. */
  failed(): void;
  /** The present window in slots, for the log. */
  readonly window: number;
}

/** Parameters of Idle Sense's control loop, from the paper: additive step, multiplicative step, transmissions a step. */
const EPSILON = 0.001;
const INVERSE_ALPHA = 1.0666;
const TRANSMISSIONS_PER_STEP = 5;

const WINDOW_MIN = 2;
const WINDOW_MAX = 4096;
/** Own transmissions in a row, with nothing heard of anybody, after which a station takes the channel to be its own. */
const ALONE_AFTER = 8;
/** Slots that a lone sender leaves free, so that a newcomer can step in. */
const ALONE_SLOTS = 1;

/**
 * The optimal mean number of idle slots between transmissions for many stations: maximises
 * U(G) = G e^-G / (e^-G a + G e^-G (1 + a) + (1 - e^-G - G e^-G)(1 + a)), the p-persistent bound with n p = G.
 * @param a slot length / busy period length
 */
export function optimalIdleSlots(a: number): number {
  let best = 0;
  let bestRate = 0;
  for (let rate = 0.001; rate < 2; rate *= 1.01) {
    const idle = Math.exp(-rate);
    const success = rate * idle;
    const utilisation = success / (idle * a + (1 - idle) * (1 + a));
    if (utilisation > best) {
      best = utilisation;
      bestRate = rate;
    }
  }
  const idle = Math.exp(-bestRate);
  return idle / (1 - idle);
}

export class IdleSense implements Contention {
  readonly #random: Random;
  readonly #slotUs: number;
  #window = 8;
  #meanBusyUs: number;
  #target: number;
  #slots = 0;
  #transmissions = 0;
  #ownInARow = 0;

  /** @param busyUs the expected length of an exchange, until there are measurements */
  constructor(options: { random: Random; slotUs: number; busyUs: number }) {
    this.#random = options.random;
    this.#slotUs = options.slotUs;
    this.#meanBusyUs = options.busyUs;
    this.#target = optimalIdleSlots(this.#slotUs / this.#meanBusyUs);
  }

  get window(): number {
    return this.#alone ? ALONE_SLOTS : Math.round(this.#window);
  }

  get #alone(): boolean {
    return this.#ownInARow >= ALONE_AFTER;
  }

  drawSlots(): number {
    return this.#alone ? ALONE_SLOTS : this.#random.below(Math.round(this.#window));
  }

  observed(idleSlots: number, busyUs: number, own: boolean): void {
    if (!own) this.#ownInARow = 0;
    this.#meanBusyUs += (busyUs - this.#meanBusyUs) / 16;
    this.#slots += idleSlots;
    if (++this.#transmissions < TRANSMISSIONS_PER_STEP) return;
    const mean = this.#slots / this.#transmissions;
    this.#slots = 0;
    this.#transmissions = 0;
    this.#target = optimalIdleSlots(this.#slotUs / Math.max(this.#slotUs, this.#meanBusyUs));
    const window = this.#window;
    const next =
      mean < this.#target ? window * INVERSE_ALPHA : (2 * window) / (2 + EPSILON * window * this.#step(mean));
    this.#window = Math.min(WINDOW_MAX, Math.max(WINDOW_MIN, next));
  }

  succeeded(): void {
    this.#ownInARow++;
  }

  failed(): void {
    this.#ownInARow = 0;
  }

  /** The paper's additive step is for windows of hundreds; small windows need a larger one to move at all. */
  #step(meanSlots: number): number {
    return Math.min(100, (100 * (meanSlots - this.#target)) / this.#target + 10);
  }
}
