/**
 * Channel access: when this station may transmit. Counts down its backoff in idle slots, yields to whatever is heard,
 * and calls `won` at the start of the slot that is its own. Where nobody or the modem contends, `won` comes at once.
 */
import type { Cancel, Scheduler } from '../base/clock.js';
import { Channel } from './channel.js';
import type { Contention } from './contention.js';
import type { Phy } from './phy.js';
import type { MacCounters } from './statistics.js';
import type { MacTiming } from './timing.js';

/** Timers in a row that may miss their slot before a station transmits in whatever slot it is woken. */
const LATE_TIMERS_TOLERATED = 4;

export interface AccessOptions {
  readonly phy: Phy;
  readonly scheduler: Scheduler;
  readonly timing: MacTiming;
  readonly contention: Contention;
  readonly counters: MacCounters;
  won(): void;
  stuckBusy(busyForUs: number): void;
}

/** One exchange on the channel: a frame with its ACK, or a collision. */
interface Exchange {
  readonly idleSlotsBefore: number;
  readonly startUs: number;
  endUs: number;
  readonly own: boolean;
}

export class ChannelAccess {
  readonly #options: AccessOptions;
  readonly #hostContends: boolean;
  readonly #channel: Channel;
  #wanted = false;
  #wantedSinceUs = 0;
  /** Slots still to be waited, counted from the channel's present slot origin. */
  #backoffSlots: number;
  #cancelAlarm: Cancel | null = null;
  #cancelStuck: Cancel | null = null;
  #lateInARow = 0;
  #exchange: Exchange | null = null;

  constructor(options: AccessOptions) {
    this.#options = options;
    this.#hostContends = options.phy.capabilities.channelAccess === 'host';
    this.#channel = new Channel(options.timing.slotUs, options.scheduler.nowUs());
    this.#channel.defer(options.timing.ackStartUs);
    this.#backoffSlots = options.contention.drawSlots();
  }

  get carrierBusy(): boolean {
    return this.#channel.carrierBusy;
  }

  /** Since when this station has wanted the channel, without a break. */
  get wantedSinceUs(): number {
    return this.#wantedSinceUs;
  }

  get window(): number {
    return this.#hostContends ? this.#options.contention.window : 0;
  }

  totalsAt(nowUs: number): { busyUs: number; txUs: number } {
    return this.#channel.totalsAt(nowUs);
  }

  /** Asks for the channel once; `won` answers. */
  request(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#wantedSinceUs = this.#options.scheduler.nowUs();
    this.resume();
  }

