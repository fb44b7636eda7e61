/**
 * The port between channel access and the rule that decides how many slots to wait. A slot is an idle slot, or an
 * exchange (a frame or a burst with its answer, or a collision): at every station alike, so that stations which hear
 * each other count the same slots.
 */
import type { Station } from '../wire/packet.js';

/** What channel access tells about the channel, and asks of it. */
export interface Contention {
  /**
   * Slots to let pass before the next transmission; 0: take the next slot.
   * @param idleSlots idle slots that have gone by since the last exchange
   */
  drawSlots(idleSlots: number): number;
  /** An exchange, ours or another's, begins after so many idle slots. */
  began(idleSlots: number, own: boolean): void;
  /**
   * A frame of the present exchange was understood. Not called for collisions and what noise has spoiled.
   * @param source whose exchange it is; null: nobody knows
   * @param confirmed whether its receiver will confirm it, so that its sender learns of a collision
   */
  heard(source: Station | null, confirmed: boolean): void;
  /** The present exchange kept the channel for so long, its answer included. */
  ended(busyUs: number): void;
  /**
   * Another's exchange began while `slotsLeft` slots were still to be waited after it; how many those shall be. Null:
   * draw again when the exchange is over. Absent: as many.
   */
  recount?(slotsLeft: number): number | null;
  /** The slot that was drawn last is given up for one so many slots later. */
  postponed?(slots: number): void;
  /** Who was expected to begin the exchange that is going on. Undefined: nobody, or nobody knows. */
  readonly expected?: Station | undefined;
  /** Whether a station is due before our next turn but the one that begins now. Absent: nobody knows. */
  precedes?(station: Station): boolean;
  /** Our exchange is over: confirmed by its receiver, or one that nobody confirms. */
  succeeded(confirmed: boolean): void;
  /** No acknowledgement came; the next exchange may have begun before that was certain. */
  failed(): void;
  /** The present window or cycle in slots, for the log. */
  readonly window: number;
}

const nothing = (): void => undefined;

/** Where the modem contends, or nobody: nothing is asked, so nothing is counted. */
export const NO_CONTENTION: Contention = {
  drawSlots: () => 0,
  began: nothing,
  heard: nothing,
  ended: nothing,
  succeeded: nothing,
  failed: nothing,
  window: 0,
};

/**
 * The mean number of attempts per slot that carries most: the maximum over G of
 * U(G) = G e^-G / (e^-G a + (1 - e^-G)(1 + a)), which is p-persistent CSMA (Kleinrock and Tobagi 1975) with n p = G for
 * many stations. At most 1, the optimum of slotted ALOHA.
 * @param a slot length / busy period length
 */
export function optimalAttempts(a: number): number {
  let best = 0;
  let bestRate = 1;
  for (let rate = 0.01; rate <= 1; rate *= 1.02) {
    const idle = Math.exp(-rate);
    const utilisation = (rate * idle) / (idle * a + (1 - idle) * (1 + a));
    if (utilisation > best) {
      best = utilisation;
      bestRate = rate;
    }
  }
  return bestRate;
}
