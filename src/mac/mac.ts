/**
 * The MAC: decides when this station transmits, what becomes of each frame, and what of the received ones goes up.
 * Pure: clock, timers and chance come in; the same object runs in the daemon and in virtual time.
 *
 * The way of one frame: 1. `demand` says that something may wait. 2. The station contends (host), or waits for its
 * modem. 3. Having won, and only then, it pulls one packet from the source. 4. It transmits; unicast waits for an ACK.
 * 5. Acknowledged, or given up with a cause. One packet is in hand at most; everything else stays with the source.
 */
import type { Cancel } from '../base/clock.js';
import type { DropCause } from '../base/drops.js';
import { decodeLinkFrame, encodeLinkFrame, LINK_HEADER_BYTES, type LinkFrame, setRetry } from '../wire/link-frame.js';
import { BROADCAST, type OutboundPacket, type Station } from '../wire/packet.js';
import { ChannelAccess } from './access.js';
import { type Contention, IdleSense } from './contention.js';
import { Neighbours } from './neighbours.js';
import type { PhyListener, ReceptionMeta } from './phy.js';
import type { MacOptions, MacSnapshot, MacState } from './ports.js';
import { type MacCounters, newMacCounters, RecentDurations } from './statistics.js';
import { deriveTiming, type MacTiming } from './timing.js';

interface InHand {
  readonly packet: OutboundPacket;
  readonly octets: Uint8Array;
  readonly sequence: number;
  readonly wantsAck: boolean;
  readonly pulledUs: number;
  attempts: number;
}

/** ACKs that may wait while a full-duplex modem is transmitting. */
const PENDING_ACKS_MAX = 16;
/** An own address heard this soon after own octets is taken for an echo. */
const ECHO_TAIL_SLOTS = 4;
const NO_BODY = new Uint8Array(0);

export class Mac implements PhyListener {
  readonly timing: MacTiming;
  readonly counters: MacCounters = newMacCounters();
  readonly #options: MacOptions;
  readonly #access: ChannelAccess;
  readonly #contention: Contention;
  readonly #neighbours: Neighbours;
  readonly #delays = new RecentDurations();
  #state: MacState = 'down';
  #hand: InHand | null = null;
  #onAir: 'data' | 'ack' | null = null;
  #pendingAcks: Uint8Array[] = [];
  #cancelAckWait: Cancel | null = null;
  #contendingSinceUs = 0;
  #lastOwnEndUs = Number.NEGATIVE_INFINITY;
  #finishing = false;