  /** Who wakes up to a busy channel with no backoff left would start together with everybody else of the kind. */
  joinBusyChannel(): void {
    if (this.#channel.busy && this.#backoffSlots === 0) this.redraw();
  }

  /** Withdraws the request. */
  withdraw(): void {
    this.#wanted = false;
    this.#alarm(null);
  }

  /** A new backoff, after every transmission of one's own. */
  redraw(): void {
    this.#backoffSlots = this.#options.contention.drawSlots();
  }

  /** After the present signal, the channel belongs to an answer for so long; 0 when none is due. */
  defer(deferUs: number): void {
    this.#channel.defer(deferUs);
  }

  carrier(busy: boolean): void {
    const nowUs = this.#options.scheduler.nowUs();
    if (busy && !this.#channel.busy) this.#beginExchange(nowUs, false);
    const changed = this.#channel.carrier(busy, nowUs);
    this.#watchStuck(busy, nowUs);
    if (!changed) return;
    if (busy) {
      // Until the frame is understood, assume that it will be answered.
      this.#channel.defer(this.#options.timing.ackStartUs);
      this.#alarm(null);
    } else {
      this.#extendExchange(nowUs);
      this.resume();
    }
  }

  /** Our own signal starts. Data begins an exchange, an answer belongs to the one that is going on. */
  transmissionStarts(answer: boolean): void {
    const nowUs = this.#options.scheduler.nowUs();
    this.#alarm(null);
    if (!answer) this.#beginExchange(nowUs, true);
    this.#channel.transmitting(true, nowUs);
  }

  transmissionEnded(deferUs: number): void {
    const nowUs = this.#options.scheduler.nowUs();
    this.#channel.transmitting(false, nowUs);
    // Everybody else learns of the end a carrier detection later; count slots from there too.
    this.#channel.defer(this.#options.phy.timing.carrierDetectUs + deferUs);
    this.#extendExchange(nowUs);
  }

  close(): void {
    this.withdraw();
    this.#cancelStuck?.();
    this.#cancelStuck = null;
  }

  /** Goes on waiting for the channel after a transmission of one's own. */
  resume(): void {
    if (!this.#wanted) return;
    if (!this.#hostContends) {
      this.#win();
      return;
    }
    if (this.#channel.busy) return;
    this.#alarm(Math.max(this.#dueUs(), this.#options.scheduler.nowUs()));
  }

  #dueUs(): number {
    return this.#channel.slotOriginUs + this.#backoffSlots * this.#options.timing.slotUs;
  }

  #slotReached(): void {
    if (!this.#wanted || this.#channel.busy) return;
    const { scheduler, timing, counters, phy } = this.#options;
    const nowUs = scheduler.nowUs();
    const lateUs = nowUs - Math.max(this.#dueUs(), this.#wantedSinceUs);
    const missed = lateUs > timing.latenessUs && this.#lateInARow < LATE_TIMERS_TOLERATED;
    if (missed) {
      this.#lateInARow++;
      counters.lateTimers++;
    }
    // A missed slot is gone, the grid stays. A last look that hears something has lost by a hair: the carrier will be
    // reported; if not, the next slot is looked at.
    if (missed || phy.senseBusy()) {
      this.#backoffSlots = this.#channel.idleSlots(nowUs) + 1;
      this.#alarm(this.#dueUs());
      return;
    }
    this.#lateInARow = 0;
    counters.backoffSlots += this.#backoffSlots;
    this.#win();
  }

  #win(): void {
    this.#wanted = false;
    this.#options.won();
  }

  /** What was waited stays waited, and the exchange that begins counts as one slot. */
  #beginExchange(nowUs: number, own: boolean): void {
    // A signal in the time kept free for an answer is that answer.
    if (!own && nowUs < this.#channel.slotOriginUs && this.#exchange !== null) return;
    const idleSlots = this.#channel.idleSlots(nowUs);
    if (!own) {
      if (this.#wanted && this.#backoffSlots > idleSlots) this.#options.counters.backoffs++;
      this.#backoffSlots = Math.max(0, this.#backoffSlots - idleSlots - 1);
    }
    const last = this.#exchange;
    if (last !== null) this.#options.contention.observed(last.idleSlotsBefore, last.endUs - last.startUs, last.own);
    this.#exchange = { idleSlotsBefore: idleSlots, startUs: nowUs, endUs: nowUs, own };
  }

  #extendExchange(nowUs: number): void {
    if (this.#exchange !== null) this.#exchange.endUs = nowUs;
  }

  #watchStuck(busy: boolean, nowUs: number): void {
    this.#cancelStuck?.();
    this.#cancelStuck = null;
    if (!busy || !this.#hostContends) return;
    const { stuckBusyUs } = this.#options.timing;
    this.#cancelStuck = this.#options.scheduler.at(nowUs + stuckBusyUs, () => {
      this.#cancelStuck = null;
      this.#options.counters.stuckBusy++;
      this.#channel.distrustCarrier(this.#options.scheduler.nowUs());
      this.#options.stuckBusy(stuckBusyUs);
      this.resume();
    });
  }

  #alarm(atUs: number | null): void {
    this.#cancelAlarm?.();
    this.#cancelAlarm =
      atUs === null
        ? null
        : this.#options.scheduler.at(atUs, () => {
            this.#cancelAlarm = null;
            this.#slotReached();
          });
  }
}
