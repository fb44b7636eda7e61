/**
 * The MAC: decides when this station transmits, what becomes of each frame, and what of the received ones goes up.
 * Pure: clock, timers and chance come in; the same object runs in the daemon and in virtual time.
 *
 * The way of one frame: 1. `demand` says that something may wait. 2. The station contends (host), or waits for its
 * modem. 3. Having won, and only then, it pulls a packet from the source. 4. It transmits, one frame or a burst; unicast
 * waits for an ACK. 5. Acknowledged, or given up with a cause. Without bursts one packet is in hand at most.
 */
import type { Cancel } from '../base/clock.js';
import type { DropCause } from '../base/drops.js';
import { decodeLinkFrame, LINK_HEADER_BYTES, type LinkFrame, SEQUENCES } from '../wire/link-frame.js';
import { BROADCAST, type Station } from '../wire/packet.js';
import { ChannelAccess } from './access.js';
import { type AirTap, ANSWER, type Heard, type OwnFrame } from './air-tap.js';
import { AnswerHabits } from './answer-habits.js';
import type { Contention } from './contention.js';
import { CycleContention } from './contention-cycle.js';
import { Neighbours } from './neighbours.js';
import type { PhyListener, ReceptionMeta } from './phy.js';
import type { MacOptions, MacSnapshot, MacState } from './ports.js';
import { Receiver } from './receiver.js';
import { type BurstFrame, Sender } from './sender.js';
import { type MacCounters, newMacCounters, ServiceDelays } from './statistics.js';
import { deriveTiming, type MacTiming } from './timing.js';

/** ACKs that may wait while a full-duplex modem is transmitting. */
const PENDING_ACKS_MAX = 16;
/** An own address heard this soon after own octets is taken for an echo. */
const ECHO_TAIL_SLOTS = 4;
/** Frames held back and fragments are given up after so many of the longest exchanges without a sign of their sender. */
const PATIENCE_EXCHANGES = 64;

export class Mac implements PhyListener {
  readonly timing: MacTiming;
  readonly counters: MacCounters = newMacCounters();
  readonly neighbours = new Neighbours();
  /** Hears every frame while somebody captures; nothing is done for it otherwise. */
  tap: AirTap | null = null;
  readonly #options: MacOptions;
  readonly #access: ChannelAccess;
  readonly #contention: Contention;
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  readonly #delays = new ServiceDelays();
  #state: MacState = 'down';
  #onAir: 'data' | 'ack' | null = null;
  /** Who got an interactive packet with the last frame. */
  #asking: Station | null = null;
  readonly #habits = new AnswerHabits();
  /** The data frame that is on the air. */
  #sending: BurstFrame | null = null;
  readonly #pendingAcks: Station[] = [];
  /** A burst to us goes on; it is answered at its end, also if its last frame cannot be understood. */
  #owesAck: Station | null = null;
  #cancelAckWait: Cancel | null = null;
  #cancelBurstEnd: Cancel | null = null;
  #lastOwnEndUs = Number.NEGATIVE_INFINITY;
  #finishing = false;

