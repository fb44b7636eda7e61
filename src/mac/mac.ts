/**
 * The MAC: decides when this station transmits, what becomes of each frame, and what of the received ones goes up.
 * Pure: clock, timers and chance come in; the same object runs in the daemon and in virtual time.
 *
 * The way of one frame: 1. `demand` says that something may wait. 2. The station contends (host), or waits for its
 * modem. 3. Having won, and only then, it pulls a packet from the source. 4. It transmits, one frame or a burst; where
 * stations are hidden from each other, after a request; unicast waits for an ACK. 5. Acknowledged, or given up with a
 * cause. Without bursts one packet is in hand at most.
 */
import type { DropCause } from '../base/drops.js';
import type { LinkFrame } from '../wire/link-frame.js';
import { BROADCAST, type Station } from '../wire/packet.js';
import type { AirTap, Heard } from './air-tap.js';
import type { Neighbours } from './neighbours.js';
import { type Acknowledgement, saysArrived } from './outbox.js';
import { isFollowed } from './overhearing.js';
import { createParts, type MacParts } from './parts.js';
import type { PhyListener, ReceptionMeta } from './phy.js';
import type { MacOptions, MacSnapshot, MacState } from './ports.js';
import { hear } from './reception.js';
import type { BurstFrame } from './sender.js';
import { snapshotOf } from './snapshot.js';
import type { MacCounters } from './statistics.js';
import type { MacTiming } from './timing.js';

export class Mac implements PhyListener {
  /** Hears every frame while somebody captures; nothing is done for it otherwise. */
  tap: AirTap | null = null;
  readonly #options: MacOptions;
  readonly #parts: MacParts;
  #state: MacState = 'down';
  /** Who got an interactive packet with the last frame. */
  #asking: Station | null = null;
  /** The data frame that is on the air. */
  #sending: BurstFrame | null = null;
  /** The answer to what is on the air came before the modem had said that it is sent: taken when it does. */
  #early: (() => void) | null = null;
  #finishing = false;

