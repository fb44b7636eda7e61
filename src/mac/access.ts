/**
 * Channel access: when this station may transmit. Counts down its backoff in slots, yields to whatever is heard, and
 * calls `won` at the start of the slot that is its own. Where nobody or the modem contends, `won` comes at once.
 *
 * All stations must count the same slots, or what they agree upon falls apart. So the slots after an exchange count from
 * a moment that all of them know: the end of the answer, or where none came, the end of the time kept free for it; and
 * a carrier, always reported late, is counted to the slot in which its signal began.
 */
import type { Cancel, Scheduler } from '../base/clock.js';
import type { Station } from '../wire/packet.js';
import { Channel, type ChannelTotals } from './channel.js';
import type { Contention } from './contention.js';
import type { Phy } from './phy.js';
import type { MacObserver } from './ports.js';
import { type MacCounters, Receptions } from './statistics.js';
import type { MacTiming } from './timing.js';

/** Timers in a row that may miss their slot before a station transmits in whatever slot it is woken. */
const LATE_TIMERS_TOLERATED = 4;
/**
 * Share of the host's latency by which a slot may have begun when it is drawn. On a real clock time goes by between the
 * end of an exchange and the drawing: without this, slot 0 would always have gone by.
 */
const TOLERATED_LATENESS = 0.5;
/** After so many idle slots nobody else's grid is known any more, and a start need not keep to one. */
const GRID_KEPT_SLOTS = 64;

export interface AccessOptions {
  readonly phy: Phy;
  readonly scheduler: Scheduler;
  readonly timing: MacTiming;
  readonly contention: Contention;
  readonly counters: MacCounters;
  /** Whether stations on this channel answer frames; if so, what is not understood may be answered too. */
  readonly answers: boolean;
  /** Whether what is not understood is likely to go unanswered all the same, from the station that was expected. */
  goesUnanswered(expected: Station | undefined): boolean;
  readonly observer: Pick<MacObserver, 'stuckBusy' | 'stuckBusyEnded'>;
  won(): void;
}

export interface HeardFrame {
  readonly airtimeUs: number;
  /** Whether the exchange that it belongs to is confirmed by an answer. Default: no. */
  readonly confirmed?: boolean;
  /** From its end, the channel belongs to an answer for so long. Default: none is due. */
  readonly answerUs?: number;
  /** It can be no answer, whatever it was taken for. */
  readonly beginsTurn?: boolean;
}

export class ChannelAccess {
  readonly #options: AccessOptions;
  readonly #hostContends: boolean;
  readonly #channel: Channel;
  readonly #receptions: Receptions;
  #wanted = false;
  #wantedSinceUs = 0;
  /** The slot that is ours, counted from the channel's present slot origin; null: not drawn yet, or lost to another. */
  #dueSlot: number | null = null;
  #cancelAlarm: Cancel | null = null;
  #cancelStuck: Cancel | null = null;
  #carrierSinceUs = 0;
  /** Since when the modem has sensed a carrier whenever it was asked, and reported none; and whether that is believed. */
  #sensed: { readonly sinceUs: number; stuck: boolean } | null = null;
  #lateInARow = 0;
  /** When the exchange that is going on, or the last one, began. */
  #exchangeStartUs: number | null = null;
  /** When the present carrier began, if it may be the answer of the present exchange. */
  #answerStartUs: number | null = null;

  constructor(options: AccessOptions) {
    this.#options = options;
    this.#hostContends = options.phy.capabilities.channelAccess === 'host';
    this.#channel = new Channel(options.timing.slotUs, options.scheduler.nowUs());
    this.#channel.defer(options.timing.ackStartUs);
    this.#receptions = new Receptions(options.counters, options.phy.capabilities.carrierSense !== 'none');
  }

  get carrierBusy(): boolean {
    return this.#channel.carrierBusy;
  }

  get carrierStuck(): boolean {
    return this.#channel.carrierDistrusted;
  }

