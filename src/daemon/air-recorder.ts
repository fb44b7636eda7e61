/**
 * Makes records of what the MAC tells its tap. A record is given out once it is known what became of the frame, and in the
 * order in which frames passed: an own frame holds back what follows it until its answer has come or is overdue. So a
 * capture tells of each frame once, its times only grow, and it lags behind the air by one exchange at most.
 */
import type { AirTap, Heard, OwnFrame, Transmitted } from '../mac/air-tap.js';
import type { ReceptionMeta } from '../mac/phy.js';

/** `open`: the capture ended, or too much followed, before it was known. */
export type AirOutcome = Transmitted | Heard | 'acknowledged' | 'unacknowledged' | 'open';

export interface AirRecord {
  /** Handed to the modem, or got from it whole; see `clockUs`. */
  readonly atUs: number;
  readonly direction: 'inbound' | 'outbound';
  readonly octets: Uint8Array;
  /** Of own frames: how often it has been sent, this time included; 0 for what is never repeated. */
  readonly attempt?: number;
  readonly rssiDbm?: number;
  readonly snrDb?: number;
  readonly outcome: AirOutcome;
}

interface Held extends Omit<AirRecord, 'outcome'> {
  readonly own?: OwnFrame;
  outcome: AirOutcome | null;
}

/** More than any exchange has; beyond, frames are given out with their outcome open. */
const HELD_MAX = 256;

export interface AirRecorderParts {
  /** Microseconds; only grows. */
  clockUs(): number;
  record(record: AirRecord): void;
}

export class AirRecorder implements AirTap {
  readonly #parts: AirRecorderParts;
  readonly #held: Held[] = [];
  #onAir: Held | null = null;
  #hearing: Held | null = null;
  #waiting: Held[] = [];

  constructor(parts: AirRecorderParts) {
    this.#parts = parts;
  }

  transmitting(octets: Uint8Array, own: OwnFrame): void {
    const { attempt } = own;
    const atUs = this.#parts.clockUs();
    this.#onAir = this.#hold({ atUs, direction: 'outbound', octets: octets.slice(), attempt, own, outcome: null });
  }

  transmitted(outcome: Transmitted): void {
    const held = this.#onAir;
    this.#onAir = null;
    if (held === null) return;
    if (outcome === 'sent' && held.own?.wantsAck === true) this.#waiting.push(held);
    else this.#decide(held, outcome);
  }

  settled(acknowledged: readonly number[] | null): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const held of waiting) {
      const sequence = held.own?.sequence ?? null;
      const answered = acknowledged !== null && (sequence === null || acknowledged.includes(sequence));
      this.#decide(held, answered ? 'acknowledged' : 'unacknowledged');
    }
  }

  received(octets: Uint8Array, meta: ReceptionMeta): void {
    const atUs = this.#parts.clockUs();
    this.#hearing = this.#hold({ ...meta, atUs, direction: 'inbound', octets: octets.slice(), outcome: null });
  }

  heard(outcome: Heard): void {
    const held = this.#hearing;
    this.#hearing = null;
    if (held !== null) this.#decide(held, outcome);
  }

  /** Gives out everything. */
  end(): void {
    for (const held of this.#held) held.outcome ??= 'open';
    this.#giveOut();
  }

  #hold(held: Held): Held {
    this.#held.push(held);
    const oldest = this.#held[0];
    if (this.#held.length > HELD_MAX && oldest !== undefined) this.#decide(oldest, 'open');
    return held;
  }

  #decide(held: Held, outcome: AirOutcome): void {
    held.outcome ??= outcome;
    this.#giveOut();
  }

  #giveOut(): void {
    for (;;) {
      const oldest = this.#held[0];
      if (oldest === undefined || oldest.outcome === null) return;
      this.#held.shift();
      this.#parts.record({ ...oldest, outcome: oldest.outcome });
    }
  }
}
