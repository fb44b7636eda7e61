/**
 * The sending half of a station: turns packets into link frames, keeps those that are not settled, and makes up each burst.
 *
 * A burst goes to one station (or to all). It begins with what is still open from the last one, goes on with new packets
 * as long as they go the same way and the airtime lasts, and each frame of it says whether another follows. So, where
 * bursts are allowed, one packet is looked at ahead; where they are not, nothing is pulled before it is sent.
 */
import type { DropCause } from '../base/drops.js';
import { SluiceError } from '../base/errors.js';
import { encodeLinkFrame, LINK_HEADER_BYTES } from '../wire/link-frame.js';
import { BROADCAST, type Station } from '../wire/packet.js';
import { type CarriedAck, PIGGYBACK_MIN_BYTES, type Piggyback, piggybackBytes } from '../wire/piggyback.js';
import { INTERACTIVE_PRIORITY, isTooOld } from './deadline.js';
import type { Deferral } from './deferral.js';
import { type Acknowledgement, type OpenFrame, Outbox } from './outbox.js';
import { Packer, type Unit, type Whole } from './packer.js';
import type { Phy } from './phy.js';
import type { MacConfig, PacketSource } from './ports.js';
import { sequenceAfter } from './sequence.js';
import type { ServiceDelays } from './statistics.js';
import { longestFrameBytes } from './timing.js';

export interface SenderOptions {
  readonly station: Station;
  readonly phy: Phy;
  readonly config: MacConfig;
  readonly source: Pick<PacketSource, 'pull'>;
  drop(cause: DropCause): void;
  /** The number that counting towards a station starts from. */
  firstSequence(): number;
  /** What it costs to ask for an acknowledgement again. */
  readonly pollUs: number;
  /** Whether a station is likely to answer an interactive packet at once. */
  answers(station: Station): boolean;
  readonly delays: Pick<ServiceDelays, 'restart'>;
  readonly deferral: Pick<Deferral, 'mayWait' | 'take'>;
}

export interface BurstFrame {
  readonly octets: Uint8Array;
  readonly destination: Station;
  readonly first: boolean;
  /** No other frame of this burst follows. */
  readonly last: boolean;
  readonly wantsAck: boolean;
  /** From 1; 0 for a question for an acknowledgement. */
  readonly attempt: number;
  /** By which its acknowledgement names it; null for a question. */
  readonly sequence: number | null;
  /** Somebody may wait for the answer to what it carries: then it ends the burst, and its sender lets others go first. */
  readonly interactive: boolean;
  /** Its acknowledgement comes along with what its receiver sends next. */
  readonly later: boolean;
}

/** So many requests in vain count as one attempt: they cost so much less. */
const REQUESTS_PER_ATTEMPT = 4;
/**
 * Where a signal travels for longer than this share of the longest frame, strangers get whole bursts: single first frames of two
 * that start at the same moment cross on the way, and both then keep the same seat (virtual time, a = 2: 0.30 in place of
 * 0.67). Up to three quarters it makes no difference.
 */
const STRANGERS_NEAR_SHARE = 0.5;
const NO_BODY = new Uint8Array(0);
/** Airtime without an answer is asked about, before it is spent again, from this multiple of the price of asking. */
const POLL_WORTH = 5;
/** Unanswered, a question is asked once more. Goodput at 10 % frame errors, point to point: 0.88, 0.89 and 0.89 for 1, 2, 3. */
const QUESTIONS_MAX = 2;
/** Repetitions counted apart. */
const RETRIES_MAX = 15;

interface Burst {
  readonly destination: Station;
  airtimeUs: number;
  readonly repeats: OpenFrame<Unit>[];
  /** Whether it began with frames that were sent before. */
  readonly repeated: boolean;
}

export class Sender {
  /** Frames acknowledged, by the number of repetitions that it took; the last one stands for more, too. */
  readonly retries: number[] = new Array<number>(RETRIES_MAX + 1).fill(0);
  readonly #options: SenderOptions;
  readonly #packer: Packer;
  readonly #burstLimitUs: number;
  readonly #outboxes = new Map<Station, Outbox<Unit>>();
  /** The outbox with open frames; there is one at most, because a burst is settled before another goes elsewhere. */
  #open: Outbox<Unit> | null = null;
  #burst: Burst | null = null;
  /** What the last burst cost, if nobody answered it. */
  #unansweredUs = 0;
  #burstUs = 0;
  #polling = false;
  /** Asked in vain, since the last burst. */
  #questions = 0;
  /** Stations that have acknowledged something: they know our present numbers. */
  readonly #acquainted = new Set<Station>();
  readonly #mindsStrangers: boolean;
  /** The last frame given out, as long as it may not have been sent. */
  #given: OpenFrame<Unit> | null = null;
  /** What went to all and is to be sent once more, on the next win. */
  #again: OpenFrame<Unit> | null = null;
  #broadcastSequence: number;
  readonly #longestBytes: number;

