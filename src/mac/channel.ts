/**
 * The channel as one station knows it: busy or idle, since when, and how long everybody must leave it alone after the
 * last signal. Idle slots are counted from the monotonic clock, so that late events shift nothing.
 */

export interface ChannelTotals {
  /** Time in which others' signals were sensed. */
  busyUs: number;
  /** Time in which we transmitted. */
  txUs: number;
  /** Time in which a carrier was sensed that was no longer believed. */
  stuckUs: number;
}

export class Channel {
  readonly #totals: ChannelTotals = { busyUs: 0, txUs: 0, stuckUs: 0 };
  /** As long as all stations on the channel take a slot to be. */
  slotUs: number;
  #carrier = false;
  #transmitting = false;
  /** Since when the channel has been busy as it is now. */
  #sinceUs: number;
  /** When the last signal ended. */
  #endedUs: number;
  /** How long after the last signal nobody may start: the time kept free for an answer. */
  #deferUs = 0;
  /** Until when somebody was given the channel. */
  #reservedUntilUs = Number.NEGATIVE_INFINITY;
  /** A carrier reported busy for too long is not believed until it has been idle once. */
  #carrierDistrusted = false;

  constructor(slotUs: number, nowUs: number) {
    this.slotUs = slotUs;
    this.#sinceUs = nowUs;
    this.#endedUs = nowUs;
  }

  get busy(): boolean {
    return this.#transmitting || this.carrierBusy;
  }

  get carrierBusy(): boolean {
    return this.#carrier && !this.#carrierDistrusted;
  }

  get carrierDistrusted(): boolean {
    return this.#carrierDistrusted;
  }

  /** The totals up to now, what goes on at this moment included. */
  totalsAt(nowUs: number): ChannelTotals {
    const present = this.#present;
    if (present === null) return { ...this.#totals };
    return { ...this.#totals, [present]: this.#totals[present] + Math.max(0, nowUs - this.#sinceUs) };
  }

  get endedUs(): number {
    return this.#endedUs;
  }

  /** The moment from which idle slots count; only meaningful while the channel is idle. */
  get slotOriginUs(): number {
    return Math.max(this.#endedUs + this.#deferUs, this.#reservedUntilUs);
  }

  /** Whole idle slots that have gone by, 0 while busy. */
  idleSlots(nowUs: number): number {
    if (this.busy) return 0;
    return Math.max(0, Math.floor((nowUs - this.slotOriginUs) / this.slotUs));
  }

  /** The number of the first slot that starts now or later, or began so short a time ago that it still counts; 0 while busy. */
  nextSlot(nowUs: number, toleratedUs: number): number {
    if (this.busy) return 0;
    return Math.max(0, Math.ceil((nowUs - this.slotOriginUs - toleratedUs) / this.slotUs));
  }

  /** Reports whether the channel, as a whole, changed between busy and idle. */
  carrier(busy: boolean, nowUs: number): boolean {
    if (busy === this.#carrier) return false;
    const before = this.busy;
    this.#account(nowUs);
    this.#carrier = busy;
    if (!busy) this.#carrierDistrusted = false;
    if (before && !this.busy) this.#endedUs = nowUs;
    return before !== this.busy;
  }

  transmitting(on: boolean, nowUs: number): void {
    if (on === this.#transmitting) return;
    this.#account(nowUs);
    this.#transmitting = on;
    if (!on) this.#endedUs = nowUs;
  }

  /** A signal ended now, though no carrier may ever have been reported. */
  signalEnded(nowUs: number): void {
    this.#endedUs = nowUs;
  }

  /** Gives up on a carrier that will not end. */
  distrustCarrier(nowUs: number): void {
    if (!this.carrierBusy) return;
    this.#account(nowUs);
    this.#carrierDistrusted = true;
    this.#endedUs = nowUs;
  }

  /** From the end of the last signal, keep the channel free for so long. Negative: it ended before it was reported. */
  defer(deferUs: number): void {
    this.#deferUs = deferUs;
  }

  /** Keeps the channel free until then, whatever else is heard; null: no longer. */
  reserve(untilUs: number | null): void {
    this.#reservedUntilUs = untilUs ?? Number.NEGATIVE_INFINITY;
  }

  reservedAt(nowUs: number): boolean {
    return nowUs < this.#reservedUntilUs;
  }

  #account(nowUs: number): void {
    const present = this.#present;
    if (present !== null) this.#totals[present] += Math.max(0, nowUs - this.#sinceUs);
    this.#sinceUs = nowUs;
  }

  /** What the time that goes by now counts as; null: idle. */
  get #present(): keyof ChannelTotals | null {
    if (this.#transmitting) return 'txUs';
    if (!this.#carrier) return null;
    return this.#carrierDistrusted ? 'stuckUs' : 'busyUs';
  }
}
