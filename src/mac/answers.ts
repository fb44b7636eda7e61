/** The acknowledgements that this station owes: at once where it can, after its own transmission, or at a burst's end. */
import type { Cancel, Scheduler } from '../base/clock.js';
import type { Station } from '../wire/packet.js';
import type { Deferral } from './deferral.js';
import type { Receiver } from './receiver.js';
import type { MacCounters } from './statistics.js';
import type { Transmitter } from './transmitter.js';

/** ACKs that may wait while a full-duplex modem is transmitting. */
const PENDING_MAX = 16;

export interface AnswersOptions {
  readonly scheduler: Scheduler;
  /** The next frame of a burst is sensed so soon. */
  readonly burstGapUs: number;
  readonly receiver: Receiver;
  readonly deferral: Deferral;
  readonly transmitter: Transmitter;
  readonly counters: MacCounters;
  /** Whether the modem can be used. */
  up(): boolean;
}

export class Answers {
  readonly #options: AnswersOptions;
  readonly #pending: Station[] = [];
  /** A burst to us goes on; it is answered at its end, also if its last frame cannot be understood. */
  #owed: Station | null = null;
  #cancelBurstEnd: Cancel | null = null;

  constructor(options: AnswersOptions) {
    this.#options = options;
  }

  /** Whose burst goes on, or broke off. */
  get owed(): Station | null {
    return this.#owed;
  }

  burstGoesOn(station: Station): void {
    this.#owed = station;
  }

  /** The burst is over, and is not answered now. */
  burstIsOver(): void {
    this.#owed = null;
  }

  /** Answers now, or after our own transmission. */
  give(station: Station): void {
    const { transmitter, receiver, deferral, counters, up } = this.#options;
    this.#owed = null;
    deferral.answered(station);
    if (!up()) return;
    if (transmitter.onAir !== null) {
      if (this.#pending.length < PENDING_MAX) this.#pending.push(station);
    } else if (transmitter.answer('ack', receiver.acknowledgement(station))) counters.acksSent++;
  }

  /** A transmission of our own is over: what was put off comes now. */
  giveNext(): void {
    const next = this.#pending.shift();
    if (next !== undefined) this.give(next);
  }

  /**
   * A burst to us is not over, as far as we understood. If it goes on, it does so at once; if not, its last frame
   * was not understood, and its sender waits for the answer all the same.
   */
  carrier(busy: boolean): void {
    this.#cancelBurstEnd?.();
    this.#cancelBurstEnd = null;
    const owed = this.#owed;
    if (busy || owed === null) return;
    const { scheduler, burstGapUs } = this.#options;
    this.#cancelBurstEnd = scheduler.at(scheduler.nowUs() + burstGapUs, () => {
      this.#cancelBurstEnd = null;
      if (this.#owed === owed) this.give(owed);
    });
  }

  clear(): void {
    this.#pending.length = 0;
    this.#options.deferral.clear();
    this.#owed = null;
    this.#cancelBurstEnd?.();
    this.#cancelBurstEnd = null;
  }
}