  /** Since when this station has wanted the channel, without a break. */
  get wantedSinceUs(): number {
    return this.#wantedSinceUs;
  }

  /** Slots are longer where stations ask before they send. Best changed between two turns. */
  set slotUs(slotUs: number) {
    this.#channel.slotUs = slotUs;
  }

  /** Somebody else was given the channel until then; null: no longer. */
  reserve(untilUs: number | null): void {
    this.#channel.reserve(untilUs);
  }

  reservedAt(nowUs: number): boolean {
    return this.#channel.reservedAt(nowUs);
  }

  snapshotAt(nowUs: number): ChannelTotals & { contentionWindow: number; carrierStuck: boolean } {
    if (!this.carrierBusy) this.#receptions.settle();
    return {
      ...this.#channel.totalsAt(nowUs),
      contentionWindow: this.#hostContends ? this.#options.contention.window : 0,
      carrierStuck: this.carrierStuck,
    };
  }

  /** Asks for the channel once; `won` answers. */
  request(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#wantedSinceUs = this.#options.scheduler.nowUs();
    this.resume();
  }

  /** Withdraws the request. */
  withdraw(): void {
    this.#wanted = false;
    this.#alarm(null);
  }

  /** A new backoff, after every transmission of one's own. */
  redraw(): void {
    this.#dueSlot = null;
    this.#draw();
  }