  constructor(options: MacOptions) {
    const { phy, random, scheduler } = options;
    this.#options = options;
    this.timing = deriveTiming(phy, LINK_HEADER_BYTES + options.config.fcsBytes);
    this.#contention =
      options.contention?.(this.timing) ??
      new IdleSense({
        random,
        slotUs: this.timing.slotUs,
        busyUs: phy.timing.airtimeUs(phy.capabilities.maxFrameBytes) + this.timing.ackEndUs,
      });
    this.#access = new ChannelAccess({
      phy,
      scheduler,
      timing: this.timing,
      contention: this.#contention,
      counters: this.counters,
      won: () => this.#won(),
      stuckBusy: (busyForUs) => options.observer.stuckBusy?.(busyForUs),
    });
    this.#neighbours = new Neighbours(() => random.below(256));
    phy.attach(this);
  }

  /** Something may wait at the source. */
  demand(): void {
    if (this.#state !== 'idle') return;
    this.#access.joinBusyChannel();
    this.#contend();
  }

  /** Pulls nothing more; `finished` is called once the transmission in progress is over. */
  finish(): void {
    this.#finishing = true;
    if (this.#onAir === null) this.#finish();
  }

  snapshot(): MacSnapshot {
    const { busyUs, txUs } = this.#access.totalsAt(this.#options.scheduler.nowUs());
    return {
      state: this.#state,
      counters: this.counters,
      contentionWindow: this.#access.window,
      busyUs,
      txUs,
      delayP50Us: this.#delays.percentileUs(0.5),
      delayP99Us: this.#delays.percentileUs(0.99),
      neighbours: this.#neighbours.list(),
      inHand: this.#hand === null ? 0 : 1,
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
    this.#pendingAcks = [];
    this.#state = 'down';
  }

  carrier(busy: boolean): void {
    this.#access.carrier(busy);
  }

  received(octets: Uint8Array, meta: ReceptionMeta): void {
    const { config, station, observer } = this.#options;
    if (!config.linkFrames) {
      this.counters.delivered++;
      observer.deliver({ source: 0, destination: BROADCAST, kind: 'raw', payload: octets });
      return;
    }
    const frame = decodeLinkFrame(octets, config.fcsBytes);
    if (typeof frame === 'string') {
      observer.drop(frame);
      return;
    }
    if (frame.source === station) {
      this.#ownAddressHeard();
      return;
    }
    const isNew = this.#neighbours.heard(frame.source, this.#options.scheduler.nowUs(), meta);
    if (isNew) observer.neighbour?.(this.#neighbours.get(frame.source));
    const answered = config.arq && frame.type !== 'ack' && frame.destination !== BROADCAST;
    this.#access.defer(answered ? this.timing.ackStartUs : 0);
    if (frame.destination !== station && frame.destination !== BROADCAST) this.counters.overheard++;
    else if (frame.type === 'ack') this.#ackHeard(frame);
    else if (answered) this.#answer(frame);
    else this.#deliver(frame, frame.type);
  }

  discarded(cause: DropCause, octets: number): void {
    if (octets > 0) this.#options.observer.drop(cause);
  }

  sent(outcome: 'sent' | 'refused' | 'line-down'): void {
    const what = this.#onAir;
    const hand = this.#hand;
    const nowUs = this.#options.scheduler.nowUs();
    this.#onAir = null;
    this.#lastOwnEndUs = nowUs;
    const lineDown = outcome === 'line-down' || this.#state === 'down';
    const awaitsAck = what === 'data' && hand?.wantsAck === true && outcome === 'sent';
    this.#access.transmissionEnded(awaitsAck ? this.timing.ackStartUs : 0);
    if (this.#finishing) {
      this.#finish();
      return;
    }
    if (lineDown) {
      this.#state = 'down';
      return;
    }
    const ack = this.#pendingAcks.shift();
    if (ack !== undefined) this.#transmit('ack', ack);
    if (what !== 'data' || hand === null) {
      if (this.#state === 'contending' && this.#onAir === null) this.#access.request();
    } else if (outcome === 'refused') this.#attemptFailed(hand, 'modem-refused');
    else if (hand.wantsAck) this.#awaitAck(nowUs);
    else {
      this.counters.unconfirmed++;
      this.#done();
    }
    if (this.#onAir === null) this.#access.resume();
  }

  // ---- sending ----------------------------------------------------------------------------------------------------

  #contend(): void {
    if (this.#finishing) return;
    this.#state = 'contending';
    this.#contendingSinceUs = this.#options.scheduler.nowUs();
    if (this.#onAir === null) this.#access.request();
  }

  /** The channel is ours: only now is a packet chosen. */
  #won(): void {
    if (this.#state !== 'contending' || this.#onAir !== null) return;
    const { config, source, scheduler } = this.#options;
    const nowUs = scheduler.nowUs();
    if (this.#hand !== null && nowUs - this.#hand.pulledUs > config.deadlineUs) this.#giveUp('deadline');
    this.#hand ??= this.#pull(nowUs);
    const hand = this.#hand;
    if (hand === null) {
      this.#state = 'idle';
      source.idle();
      return;
    }
    this.counters.attempts++;
    this.#state = 'transmitting';
    const repeated = hand.attempts++ > 0 && config.linkFrames;
    this.#transmit('data', repeated ? setRetry(hand.octets, config.fcsBytes) : hand.octets);
  }

  #pull(pulledUs: number): InHand | null {
    const { source, config, observer, phy } = this.#options;
    const overheadBytes = config.linkFrames ? LINK_HEADER_BYTES + config.fcsBytes : 0;
    for (let packet = source.pull(); packet !== null; packet = source.pull()) {
      if (overheadBytes + packet.payload.length > phy.capabilities.maxFrameBytes) {
        observer.drop('too-long');
        continue;
      }
      if (!config.linkFrames) {
        return { packet, octets: packet.payload, sequence: 0, wantsAck: false, pulledUs, attempts: 0 };
      }
      if (packet.kind === 'raw') {
        observer.drop('not-encapsulable');
        continue;
      }
      const sequence = this.#neighbours.nextSequence(packet.destination);
      const octets = this.#encode(packet.kind, packet.destination, sequence, packet.payload);
      const wantsAck = config.arq && packet.destination !== BROADCAST;
      return { packet, octets, sequence, wantsAck, pulledUs, attempts: 0 };
    }
    return null;
  }

  #encode(type: LinkFrame['type'], destination: Station, sequence: number, body: Uint8Array): Uint8Array {
    const { station: source, config } = this.#options;
    return encodeLinkFrame({ type, destination, source, sequence, more: false, retry: false, body }, config.fcsBytes);
  }

  #transmit(what: 'data' | 'ack', octets: Uint8Array): void {
    this.#onAir = what;
    if (what === 'ack') this.counters.acksSent++;
    this.#access.transmissionStarts(what === 'ack');
    this.#options.phy.transmit(octets);
  }

  /** Where arriving octets show the start of an ACK, silence at that moment is answer enough. */
  #awaitAck(nowUs: number): void {
    const { capabilities, timing } = this.#options.phy;
    this.#state = 'awaiting-ack';
    const accessUs = timing.modemAccessUs ?? 0;
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
    const hand = this.#hand;
    if (hand === null || this.#state !== 'awaiting-ack') return;
    this.counters.unacked++;
    this.#neighbours.attempted(hand.packet.destination, false);
    this.#attemptFailed(hand, 'retry-limit');
  }

  #attemptFailed(hand: InHand, cause: DropCause): void {
    this.#contention.failed();
    if (hand.attempts > this.#options.config.maxRetries) this.#giveUp(cause);
    this.#access.redraw();
    this.#contend();
  }

  #giveUp(cause: DropCause): void {
    this.#hand = null;
    this.#options.observer.drop(cause);
  }

  #done(): void {
    this.#hand = null;
    this.#delays.record(this.#options.scheduler.nowUs() - this.#contendingSinceUs);
    this.#contention.succeeded();
    this.#access.redraw();
    // Whether more waits is only known by pulling, and that only after the channel is won again.
    this.#contend();
  }

  #finish(): void {
    this.#ackWait(null);
    this.#access.close();
    this.#state = 'finishing';
    if (this.#hand !== null) this.#giveUp('shutdown');
    this.#options.observer.finished?.();
  }

  // ---- receiving --------------------------------------------------------------------------------------------------

  /** A unicast frame for us: acknowledged even when it is a repetition, delivered only when it is not. */
  #answer(frame: LinkFrame): void {
    if (frame.type === 'ack') return;
    const ack = this.#encode('ack', frame.source, frame.sequence, NO_BODY);
    if (this.#onAir === null && this.#state !== 'down' && this.#state !== 'finishing') this.#transmit('ack', ack);
    else if (this.#pendingAcks.length < PENDING_ACKS_MAX) this.#pendingAcks.push(ack);
    if (this.#neighbours.isDuplicate(frame.source, frame.sequence, frame.retry)) {
      this.#options.observer.drop('rx-duplicate');
    } else this.#deliver(frame, frame.type);
  }

  #deliver(frame: LinkFrame, kind: 'ip' | 'arp' | 'ethernet'): void {
    this.counters.delivered++;
    const { source, destination, body: payload } = frame;
    this.#options.observer.deliver({ source, destination, kind, payload });
  }

  #ackHeard(frame: LinkFrame): void {
    const hand = this.#hand;
    if (this.#state !== 'awaiting-ack' || hand === null) return;
    if (frame.source !== hand.packet.destination || frame.sequence !== hand.sequence) return;
    this.#ackWait(null);
    this.counters.acked++;
    this.#neighbours.attempted(frame.source, true);
    this.#done();
  }

  #ownAddressHeard(): void {
    const echoUntilUs = this.#lastOwnEndUs + ECHO_TAIL_SLOTS * this.timing.slotUs;
    if (this.#onAir !== null || this.#options.scheduler.nowUs() <= echoUntilUs) return;
    this.#options.observer.drop('rx-own-address');
    this.#options.observer.addressConflict?.();
  }
}
