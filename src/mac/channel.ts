/**
 * The channel as one station knows it: busy or idle, since when, and how long everybody must leave it alone after the
 * last signal. Idle slots are counted from the monotonic clock, so that late events shift nothing.
 */

export interface ChannelTotals {
  /** Time in which others' signals were sensed. */
  busyUs: number;
  /** Time in which we transmitted. */
  txUs: number;
}

export class Channel {
  readonly #totals: ChannelTotals = { busyUs: 0, txUs: 0 };
  readonly #slotUs: number;
  #carrier = false;
  #transmitting = false;
  /** Since when the channel has been as it is now. */
  #sinceUs: number;
  /** How long after the last signal nobody may start: the time kept free for an ACK. */
  #deferUs = 0;
  /** A carrier reported busy for too long is not believed until it has been idle once. */
  #carrierDistrusted = false;

  constructor(slotUs: number, nowUs: number) {
    this.#slotUs = slotUs;
    this.#sinceUs = nowUs;
  }

  get busy(): boolean {
    return this.#transmitting || (this.#carrier && !this.#carrierDistrusted);
  }

  get carrierBusy(): boolean {
    return this.#carrier && !this.#carrierDistrusted;
  }

  /** The totals up to now, what goes on at this moment included. */
  totalsAt(nowUs: number): ChannelTotals {
    const { busyUs, txUs } = this.#totals;
    const presentUs = Math.max(0, nowUs - this.#sinceUs);
    if (this.#transmitting) return { busyUs, txUs: txUs + presentUs };
    return this.carrierBusy ? { busyUs: busyUs + presentUs, txUs } : { busyUs, txUs };
  }

  /** The moment from which idle slots count; only meaningful while the channel is idle. */
  get slotOriginUs(): number {
    return this.#sinceUs + this.#deferUs;
  }

  /** Whole idle slots that have gone by, 0 while busy. */
  idleSlots(nowUs: number): number {
    if (this.busy) return 0;
    return Math.max(0, Math.floor((nowUs - this.slotOriginUs) / this.#slotUs));
  }

  /** Reports whether the channel, as a whole, changed between busy and idle. */
  carrier(busy: boolean, nowUs: number): boolean {
    if (busy === this.#carrier) return false;
    const before = this.busy;
    if (this.carrierBusy) this.#totals.busyUs += Math.max(0, nowUs - this.#sinceUs);
    this.#carrier = busy;
    if (!busy) this.#carrierDistrusted = false;
    return this.#changed(before, nowUs);
  }

  transmitting(on: boolean, nowUs: number): boolean {
    if (on === this.#transmitting) return false;
    const before = this.busy;
    if (!on) this.#totals.txUs += Math.max(0, nowUs - this.#sinceUs);
    else if (this.carrierBusy) this.#totals.busyUs += Math.max(0, nowUs - this.#sinceUs);
    this.#transmitting = on;
    return this.#changed(before, nowUs, on);
  }

  /** Gives up on a carrier that will not end. */
  distrustCarrier(nowUs: number): void {
    if (!this.carrierBusy) return;
    const before = this.busy;
    this.#totals.busyUs += Math.max(0, nowUs - this.#sinceUs);
    this.#carrierDistrusted = true;
    this.#changed(before, nowUs);
  }

  /** From the end of the last signal, keep the channel free for so long. */
  defer(deferUs: number): void {
    this.#deferUs = deferUs;
  }

  #changed(before: boolean, nowUs: number, always = false): boolean {
    const changed = before !== this.busy;
    if (changed || always) this.#sinceUs = nowUs;
    return changed;
  }
}
