/** What the MAC counts about itself. Access backoffs, attempts and outcomes are kept apart. */

export interface MacCounters {
  /** Data transmissions begun, retries included. */
  attempts: number;
  /** Unicast frames acknowledged. */
  acked: number;
  /** Attempts that should have been acknowledged and were not. */
  unacked: number;
  /** Frames sent that ask for no acknowledgement. */
  unconfirmed: number;
  /** Times that a countdown was interrupted by a busy channel. */
  backoffs: number;
  /** Idle slots waited before own transmissions. */
  backoffSlots: number;
  /** Acknowledgements sent. */
  acksSent: number;
  /** Frames delivered upwards. */
  delivered: number;
  /** Frames heard that were meant for others. */
  overheard: number;
  /** Carriers that were busy for so long that they were no longer believed. */
  stuckBusy: number;
  /** Timers so late that their slot had passed. */
  lateTimers: number;
}

export function newMacCounters(): MacCounters {
  return {
    attempts: 0,
    acked: 0,
    unacked: 0,
    unconfirmed: 0,
    backoffs: 0,
    backoffSlots: 0,
    acksSent: 0,
    delivered: 0,
    overheard: 0,
    stuckBusy: 0,
    lateTimers: 0,
  };
}

/** The latest samples of a duration, for percentiles; bounded, no allocation when it records. */
export class RecentDurations {
  readonly #samplesUs: Float64Array;
  #next = 0;
  #filled = 0;

  constructor(capacity = 512) {
    this.#samplesUs = new Float64Array(capacity);
  }

  record(durationUs: number): void {
    this.#samplesUs[this.#next] = durationUs;
    this.#next = (this.#next + 1) % this.#samplesUs.length;
    this.#filled = Math.min(this.#filled + 1, this.#samplesUs.length);
  }

  /** The value below which `share` (0 to 1) of the samples lie; 0 without samples. */
  percentileUs(share: number): number {
    if (this.#filled === 0) return 0;
    const sorted = this.#samplesUs.slice(0, this.#filled).sort();
    return sorted[Math.min(this.#filled - 1, Math.floor(share * this.#filled))] ?? 0;
  }
}
