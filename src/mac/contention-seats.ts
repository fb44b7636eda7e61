/**
 * Which station is expected in which of the coming slots. A station that had its say keeps a seat: it is expected again
 * one cycle later. Everybody who hears it writes down the same.
 */
import type { Station } from '../wire/packet.js';

export interface Seat {
  /** The slot in which its holder is expected, counted since the beginning. */
  dueSlot: number;
  /** When it was heard last. */
  heardSlot: number;
  /** How often in a row the slot came and was idle, or was filled by something that was not understood. */
  idleMisses: number;
  unknownMisses: number;
}

/** Slots that can be looked ahead: more than the longest cycle. */
const AHEAD_SLOTS = 1024;

export class Seats {
  readonly #seats = new Map<Station, Seat>();
  /** By slot number modulo its length; 0: nobody is expected. */
  readonly #expected = new Uint8Array(AHEAD_SLOTS);

  get size(): number {
    return this.#seats.size;
  }

  get(station: Station): Seat | undefined {
    return this.#seats.get(station);
  }

  /** Who is expected in a slot, less than 1024 slots ahead; undefined: nobody. */
  expectedIn(slot: number): Station | undefined {
    return this.#expected[slot % AHEAD_SLOTS] || undefined;
  }

  /** The seat of a station; a new one if it has none, in a slot where nobody expects it any more. */
  taken(station: Station, slot: number): Seat {
    let seat = this.#seats.get(station);
    if (seat === undefined) {
      seat = { dueSlot: slot, heardSlot: Number.NEGATIVE_INFINITY, idleMisses: 0, unknownMisses: 0 };
      this.#seats.set(station, seat);
    }
    return seat;
  }

  /** Expects the holder of a seat in a slot, instead of where it was expected before. Nothing if it has none. */
  place(station: Station, dueSlot: number): void {
    const seat = this.#seats.get(station);
    if (seat === undefined) return;
    this.#clear(station, seat);
    seat.dueSlot = dueSlot;
    this.#expected[dueSlot % AHEAD_SLOTS] = station;
  }

  remove(station: Station): void {
    const seat = this.#seats.get(station);
    if (seat === undefined) return;
    this.#clear(station, seat);
    this.#seats.delete(station);
  }

  #clear(station: Station, { dueSlot }: Seat): void {
    const index = dueSlot % AHEAD_SLOTS;
    if (this.#expected[index] === station) this.#expected[index] = 0;
  }
}
