/**
 * Who answers what at once. After an interactive packet its sender lets others go first, for the answer (a ping's reply,
 * a terminal's echo); where none ever comes (one-way telemetry, voice) that would only waste the channel.
 */
import type { Station } from '../wire/packet.js';

const YIELD_SLOTS = 4;
/** A station that left so many in a row without an answer is not expected to give one. */
const PATIENCE = 4;
/** Habits change: it is tried again at every so many. */
const RETRY_EVERY = 16;

export class AnswerHabits {
  /** Interactive packets in a row that a station left without an answer. */
  readonly #silences = new Map<Station, number>();

  /** Whether the next interactive packet to that station is likely to be answered at once. */
  expected(station: Station): boolean {
    const silences = this.#silences.get(station) ?? 0;
    return silences < PATIENCE || silences % RETRY_EVERY === 0;
  }

  /** An interactive packet reached that station. Gives the slots to leave to its answer. */
  asked(station: Station): number {
    const slots = this.expected(station) ? YIELD_SLOTS : 0;
    this.#silences.set(station, (this.#silences.get(station) ?? 0) + 1);
    return slots;
  }

  /** A packet for us came from that station. */
  heard(station: Station): void {
    this.#silences.delete(station);
  }
}