  constructor(options: SenderOptions) {
    const { config } = options;
    this.#options = options;
    this.#burstLimitUs = Math.min(config.burstAirtimeUs ?? 0, config.limits?.keyDownUs ?? Number.POSITIVE_INFINITY);
    this.#longestBytes = longestFrameBytes(options.phy, config.limits?.keyDownUs);
    const { timing } = options.phy;
    this.#mindsStrangers = timing.propagationUs <= STRANGERS_NEAR_SHARE * timing.airtimeUs(this.#longestBytes);
    this.#broadcastSequence = options.firstSequence();
    this.#packer = new Packer({ ...options, firstPacketId: options.firstSequence() });
  }

  /** Packets pulled whose fate is open. */
  get inHand(): number {
    const open = this.#open?.unacknowledged.map(({ item }) => item.packet) ?? [];
    const packets = new Set([...open, ...this.#packer.ready.map((unit) => unit.packet)]);
    return [...packets].reduce((sum, each) => sum + each.packets, this.#packer.aheadPackets);
  }

  /** The channel is won. Gives up what is hopeless; false when nothing is to be sent. */
  beginBurst(nowUs: number): boolean {
    // What was given out last is over; a request for the channel that is not sent must not bring it back.
    this.#given = null;
    this.#giveUpHopeless(nowUs);
    const repeats = this.#open?.unacknowledged.slice() ?? (this.#again === null ? [] : [this.#again]);
    if (repeats.length === 0) this.#packer.letOvertake(nowUs);
    const first = repeats[0]?.item ?? this.#packer.peek(nowUs);
    if (first === null) return false;
    this.#polling = repeats.length > 0 && this.#acquainted.has(first.destination) && this.#worthPolling();
    this.#burstUs = 0;
    this.#burst = { destination: first.destination, airtimeUs: 0, repeats, repeated: repeats.length > 0 };
    return true;
  }

  /** The burst that was begun: where to, and how long it may last. Null when no data of ours are to be acknowledged. */
  get upcoming(): { readonly destination: Station; readonly airtimeUs: number } | null {
    const burst = this.#burst;
    const first = burst?.repeats[0]?.item ?? this.#packer.ready[0];
    if (burst === null || first === undefined || this.#polling || !this.#wantsAck(first)) return null;
    const limitUs = this.#isStranger(first) ? 0 : this.#burstLimitUs;
    return { destination: burst.destination, airtimeUs: Math.max(this.#airtimeUs(first), limitUs) };
  }

  /** The channel was asked for, and not given. */
  requestUnanswered(): void {
    const first = this.#burst?.repeats[0]?.item ?? this.#packer.ready[0];
    if (first !== undefined) first.asked++;
    this.#burst = null;
  }

  /** The next frame of the burst; the first at once after `beginBurst`, each other one when the last one has been sent. */
  nextFrame(nowUs: number): BurstFrame | null {
    const burst = this.#burst;
    if (burst === null) return null;
    if (this.#polling) return this.#poll(burst.destination);
    const { broadcastRepeats = 0 } = this.#options.config;
    const open = burst.repeats.shift() ?? this.#openNext();
    const unit = open.item;
    this.#given = open;
    const first = burst.airtimeUs === 0;
    burst.airtimeUs += this.#airtimeUs(unit);
    const acks = this.#acksAlong(unit, burst);
    this.#burstUs = burst.airtimeUs;
    open.attempts++;
    this.#again = this.#isRepeated(unit) && open.attempts <= broadcastRepeats ? open : null;
    const interactive = unit.priority >= INTERACTIVE_PRIORITY;
    const isAwaited = interactive && this.#options.answers(unit.destination);
    // What is repeated is not cut short: it was under way before.
    const last = (isAwaited && burst.repeats.length === 0) || !this.#another(unit, nowUs);
    if (last) this.#burst = null;
    const wantsAck = this.#wantsAck(unit);
    const hasRoom = acks.length > 0 || this.#roomBytes(unit, burst) >= PIGGYBACK_MIN_BYTES;
    const mayWait = last && wantsAck && !interactive && !burst.repeated && hasRoom;
    const later = mayWait && this.#options.deferral.mayWait(unit.destination, burst.airtimeUs);
    const piggyback = later || acks.length > 0 ? { later, acks } : undefined;
    return {
      octets: this.#encode(open, !last, piggyback),
      destination: unit.destination,
      first,
      last,
      wantsAck,
      attempt: open.attempts,
      sequence: open.sequence,
      interactive,
      later,
    };
  }

  /** The modem did not send the last frame of `nextFrame`. One that will be repeated anyway stays open; another goes back. */
  notSent(outcome: 'refused' | 'line-down'): void {
    this.#burst = null;
    const given = this.#given;
    if (given === null) return;
    const unit = given.item;
    if (outcome === 'refused') unit.refusals++;
    // That one stays open, or has been sent before.
    if (this.#wantsAck(unit) || given.attempts > 1) return;
    this.#again = null;
    if (unit.refusals > this.#options.config.maxRetries) this.#drop('modem-refused', unit.packet.packets);
    else this.#packer.ready.unshift(unit);
  }

  /** The last burst was a question for an acknowledgement. */
  get polling(): boolean {
    return this.#polling;
  }

  /** No answer came to the last burst. */
  unanswered(): void {
    this.#questions = this.#polling ? this.#questions + 1 : 0;
    if (!this.#polling) this.#unansweredUs = this.#burstUs;
  }

  /** An answer from the station that the open frames go to. Gives the sequences that it settled and how many frames are left. */
  acknowledge(from: Station, acknowledgement: Acknowledgement): { settled: readonly number[]; left: number } {
    const outbox = this.#outboxes.get(from);
    if (outbox === undefined || outbox !== this.#open) return { settled: [], left: this.openFrames };
    const fresh = outbox.acknowledge(acknowledgement);
    for (const { attempts } of fresh) {
      const repetitions = Math.min(RETRIES_MAX, attempts - 1);
      this.retries[repetitions] = (this.retries[repetitions] ?? 0) + 1;
    }
    // What settles nothing may be an answer to whoever had our address before.
    if (fresh.length > 0) this.#acquainted.add(from);
    this.#unansweredUs = 0;
    if (outbox.size === 0) this.#settled();
    return { settled: fresh.map(({ sequence }) => sequence), left: this.openFrames };
  }

  get openFrames(): number {
    return this.#open?.unacknowledged.length ?? 0;
  }

  /** The station whose answer is awaited. */
  get openStation(): Station | undefined {
    return this.#open?.unacknowledged[0]?.item.destination;
  }

  /** Drops everything in hand. */
  dropAll(cause: DropCause): void {
    const packets = this.inHand;
    this.#drop(cause, packets);
    this.#open?.giveUp(() => true);
    this.#again = null;
    this.#packer.clear();
    this.#burst = null;
    this.#settled();
  }

  // ---- bursts -----------------------------------------------------------------------------------------------------

  /** Whether another frame belongs to this burst, now that the present one is counted. */
  #another(unit: Unit, nowUs: number): boolean {
    const burst = this.#burst;
    if (burst === null || this.#again !== null || this.#isStranger(unit)) return false;
    const burstAirtimeUs = this.#burstLimitUs;
    const repeat = burst.repeats[0];
    if (repeat !== undefined) return burst.airtimeUs + this.#airtimeUs(repeat.item) <= burstAirtimeUs;
    const mayPull = burst.airtimeUs < burstAirtimeUs && this.#open?.isFull !== true;
    const next = this.#packer.ready[0] ?? (mayPull ? this.#packer.peek(nowUs) : null);
    if (next === null || next.destination !== burst.destination || this.#open?.isFull === true) return false;
    return burst.airtimeUs + this.#airtimeUs(next) <= burstAirtimeUs;
  }

  #worthPolling(): boolean {
    return this.#questions < QUESTIONS_MAX && this.#unansweredUs > POLL_WORTH * this.#options.pollUs;
  }

  #poll(destination: Station): BurstFrame {
    this.#burst = null;
    this.#given = null;
    const { station: source, config } = this.#options;
    const sequence = this.#open?.unacknowledged[0]?.sequence ?? 0;
    const header = { type: 'poll', destination, source, sequence, behind: 0, more: false, retry: false } as const;
    const octets = encodeLinkFrame({ ...header, body: NO_BODY }, config.fcsBytes);
    const question = { first: true, last: true, wantsAck: true, attempt: 0, sequence: null } as const;
    return { octets, destination, ...question, interactive: false, later: false };
  }

  #openNext(): OpenFrame<Unit> {
    const unit = this.#packer.take();
    if (unit === undefined) throw new SluiceError('internal', 'a burst without a frame');
    if (this.#wantsAck(unit)) {
      this.#open ??= this.#outbox(unit.destination);
      return this.#open.add(unit);
    }
    const sequence = this.#broadcastSequence;
    this.#broadcastSequence = sequenceAfter(sequence);
    return { item: unit, sequence, attempts: 0, acknowledged: false };
  }

  #outbox(station: Station): Outbox<Unit> {
    let outbox = this.#outboxes.get(station);
    if (outbox === undefined) {
      outbox = new Outbox(this.#options.firstSequence());
      this.#outboxes.set(station, outbox);
    }
    return outbox;
  }

  #settled(): void {
    this.#open = null;
  }

  /** Whether it goes to all, and is sent more than once: each before the next one, so that they keep their order. */
  #isRepeated({ type, destination }: Unit): boolean {
    return type !== 'raw' && destination === BROADCAST;
  }

  #wantsAck(unit: Unit): boolean {
    return this.#options.config.arq && unit.destination !== BROADCAST;
  }

  /** Whether its receiver may still count by the numbers of whoever had our address before. */
  #isStranger(unit: Unit): boolean {
    return this.#mindsStrangers && this.#wantsAck(unit) && !this.#acquainted.has(unit.destination);
  }

  #airtimeUs(unit: Unit): number {
    return this.#options.phy.timing.airtimeUs(this.#frameBytes(unit));
  }

  #frameBytes({ body }: Unit): number {
    const { linkFrames, fcsBytes } = this.#options.config;
    return body.length + (linkFrames ? LINK_HEADER_BYTES + fcsBytes : 0);
  }

  /** What may come along with a frame of the burst. */
  #roomBytes(unit: Unit, { airtimeUs }: Burst): number {
    const { phy, config } = this.#options;
    const longerUs = phy.timing.airtimeUs(this.#longestBytes) - this.#airtimeUs(unit);
    const fits = airtimeUs + longerUs <= (config.limits?.keyDownUs ?? Number.POSITIVE_INFINITY);
    return fits ? this.#longestBytes - this.#frameBytes(unit) : 0;
  }

  /** Acknowledgements that come along with a frame of the burst, which grows by them. */
  #acksAlong(unit: Unit, burst: Burst): readonly CarriedAck[] {
    const acks = this.#options.deferral.take(this.#roomBytes(unit, burst));
    if (acks.length === 0) return acks;
    const longerBytes = this.#frameBytes(unit) + piggybackBytes({ later: false, acks });
    burst.airtimeUs += this.#options.phy.timing.airtimeUs(longerBytes) - this.#airtimeUs(unit);
    return acks;
  }

  #encode(open: OpenFrame<Unit>, more: boolean, piggyback: Piggyback | undefined): Uint8Array {
    const { station: source, config } = this.#options;
    const { type, destination, body } = open.item;
    if (type === 'raw') return body;
    const behind = this.#open?.behind(open) ?? 0;
    const retry = open.attempts > 1 && !this.#isStranger(open.item);
    const { sequence } = open;
    const frame = { type, destination, source, sequence, behind, more, retry, body };
    return encodeLinkFrame(piggyback === undefined ? frame : { ...frame, piggyback }, config.fcsBytes);
  }

  #drop(cause: DropCause, packets: number): void {
    for (let i = 0; i < packets; i++) this.#options.drop(cause);
  }