  /** Lets others go first for so many more slots. */
  yieldSlots(slots: number): void {
    if (this.#dueSlot === null) return;
    this.#dueSlot += slots;
    this.#options.contention.postponed?.(slots);
  }

  carrier(busy: boolean): void {
    const nowUs = this.#options.scheduler.nowUs();
    const { timing, answers } = this.#options;
    if (busy && !this.carrierBusy) this.#receptions.settle();
    if (busy && !this.#channel.busy) this.#signalBegins(nowUs - timing.carrierReportUs);
    this.#sensedNoMore();
    const wasStuck = this.carrierStuck;
    const changed = this.#channel.carrier(busy, nowUs);
    if (wasStuck && !busy) this.#options.observer.stuckBusyEnded?.(nowUs - this.#carrierSinceUs);
    this.#watchStuck(busy, nowUs);
    if (!changed) return;
    if (busy) {
      // Until the frame is understood, assume that it will be answered.
      const isFollowed = answers && !this.#options.goesUnanswered(this.#options.contention.expected);
      this.#channel.defer((isFollowed ? timing.ackStartUs : 0) - timing.carrierHoldUs);
      this.#alarm(null);
      return;
    }
    const answerStartUs = this.#answerStartUs;
    this.#answerStartUs = null;
    // What came as an answer and was as short as one needs no answer itself, understood or not.
    const lastedUs = answerStartUs === null ? 0 : nowUs - answerStartUs;
    if (lastedUs >= timing.answerMinUs && lastedUs <= timing.answerMaxUs) this.#channel.defer(-timing.carrierHoldUs);
    this.resume();
  }

  /**
   * A frame was understood.
   * @param source whose exchange it belongs to; null: nobody knows
   */
  heard(source: Station | null, { airtimeUs, confirmed = false, answerUs = 0, beginsTurn = false }: HeardFrame): void {
    const nowUs = this.#options.scheduler.nowUs();
    this.#receptions.understood();
    // A frame shorter than the time it takes to sense a carrier: this is the first we know of it.
    if (!this.#channel.busy) this.#signalBegins(nowUs - airtimeUs);
    if (beginsTurn && this.#answerStartUs !== null) this.#beginExchange(this.#answerStartUs, false);
    this.#options.contention.heard(source, confirmed);
    this.#answerStartUs = null;
    this.#signalEnds(nowUs, answerUs);
  }

  /**
   * Something ended that was no frame. Where an answer was due, that was the answer. Any other that was too short for its
   * carrier to be sensed is an exchange that nobody told us of; without it we would count other slots than those who did
   * understand it.
   * @param airtimeUs of what was a frame once; null: noise
   */
  spoiled(airtimeUs: number | null): void {
    this.#receptions.spoilt();
    const nowUs = this.#options.scheduler.nowUs();
    // Two that met end together, and are one: half its length is enough to tell that from what came afterwards.
    if (this.#channel.busy || nowUs - (airtimeUs ?? 0) / 2 < this.#channel.endedUs) return;
    if (nowUs < this.#channel.slotOriginUs) this.#signalEnds(nowUs, 0);
    else if (airtimeUs !== null) {
      this.#beginExchange(nowUs - airtimeUs, false);
      this.#signalEnds(nowUs, this.#options.answers ? this.#options.timing.ackStartUs : 0);
    }
  }

  /** Octets came that were no part of a frame. */
  noise(): void {
    this.#receptions.spoilt();
  }

  /** Our own signal starts. Data begins an exchange, an answer belongs to the one that is going on. */
  transmissionStarts(answer: boolean): void {
    const nowUs = this.#options.scheduler.nowUs();
    this.#alarm(null);
    if (!answer) this.#beginExchange(nowUs, true);
    this.#channel.transmitting(true, nowUs);
  }

  transmissionEnded(answerUs: number): void {
    const nowUs = this.#options.scheduler.nowUs();
    this.#channel.transmitting(false, nowUs);
    this.#channel.defer(answerUs);
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
    const nowUs = this.#options.scheduler.nowUs();
    // Before the answer is in, nobody knows what the exchange was; and nobody may start anyway.
    if (nowUs < this.#channel.slotOriginUs) this.#alarm(this.#channel.slotOriginUs);
    else {
      this.#draw();
      this.#alarm(Math.max(this.#dueUs(), nowUs));
    }
  }

  /** Draws a slot where none is drawn, or where the one that was drawn has gone by unused. */
  #draw(): void {
    if (!this.#hostContends) return;
    const nowUs = this.#options.scheduler.nowUs();
    const idleSlots = this.#channel.idleSlots(nowUs);
    const firstSlot =
      idleSlots > GRID_KEPT_SLOTS
        ? idleSlots
        : this.#channel.nextSlot(nowUs, this.#options.timing.latenessUs * TOLERATED_LATENESS);
    if (this.#dueSlot !== null && (this.#dueSlot >= firstSlot || this.#cancelAlarm !== null)) return;
    this.#dueSlot = firstSlot + this.#options.contention.drawSlots(idleSlots);
  }

  #dueUs(): number {
    return this.#channel.slotOriginUs + (this.#dueSlot ?? 0) * this.#channel.slotUs;
  }

  #slotReached(): void {
    if (!this.#wanted || this.#channel.busy) return;
    const { scheduler, timing, counters, phy } = this.#options;
    const nowUs = scheduler.nowUs();
    if (this.#dueSlot === null) {
      if (nowUs < this.#channel.slotOriginUs) {
        this.#alarm(this.#channel.slotOriginUs);
        return;
      }
      // A first slot begins at once: another timer would be late by itself.
      this.#draw();
    }
    const lateUs = nowUs - Math.max(this.#dueUs(), this.#wantedSinceUs);
    if (nowUs < this.#dueUs()) {
      this.#alarm(this.#dueUs());
      return;
    }
    const nextSlot = this.#channel.idleSlots(nowUs) + 1;
    if (lateUs > timing.latenessUs && this.#lateInARow < LATE_TIMERS_TOLERATED) {
      // A missed slot is gone, the grid stays.
      this.#lateInARow++;
      counters.lateTimers++;
      this.#dueSlot = nextSlot;
      this.#alarm(this.#dueUs());
      return;
    }
    if (!phy.senseBusy()) this.#sensedNoMore();
    else if (!this.carrierStuck && !this.#sensedTooLong(nowUs)) {
      // Lost by a hair: the carrier will be reported, and slots counted to where it began. If not, look once a slot.
      this.#alarm(this.#channel.slotOriginUs + nextSlot * this.#channel.slotUs, nextSlot);
      return;
    }
    this.#lateInARow = 0;
    counters.backoffSlots += this.#dueSlot ?? 0;
    this.#win();
  }

  #win(): void {
    this.#wanted = false;
    this.#options.won();
  }

  /** A signal in the time kept free for an answer is that answer; any other begins an exchange. */
  #signalBegins(startUs: number): void {
    const { slotOriginUs, endedUs } = this.#channel;
    if (slotOriginUs > endedUs && startUs + this.#options.timing.earlyStartUs < slotOriginUs)
      this.#answerStartUs = startUs;
    else this.#beginExchange(startUs, false);
  }

  #signalEnds(nowUs: number, answerUs: number): void {
    this.#channel.defer(answerUs);
    if (this.#channel.busy) return;
    this.#channel.signalEnded(nowUs);
    this.resume();
  }

  /** What was waited stays waited, and the exchange that begins counts as one slot. */
  #beginExchange(startUs: number, own: boolean): void {
    const { contention, counters, timing } = this.#options;
    const idleSlots = this.#channel.idleSlots(own ? startUs : startUs + timing.earlyStartUs);
    if (this.#exchangeStartUs !== null) contention.ended(this.#channel.endedUs - this.#exchangeStartUs);
    contention.began(idleSlots, own);
    this.#answerStartUs = null;
    this.#exchangeStartUs = startUs;
    if (own) {
      this.#dueSlot = null;
      return;
    }
    if (this.#wanted) counters.backoffs++;
    if (this.#dueSlot === null) return;
    const left = this.#dueSlot - idleSlots - 1;
    // Our slot and lost by a hair, or gone by unused.
    if (left < 0) this.#dueSlot = null;
    else this.#dueSlot = contention.recount === undefined ? left : contention.recount(left);
  }

  /** Whether what the modem senses, and does not report, is believed no longer. */
  #sensedTooLong(nowUs: number): boolean {
    this.#sensed ??= { sinceUs: nowUs, stuck: false };
    const { stuckBusyUs } = this.#options.timing;
    if (!this.#sensed.stuck && nowUs - this.#sensed.sinceUs > stuckBusyUs) {
      this.#sensed.stuck = true;
      this.#tellStuck();
    }
    return this.#sensed.stuck;
  }

  #sensedNoMore(): void {
    const sensed = this.#sensed;
    this.#sensed = null;
    if (sensed?.stuck) this.#options.observer.stuckBusyEnded?.(this.#options.scheduler.nowUs() - sensed.sinceUs);
  }

  #tellStuck(): void {
    this.#options.counters.stuckBusy++;
    this.#options.observer.stuckBusy?.(this.#options.timing.stuckBusyUs);
  }

  #watchStuck(busy: boolean, nowUs: number): void {
    this.#cancelStuck?.();
    this.#cancelStuck = null;
    if (!busy || !this.#hostContends) return;
    const { stuckBusyUs } = this.#options.timing;
    this.#carrierSinceUs = nowUs;
    this.#cancelStuck = this.#options.scheduler.at(nowUs + stuckBusyUs, () => {
      this.#cancelStuck = null;
      this.#channel.distrustCarrier(this.#options.scheduler.nowUs());
      this.#tellStuck();
      this.resume();
    });
  }

  /** @param dueSlot becomes our slot when the time has come */
  #alarm(atUs: number | null, dueSlot: number | null = null): void {
    this.#cancelAlarm?.();
    this.#cancelAlarm =
      atUs === null
        ? null
        : this.#options.scheduler.at(atUs, () => {
            this.#cancelAlarm = null;
            this.#dueSlot = dueSlot ?? this.#dueSlot;
            this.#slotReached();
          });
  }
}