  constructor(options: MacOptions) {
    this.#options = options;
    this.#parts = createParts(options, {
      won: () => this.#won(),
      demand: () => this.demand(),
      up: () => this.#state !== 'down' && this.#state !== 'finishing',
      tap: () => this.tap,
    });
    options.phy.attach(this);
  }

  get timing(): MacTiming {
    return this.#parts.timing;
  }

  get counters(): MacCounters {
    return this.#parts.counters;
  }

  get neighbours(): Neighbours {
    return this.#parts.neighbours;
  }

  /** Something may wait at the source. */
  demand(): void {
    if (this.#state === 'idle') this.#contend();
  }

  /** Pulls nothing more; `finished` is called once the transmission in progress is over. */
  finish(): void {
    this.#finishing = true;
    if (this.#parts.transmitter.onAir === null) this.#finish();
  }

  snapshot(): MacSnapshot {
    return snapshotOf(this.#parts, this.#state, this.#options.scheduler.nowUs());
  }

  // ---- what the modem reports -------------------------------------------------------------------------------------

  ready(up: boolean): void {
    if (this.#state === 'finishing') return;
    if (!up) {
      // What is in hand stays there: if the line is back before the deadline, it is sent again.
      this.#parts.access.withdraw();
      this.#parts.transmitter.lost();
      this.#parts.answerWait.stop();
      this.tap?.settled(null);
      this.#parts.answers.clear();
      this.#state = 'down';
      return;
    }
    if (this.#state !== 'down') return;
    const { quietUntilUs } = this.#parts.limits;
    if (this.#options.scheduler.nowUs() >= quietUntilUs) this.#contend();
    else this.#parts.transmitter.hold(quietUntilUs, () => this.#contend());
  }

  carrier(busy: boolean): void {
    this.#parts.answers.carrier(busy);
    this.#parts.access.carrier(busy);
  }

  received(octets: Uint8Array, meta: ReceptionMeta): boolean {
    this.tap?.received(octets, meta);
    const outcome = this.#receive(octets, meta);
    this.tap?.heard(outcome);
    return outcome !== 'rx-fcs' && outcome !== 'rx-truncated';
  }

  #receive(octets: Uint8Array, meta: ReceptionMeta): Heard {
    const { config, station, scheduler } = this.#options;
    const frame = hear(this.#options, this.#parts, octets, meta);
    if (typeof frame === 'string') return frame;
    const nowUs = scheduler.nowUs();
    for (const { to, ...arrived } of frame.piggyback?.acks ?? []) {
      if (to === station) this.#acknowledged(frame.source, arrived);
    }
    if (frame.destination !== station && frame.destination !== BROADCAST) {
      this.counters.overheard++;
      return 'overheard';
    }
    if (frame.type === 'ack') this.#acknowledged(frame.source, { next: frame.sequence, bitmap: frame.body[0] ?? 0 });
    else if (frame.type === 'rts') this.#requestHeard(frame, nowUs);
    else if (frame.type === 'cts') this.#clearanceHeard(frame.source);
    else if (frame.type === 'poll') this.#pollHeard(frame);
    else if (frame.type === 'acks') return 'accepted';
    else if (config.arq && frame.destination === station) return this.#confirmedHeard(frame, nowUs);
    else if (!this.#parts.receiver.takeUnconfirmed(frame, nowUs)) return 'rx-duplicate';
    return 'accepted';
  }

  discarded(cause: DropCause, octets: number): void {
    if (octets === 0) return;
    this.#parts.access.noise();
    this.#options.observer.drop(cause);
  }

  sent(outcome: 'sent' | 'refused' | 'line-down'): void {
    const what = this.#parts.transmitter.over(outcome);
    const frame = this.#sending;
    const nowUs = this.#options.scheduler.nowUs();
    const lineDown = outcome === 'line-down' || this.#state === 'down';
    const early = outcome === 'sent' ? this.#early : null;
    this.#sending = null;
    this.#early = null;
    this.tap?.transmitted(lineDown ? 'line-down' : outcome);
    const mayBeFollowed = outcome === 'sent' && early === null;
    const keepsFree = mayBeFollowed && isFollowed(what, frame, this.#parts.answersCome, this.#state);
    this.#parts.access.transmissionEnded(keepsFree ? this.timing.ackStartUs : 0);
    if ((what === 'data' || what === 'request') && (lineDown || outcome === 'refused')) {
      this.#parts.sender.notSent(lineDown ? 'line-down' : 'refused');
    }
    if (this.#finishing) {
      this.#finish();
      return;
    }
    if (lineDown) {
      this.#state = 'down';
      return;
    }
    // A burst of our own goes on without a break; what we owe comes after it.
    if (what !== 'data' || outcome !== 'sent' || frame?.last !== false) this.#parts.answers.giveNext();
    if (what === 'data' && frame !== null) this.#dataSent(frame, outcome, nowUs);
    else if (what === 'request') this.#requestSent(outcome, nowUs);
    else if (what === 'identification' || what === 'acks') this.#done(what === 'acks');
    else if (this.#state === 'contending') this.#request();
    early?.();
    if (this.#parts.transmitter.onAir === null) this.#parts.access.resume();
  }

  // ---- sending ----------------------------------------------------------------------------------------------------

  #contend(): void {
    if (this.#finishing) return;
    this.#state = 'contending';
    this.#parts.delays.begin(this.#options.scheduler.nowUs());
    this.#request();
  }

  /** Asks for the channel, as soon as the limits allow to use it. */
  #request(): void {
    this.#parts.transmitter.whenAllowed(() => {
      if (this.#state === 'contending' && this.#parts.transmitter.onAir === null) this.#parts.access.request();
    });
  }

  /** The channel is ours: only now is a packet chosen. */
  #won(): void {
    if (this.#state !== 'contending' || this.#parts.transmitter.onAir !== null) return;
    // Somebody waits for the answer to a burst that broke off.
    const nowUs = this.#options.scheduler.nowUs();
    const { owed } = this.#parts.answers;
    const { station, config } = this.#options;
    const identification = this.#parts.limits.identification(station, config.fcsBytes, nowUs);
    if (owed !== null) this.#parts.answers.give(owed);
    else if (identification !== null) this.#sendAlone('identification', identification);
    else if (this.#beginsBurst(nowUs)) this.#begin(nowUs);
    else if (this.#parts.deferral.owes) this.#sendAlone('acks', this.#parts.deferral.frame(station));
    else {
      this.#parts.delays.abandon();
      this.#state = 'idle';
      this.#options.source.idle();
    }
  }

  /** Pulls, unless what is in hand goes first. False: there is nothing. */
  #beginsBurst(nowUs: number): boolean {
    const { waiting, passed } = this.#parts.deferral;
    if (waiting !== null) {
      // An acknowledgement that might wait has not come, and our next turn has.
      this.#notAcknowledged(waiting, !passed);
      this.#parts.deferral.settle(false);
      this.tap?.settled(null);
      this.#parts.contention.failed();
    }
    return this.#parts.sender.beginBurst(nowUs);
  }

  /** A frame that takes a turn and is not data. */
  #sendAlone(what: 'identification' | 'acks', octets: Uint8Array): void {
    this.#state = 'transmitting';
    this.#asking = null;
    this.#parts.transmitter.start(what, octets, false);
  }

  /** A burst has its first frame: asks for the channel if that is worth it, or sends. */
  #begin(nowUs: number): void {
    if (this.#parts.requests?.ask(nowUs)) this.#state = 'transmitting';
    else this.#sendNext(nowUs);
  }

  #sendNext(nowUs: number): void {
    const frame = this.#parts.sender.nextFrame(nowUs);
    if (frame === null) return;
    if (frame.attempt > 0) this.counters.attempts++;
    this.#sending = frame;
    this.#asking = frame.interactive && frame.wantsAck ? frame.destination : null;
    const isFirst = this.#state !== 'transmitting';
    this.#state = 'transmitting';
    this.#parts.transmitter.start('data', frame.octets, !isFirst, frame);
  }

  #dataSent(frame: BurstFrame, outcome: 'sent' | 'refused' | 'line-down', nowUs: number): void {
    if (outcome === 'refused') this.#failed();
    else if (!frame.last) this.#sendNext(nowUs);
    else if (frame.later) {
      this.#parts.deferral.waitFor(frame.destination);
      this.#turnOver(true);
    } else if (frame.wantsAck) {
      this.#state = 'awaiting-ack';
      // After a burst the answer may come later, see `Answers.carrier`.
      const fromUs = nowUs + (frame.first ? 0 : this.timing.burstGapUs);
      this.#parts.answerWait.start(fromUs, this.timing.ackEndUs, () => this.#unacknowledged());
    } else {
      this.counters.unconfirmed++;
      this.#done(false);
    }
  }

  #unacknowledged(): void {
    const station = this.#parts.sender.openStation;
    if (station === undefined || this.#state !== 'awaiting-ack') return;
    this.#notAcknowledged(station, true);
    this.#failed();
  }

  /** @param mayHaveArrived whether it is worth asking before it is sent again */
  #notAcknowledged(station: Station, mayHaveArrived: boolean): void {
    if (!this.#parts.sender.polling) this.counters.unacked += this.#parts.sender.openFrames;
    this.neighbours.attempted(station, false);
    if (mayHaveArrived) this.#parts.sender.unanswered();
  }

  #requestSent(outcome: 'sent' | 'refused' | 'line-down', nowUs: number): void {
    const requests = this.#parts.requests;
    if (outcome !== 'sent' || requests === null) {
      this.#failed();
      return;
    }
    this.#state = 'awaiting-clearance';
    this.#parts.answerWait.start(nowUs, requests.clearEndUs, () => {
      if (this.#state !== 'awaiting-clearance') return;
      requests.unanswered();
      this.#failed();
    });
  }

  #failed(): void {
    this.tap?.settled(null);
    this.#parts.contention.failed();
    this.#nextTurn();
    this.#contend();
  }

  #done(confirmed: boolean): void {
    this.#parts.delays.end(this.#options.scheduler.nowUs());
    this.#turnOver(confirmed);
  }

  #turnOver(confirmed: boolean): void {
    this.#parts.contention.succeeded(confirmed);
    this.#nextTurn();
    if (this.#asking !== null) this.#parts.access.yieldSlots(this.#parts.habits.asked(this.#asking));
    // Whether more waits is only known by pulling, and that only after the channel is won again.
    this.#contend();
  }

  #nextTurn(): void {
    this.#parts.requests?.heedSlot(this.#options.scheduler.nowUs());
    this.#parts.access.redraw();
  }

  #finish(): void {
    this.#parts.answerWait.stop();
    this.tap?.settled(null);
    this.#parts.access.close();
    this.#parts.receiver.close();
    this.#parts.answers.clear();
    this.#parts.transmitter.close();
    this.#state = 'finishing';
    this.#parts.sender.dropAll('shutdown');
    this.#options.observer.finished?.();
  }

  // ---- receiving --------------------------------------------------------------------------------------------------

  /** Answered even when it is a repetition, delivered only when it is not. */
  #confirmedHeard(frame: LinkFrame, nowUs: number): Heard {
    this.#parts.habits.heard(frame.source);
    const isNew = this.#parts.receiver.takeConfirmed(frame, nowUs);
    if (frame.piggyback?.later === true) {
      this.#parts.answers.burstIsOver();
      this.#parts.deferral.owe(frame.source);
      this.demand();
    } else if (frame.more) this.#parts.answers.burstGoesOn(frame.source);
    else this.#parts.answers.give(frame.source);
    return isNew ? 'accepted' : 'rx-duplicate';
  }

  #pollHeard(frame: LinkFrame): void {
    this.#parts.receiver.polled(frame);
    this.#parts.answers.give(frame.source);
  }

  #acknowledged(source: Station, acknowledgement: Acknowledgement): void {
    if (this.#isAnswered(source, acknowledgement)) {
      this.#early = () => this.#acknowledged(source, acknowledgement);
      return;
    }
    const waited = this.#parts.deferral.waiting === source;
    if ((this.#state !== 'awaiting-ack' && !waited) || source !== this.#parts.sender.openStation) return;
    const polled = this.#parts.sender.polling;
    const { settled, left } = this.#parts.sender.acknowledge(source, acknowledgement);
    // An answer to something else, or from before: ours may still come.
    if (settled.length === 0 && !polled) return;
    this.#parts.answerWait.stop();
    this.tap?.settled(settled);
    this.counters.acked += settled.length;
    if (!polled) this.counters.unacked += left;
    this.neighbours.attempted(source, true);
    if (waited) {
      this.#parts.deferral.settle(true);
      this.#parts.delays.next(this.#options.scheduler.nowUs());
      return;
    }
    // Two that send at once over a long way each get the end of the other's burst: that is no success to build on.
    // An answered question met nobody, whatever it says of what went before.
    if (!polled && left > settled.length) this.#failed();
    else this.#done(true);
  }

  /** Whether this answers the frame that is on the air, as far as the modem has told us. */
  #isAnswered(source: Station, acknowledgement: Acknowledgement): boolean {
    if (this.#sending === null) return false;
    const { destination, last, wantsAck, sequence } = this.#sending;
    if (destination !== source || !last || !wantsAck) return false;
    return sequence === null || saysArrived(acknowledgement, sequence);
  }

  /** Somebody asks for the channel: cleared if we are about nothing else. */
  #requestHeard(frame: LinkFrame, nowUs: number): void {
    if (this.#state === 'idle' || this.#state === 'contending') this.#parts.requests?.clear(frame, nowUs);
  }

  #clearanceHeard(source: Station): void {
    const { onAir } = this.#parts.transmitter;
    if (source !== this.#parts.sender.upcoming?.destination) return;
    if (onAir === 'request') this.#early = () => this.#clearanceHeard(source);
    if (this.#state !== 'awaiting-clearance' || onAir !== null) return;
    this.#parts.answerWait.stop();
    this.#state = 'transmitting';
    this.#sendNext(this.#options.scheduler.nowUs());
  }
}