  #giveUpHopeless(nowUs: number): void {
    const { config } = this.#options;
    const { maxRetries } = config;
    const causes = new Map<Whole, DropCause>();
    const isOld = (pulledUs: number, priority: number): boolean => isTooOld(nowUs - pulledUs, priority, config);
    const judge = (unit: Unit, attempts: number): void => {
      if (attempts + Math.floor(unit.asked / REQUESTS_PER_ATTEMPT) > maxRetries)
        causes.set(unit.packet, unit.refusals > maxRetries ? 'modem-refused' : 'retry-limit');
      else if (isOld(unit.pulledUs, unit.priority)) causes.set(unit.packet, 'deadline');
    };
    this.#drop('deadline', this.#packer.withoutAhead(isOld));
    // It has been sent already: that is no drop.
    if (this.#again !== null && isOld(this.#again.item.pulledUs, this.#again.item.priority)) this.#again = null;
    for (const { item, attempts } of this.#open?.unacknowledged ?? []) judge(item, attempts);
    for (const unit of this.#packer.ready) judge(unit, 0);
    if (causes.size === 0) return;
    // With one of its fragments the whole packet is gone.
    this.#open?.giveUp(({ item }) => causes.has(item.packet));
    // What was given up is nobody's delay.
    this.#options.delays.restart(nowUs);
    if (this.#open?.size === 0) this.#settled();
    this.#packer.without(new Set(causes.keys()));
    for (const [{ packets }, cause] of causes) this.#drop(cause, packets);
  }
}
