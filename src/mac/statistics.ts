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
  /** Acknowledgements that came along with what we sent; and bursts of ours whose acknowledgement might wait. */
  acksCarried: number;
  acksDeferred: number;
  /** Frames delivered upwards. */
  delivered: number;
  /** Frames heard that were meant for others. */
  overheard: number;
  /** Own frames heard back. */
  echoes: number;
  /** Receptions that were no good frame: one for each time that the channel was busy and nothing of it was understood. */
  garbled: number;
  /** Carriers that were busy for so long that they were no longer believed. */
  stuckBusy: number;
  /** Timers so late that their slot had passed. */
  lateTimers: number;
  /** Requests to send, where stations are hidden from each other; and how many were not cleared. */
  requests: number;
  requestsUnanswered: number;
  /** Times that the duty cycle made us wait, and answers that it kept back. */
  held: number;
  answersHeld: number;
  /** Transmissions whose end was not reported within the key-down limit. */
  keyDownExceeded: number;
  /** Transmissions whose end was not reported in many times the time that they take. */
  sentOverdue: number;
  /** Station identifications sent. */
  identifications: number;
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
    acksCarried: 0,
    acksDeferred: 0,
    delivered: 0,
    overheard: 0,
    echoes: 0,
    garbled: 0,
    stuckBusy: 0,
    lateTimers: 0,
    requests: 0,
    requestsUnanswered: 0,
    held: 0,
    answersHeld: 0,
    keyDownExceeded: 0,
    sentOverdue: 0,
    identifications: 0,
  };
}

/**
 * Tells receptions that were understood from those that were not, one for each time that the channel was busy. Whether a
 * driver reports the frame or the end of the carrier first does not matter.
 */
export class Receptions {
  readonly #counters: Pick<MacCounters, 'garbled'>;
  readonly #hasCarrier: boolean;
  #spoilt = false;
  #understood = false;

  /** @param hasCarrier whether somebody reports when the channel is busy; if not, all that is spoilt counts */
  constructor(counters: Pick<MacCounters, 'garbled'>, hasCarrier: boolean) {
    this.#counters = counters;
    this.#hasCarrier = hasCarrier;
  }

  /** The channel was idle and is busy: what was before is over. Also before counters are read while it is idle. */
  settle(): void {
    if (this.#spoilt && !this.#understood) this.#counters.garbled++;
    this.#spoilt = false;
    this.#understood = false;
  }

  understood(): void {
    this.#understood = true;
    if (!this.#hasCarrier) this.settle();
  }

  spoilt(): void {
    this.#spoilt = true;
    if (!this.#hasCarrier) this.settle();
  }
}

/** Buckets to an octave: a percentile is off by a tenth at most. */
const BUCKETS_AN_OCTAVE = 8;
/** Upper bound of the first bucket, so that powers of two in milliseconds are bounds, too. */
const FIRST_BOUND_US = 1000 / 2 ** 6;
/** To 2^20 ms, a quarter of an hour; the last bucket has what took longer. */
const OCTAVES = 26;

/** Durations since the start, counted in buckets whose bounds grow evenly; no allocation when it records. */
export class DurationHistogram {
  /** By bucket; only ever grows. */
  readonly counts = new Float64Array(OCTAVES * BUCKETS_AN_OCTAVE + 2);
  #sumUs = 0;

  get sumUs(): number {
    return this.#sumUs;
  }

  record(durationUs: number): void {
    const octaves = Math.log2(Math.max(FIRST_BOUND_US, durationUs) / FIRST_BOUND_US);
    const bucket = Math.min(this.counts.length - 1, Math.ceil(octaves * BUCKETS_AN_OCTAVE - 1e-9));
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.#sumUs += durationUs;
  }

  /** Upper bound of a bucket; infinite for the last one. */
  static boundUs(bucket: number): number {
    const isLast = bucket > OCTAVES * BUCKETS_AN_OCTAVE;
    return isLast ? Number.POSITIVE_INFINITY : FIRST_BOUND_US * 2 ** (bucket / BUCKETS_AN_OCTAVE);
  }
}

/** How long it takes from beginning to contend until a frame, or a burst, is settled. */
export class ServiceDelays {
  readonly #recent = new RecentDurations();
  readonly #all = new DurationHistogram();
  #sinceUs: number | null = null;

  /** Does nothing where it began before: repetitions go on with what they repeat. */
  begin(nowUs: number): void {
    this.#sinceUs ??= nowUs;
  }

  /** What it began with is gone; what comes next begins now. */
  restart(nowUs: number): void {
    this.#sinceUs = nowUs;
  }

  /** There is nothing to send. */
  abandon(): void {
    this.#sinceUs = null;
  }

  end(nowUs: number): void {
    if (this.#sinceUs === null) return;
    this.#recent.record(nowUs - this.#sinceUs);
    this.#all.record(nowUs - this.#sinceUs);
    this.#sinceUs = null;
  }

  /** It ends, and what is contended for meanwhile goes on. */
  next(nowUs: number): void {
    this.end(nowUs);
    this.begin(nowUs);
  }

  /** Percentiles of the latest ones, and all of them, live. */
  snapshot(): { delays: DurationHistogram; delayP50Us: number; delayP99Us: number } {
    const [delayP50Us, delayP99Us] = [this.#recent.percentileUs(0.5), this.#recent.percentileUs(0.99)];
    return { delays: this.#all, delayP50Us, delayP99Us };
  }
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