  constructor(options: MacOptions) {
    const { phy, random, scheduler, station, config, observer } = options;
    this.#options = options;
    this.timing = deriveTiming(phy, LINK_HEADER_BYTES + config.fcsBytes);
    const exchangeUs = phy.timing.airtimeUs(phy.capabilities.maxFrameBytes) + this.timing.ackEndUs;
    this.#contention =
      options.contention?.(this.timing) ?? new CycleContention({ random, station, a: this.timing.slotUs / exchangeUs });
    this.#access = new ChannelAccess({
      phy,
      scheduler,
      timing: this.timing,
      contention: this.#contention,
      counters: this.counters,
      answers: config.linkFrames && config.arq,
      won: () => this.#won(),
      observer,
    });
    const drop = (cause: DropCause): void => observer.drop(cause);
    const firstSequence = (): number => random.below(SEQUENCES);
    const pollUs =
      this.timing.slotUs + phy.timing.airtimeUs(LINK_HEADER_BYTES + config.fcsBytes) + this.timing.ackEndUs;
    const answers = (asked: Station): boolean => this.#habits.expected(asked);
    const [delays, { source }] = [this.#delays, options];
    this.#sender = new Sender({ station, phy, config, source, drop, firstSequence, pollUs, answers, delays });
    this.#receiver = new Receiver({
      station,
      fcsBytes: config.fcsBytes,
      scheduler,
      patienceUs: PATIENCE_EXCHANGES * exchangeUs,
      drop,
      deliver: (packet) => {
        this.counters.delivered++;
        observer.deliver(packet);
      },
    });
    phy.attach(this);
  }

  /** Something may wait at the source. */
  demand(): void {
    if (this.#state === 'idle') this.#contend();
  }

  /** Pulls nothing more; `finished` is called once the transmission in progress is over. */
  finish(): void {
    this.#finishing = true;
    if (this.#onAir === null) this.#finish();
  }

  snapshot(): MacSnapshot {
    return {
      ...this.#access.snapshotAt(this.#options.scheduler.nowUs()),
      state: this.#state,
      counters: this.counters,
      ...this.#delays.snapshot(),
      retries: this.#sender.retries,
      neighbours: this.neighbours.list(),
      unheard: this.neighbours.unheard(),
      inHand: this.#sender.inHand,
    };
  }

  // ---- what the modem reports -------------------------------------------------------------------------------------

  ready(up: boolean): void {
    if (this.#state === 'finishing') return;
    if (up) {
      if (this.#state === 'down') this.#contend();
      return;
    }
    // What is in hand stays there: if the line is back before the deadline, it is sent again.
    this.#access.withdraw();
    this.#ackWait(null);
    this.tap?.settled(null);
    this.#pendingAcks.length = 0;
    this.#owesAck = null;
    this.#state = 'down';
  }

  carrier(busy: boolean): void {
    this.#watchBurst(busy);
    this.#access.carrier(busy);
  }

  received(octets: Uint8Array, meta: ReceptionMeta): void {
    this.tap?.received(octets, meta);
    const outcome = this.#receive(octets, meta);
    this.tap?.heard(outcome);
  }

  #receive(octets: Uint8Array, meta: ReceptionMeta): Heard {
    const { config, station, observer, scheduler, phy } = this.#options;
    if (!config.linkFrames) {
      this.#access.heard(null, false, 0, phy.timing.airtimeUs(octets.length));
      this.counters.delivered++;
      observer.deliver({ source: 0, destination: BROADCAST, kind: 'raw', payload: octets });
      return 'accepted';
    }
    const frame = decodeLinkFrame(octets, config.fcsBytes);
    if (typeof frame === 'string') {
      this.#access.spoiled();
      observer.drop(frame);
      return frame;
    }
    if (frame.source === station) return this.#ownAddressHeard();
    const nowUs = scheduler.nowUs();
    const airtimeUs = phy.timing.airtimeUs(octets.length);
    const isNew = this.neighbours.heard(frame.source, nowUs, airtimeUs, meta);
    if (isNew) observer.neighbour?.(this.neighbours.get(frame.source));
    const isReservation = frame.type === 'rts' || frame.type === 'cts';
    const confirmed = config.arq && frame.type !== 'ack' && !isReservation && frame.destination !== BROADCAST;
    // An ACK tells those who missed the frame whose exchange it is.
    const isAnswer = frame.type === 'ack';
    const speaker = isAnswer ? frame.destination : frame.source;
    const answerUs = confirmed || frame.more ? this.timing.ackStartUs : 0;
    this.#access.heard(speaker, confirmed || isAnswer, answerUs, airtimeUs);
    if (frame.destination !== station && frame.destination !== BROADCAST) {
      this.counters.overheard++;
      return 'overheard';
    }
    if (isReservation) this.counters.overheard++;
    else if (isAnswer) this.#ackHeard(frame);
    else if (frame.type === 'poll') this.#pollHeard(frame);
    else if (confirmed) return this.#confirmedHeard(frame, nowUs);
    else this.#receiver.takeUnconfirmed(frame, nowUs);
    return 'accepted';
  }

  discarded(cause: DropCause, octets: number): void {
    if (octets === 0) return;
    this.#access.noise();
    this.#options.observer.drop(cause);
  }

  sent(outcome: 'sent' | 'refused' | 'line-down'): void {
    const what = this.#onAir;
    const frame = this.#sending;
    const nowUs = this.#options.scheduler.nowUs();
    const lineDown = outcome === 'line-down' || this.#state === 'down';
    this.#onAir = null;
    this.#sending = null;
    this.#lastOwnEndUs = nowUs;
    this.tap?.transmitted(lineDown ? 'line-down' : outcome);
    const isAnswered = what === 'data' && outcome === 'sent' && (frame?.wantsAck === true || frame?.last === false);
    // What we answer while we wait for an answer ourselves does not end our exchange.
    const isWaiting = what === 'ack' && this.#state === 'awaiting-ack';
    this.#access.transmissionEnded(isAnswered || isWaiting ? this.timing.ackStartUs : 0);
    if (what === 'data' && (lineDown || outcome === 'refused')) {
      this.#sender.notSent(lineDown ? 'line-down' : 'refused');
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
    const goesOn = what === 'data' && outcome === 'sent' && frame?.last === false;
    const owed = goesOn ? undefined : this.#pendingAcks.shift();
    if (owed !== undefined) this.#answer(owed);
    if (what !== 'data' || frame === null) {
      if (this.#state === 'contending' && this.#onAir === null) this.#access.request();
    } else if (outcome === 'refused') this.#failed();
    else if (!frame.last) this.#sendNext(nowUs);
    else if (frame.wantsAck) this.#awaitAck(nowUs, frame.first ? 0 : this.timing.burstGapUs);
    else {
      this.counters.unconfirmed++;
      this.#done(false);
    }
    if (this.#onAir === null) this.#access.resume();
  }

  // ---- sending ----------------------------------------------------------------------------------------------------

  #contend(): void {
    if (this.#finishing) return;
    this.#state = 'contending';
    this.#delays.begin(this.#options.scheduler.nowUs());
    if (this.#onAir === null) this.#access.request();
  }

  /** The channel is ours: only now is a packet chosen. */
  #won(): void {
    if (this.#state !== 'contending' || this.#onAir !== null) return;
    // Somebody waits for the answer to a burst that broke off.
    const nowUs = this.#options.scheduler.nowUs();
    if (this.#owesAck !== null) this.#answer(this.#owesAck);
    else if (this.#sender.beginBurst(nowUs)) this.#sendNext(nowUs);
    else {
      this.#delays.abandon();
      this.#state = 'idle';
      this.#options.source.idle();
    }
  }

  #sendNext(nowUs: number): void {
    const frame = this.#sender.nextFrame(nowUs);
    if (frame === null) return;
    this.counters.attempts++;
    this.#sending = frame;
    this.#asking = frame.interactive && frame.wantsAck ? frame.destination : null;
    const isFirst = this.#state !== 'transmitting';
    this.#state = 'transmitting';
    this.#transmit('data', frame.octets, !isFirst, frame);
  }

  #transmit(what: 'data' | 'ack', octets: Uint8Array, continues: boolean, frame: OwnFrame): void {
    this.#onAir = what;
    this.#access.transmissionStarts(continues);
    this.tap?.transmitting(octets, frame);
    this.#options.phy.transmit(octets);
  }

  /**
   * Where arriving octets show the start of an ACK, silence at that moment is answer enough. After a burst the answer may
   * come later, see `#watchBurst`.
   */
  #awaitAck(nowUs: number, laterUs: number): void {
    const { capabilities, timing } = this.#options.phy;
    this.#state = 'awaiting-ack';
    const accessUs = laterUs + (timing.modemAccessUs ?? 0);
    const startIsSeen = capabilities.carrierSense === 'activity' && capabilities.channelAccess === 'host';
    const endUs = nowUs + accessUs + this.timing.ackEndUs;
    this.#ackWait(startIsSeen ? nowUs + accessUs + this.timing.ackStartUs : endUs, endUs);
  }

  #ackWait(atUs: number | null, endUs = 0): void {
    this.#cancelAckWait?.();
    this.#cancelAckWait = null;
    if (atUs === null) return;
    this.#cancelAckWait = this.#options.scheduler.at(atUs, () => {
      this.#cancelAckWait = null;
      const answering = this.#access.carrierBusy || this.#options.phy.senseBusy();
      if (answering && atUs < endUs) this.#ackWait(endUs, endUs);
      else this.#unacknowledged();
    });
  }

  #unacknowledged(): void {
    const station = this.#sender.openStation;
    if (station === undefined || this.#state !== 'awaiting-ack') return;
    this.counters.unacked += this.#sender.openFrames;
    this.neighbours.attempted(station, false);
    this.#sender.unanswered();
    this.#failed();
  }

  #failed(): void {
    this.tap?.settled(null);
    this.#contention.failed();
    this.#access.redraw();
    this.#contend();
  }

  #done(confirmed: boolean): void {
    this.#delays.end(this.#options.scheduler.nowUs());
    this.#contention.succeeded(confirmed);
    this.#access.redraw();
    if (this.#asking !== null) this.#access.yieldSlots(this.#habits.asked(this.#asking));
    // Whether more waits is only known by pulling, and that only after the channel is won again.
    this.#contend();
  }

  #finish(): void {
    this.#ackWait(null);
    this.tap?.settled(null);
    this.#access.close();
    this.#receiver.close();
    this.#cancelBurstEnd?.();
    this.#state = 'finishing';
    this.#sender.dropAll('shutdown');
    this.#options.observer.finished?.();
  }

  // ---- receiving --------------------------------------------------------------------------------------------------

  /** Answered even when it is a repetition, delivered only when it is not. */
  #confirmedHeard(frame: LinkFrame, nowUs: number): Heard {
    this.#habits.heard(frame.source);
    const isNew = this.#receiver.takeConfirmed(frame, nowUs);
    if (frame.more) this.#owesAck = frame.source;
    else this.#answer(frame.source);
    return isNew ? 'accepted' : 'rx-duplicate';
  }

  /**
   * A burst to us is not over, as far as we understood. If it goes on, it does so at once; if not, its last frame
   * was not understood, and its sender waits for the answer all the same.
   */
  #watchBurst(busy: boolean): void {
    this.#cancelBurstEnd?.();
    this.#cancelBurstEnd = null;
    const [owed, scheduler] = [this.#owesAck, this.#options.scheduler];
    if (busy || owed === null) return;
    this.#cancelBurstEnd = scheduler.at(scheduler.nowUs() + this.timing.burstGapUs, () => {
      this.#cancelBurstEnd = null;
      if (this.#owesAck === owed) this.#answer(owed);
    });
  }

  #pollHeard(frame: LinkFrame): void {
    this.#receiver.polled(frame);
    this.#answer(frame.source);
  }

  #answer(station: Station): void {
    this.#owesAck = null;
    if (this.#state === 'down' || this.#state === 'finishing') return;
    if (this.#onAir === null) {
      this.counters.acksSent++;
      this.#transmit('ack', this.#receiver.acknowledgement(station), true, ANSWER);
    } else if (this.#pendingAcks.length < PENDING_ACKS_MAX) this.#pendingAcks.push(station);
  }

  #ackHeard({ source, sequence, body }: LinkFrame): void {
    if (this.#state !== 'awaiting-ack' || source !== this.#sender.openStation) return;
    const polled = this.#sender.polling;
    const { settled, left } = this.#sender.acknowledge(source, { next: sequence, bitmap: body[0] ?? 0 });
    // An answer to something else, or from before: ours may still come.
    if (settled.length === 0 && !polled) return;
    this.#ackWait(null);
    this.tap?.settled(settled);
    this.counters.acked += settled.length;
    this.counters.unacked += left;
    this.neighbours.attempted(source, true);
    // Two that send at once over a long way each get the end of the other's burst: that is no success to build on.
    if (left > settled.length) this.#failed();
    else this.#done(true);
  }

  #ownAddressHeard(): Heard {
    const echoUntilUs = this.#lastOwnEndUs + ECHO_TAIL_SLOTS * this.timing.slotUs;
    if (this.#onAir !== null || this.#options.scheduler.nowUs() <= echoUntilUs) return 'echo';
    this.#options.observer.drop('rx-own-address');
    this.#options.observer.addressConflict?.();
    return 'rx-own-address';
  }
}
