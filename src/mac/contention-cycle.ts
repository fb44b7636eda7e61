/**
 * Contention that ends in a schedule, with no knowledge of how many stations there are.
 *
 * 1. After a success a station waits a fixed number of slots, the cycle, and so keeps its place among the others: no two
 *    of them meet again (CSMA/ECA: Barcelo, Bellalta et al., "Learning-BEB", 2008, and "CSMA with Enhanced Collision
 *    Avoidance", 2011). It has a seat, and all who hear it know when it is due again.
 * 2. The cycle has one slot for each seat and one for newcomers: nobody is told how long it is, all count the same seats. It
 *    gets shorter only as idle slots go by, because then nobody's place moves onto another's.
 * 3. Who has no seat contends for the slots that are nobody's, with the probability that is best for the estimated number
 *    of contenders (pseudo-Bayesian control: Rivest, IEEE Trans. Inf. Theory 1987). While there are contenders the cycle
 *    has as many more slots as they need.
 * 4. Where frames are lost to noise, stations do not see the same. Cycles are then powers of two, at which stations that
 *    disagree still keep clear of each other (as in ECA with hysteresis; Sanabria-Russo et al. 2013), and a place is
 *    kept through failures.
 * 5. So they are where nobody confirms what is sent: there two may hold the same seat and never learn of it, so each is
 *    silent in its own slot now and then, and goes elsewhere if it hears somebody.
 * 6. A lone sender leaves out the free slot most of the time.
 */
import type { Random } from '../base/random.js';
import type { Station } from '../wire/packet.js';
import { type Contention, optimalAttempts } from './contention.js';
import { type Seat, Seats } from './contention-seats.js';

/** The longest cycle: 254 stations and as much room again. */
const MAX_CYCLE_SLOTS = 512;
/** A seat survives so many failures in a row: noise takes single frames, two that hold the same seat collide for ever. */
const FAILURES_BORNE = 2;
/** A seat is given up by the others when it was idle so often in a row, or when nothing came from it but noise. */
const MISSES_BORNE = 2;
/**
 * Confirmed by nobody, a seat may be held by two: now and then its holder is silent in its slot, and listens. The more
 * often it was alone there, the more seldom: first once in so many cycles, in the end once in so many.
 */
const LISTEN_FIRST = 2;
const LISTEN_SELDOM = 16;
/** Each collision that follows another counts twice as much, so that many newcomers at once are soon believed. */
const COLLISION_DOUBLINGS = 4;
/** No more contenders than this are believed in. */
const MAX_CONTENDERS = 100;
/** Under noise, more contenders than stations known, or this many, are not believed in. */
const COARSE_CONTENDERS = 4;
/** Own exchanges in a row, with nothing heard of anybody, after which a station takes the channel to be its own. */
const ALONE_AFTER = 8;
/** What a lone sender leaves to a newcomer: one slot that shows the gap, one to begin in. */
const ALONE_GAP_SLOTS = 2;
/** How much of the channel that may cost; and the longest that a newcomer waits for it, in frames. */
const ALONE_COST = 0.012;
const ALONE_FRAMES_MAX = 32;
/** Share of disturbed seats, over the last 128 exchanges or so, from which on cycles are coarse, and up to which exact. */
const NOISE_MEMORY = 128;
const COARSE_FROM = 1.5 / NOISE_MEMORY;
const EXACT_FROM = 0.2 / NOISE_MEMORY;
/** The share of exchanges that nobody confirms, over the last 16 or so, from which on cycles are coarse. */
const UNCONFIRMED_MEMORY = 16;
const UNCONFIRMED_FROM = 0.5;
/**
 * Backoff of those that nobody can be heard with, in exchanges: after how many failures, the first one, and how often it
 * doubles. Noise of 10 % of all frames makes as many failures in a row once in 760 exchanges.
 */
const FAILURES_UNHEARD = 4;
const UNHEARD_EXCHANGES = 2;
const UNHEARD_DOUBLINGS = 4;

/** What is known of the exchange that is going on: whose it is, somebody's, or not understood. */
type Label = Station | 'somebody' | 'not understood';

export interface CycleOptions {
  readonly random: Random;
  readonly station: Station;
  /** Slot length / length of a usual exchange. Best the same at all stations. */
  readonly a: number;
  /** Whether frames say who sends them; if not, there are no seats. Default: yes. */
  readonly named?: boolean;
}

export class CycleContention implements Contention {
  readonly #random: Random;
  readonly #self: Station;
  readonly #named: boolean;
  /** Attempts per free slot that all contenders together aim at. */
  readonly #attempts: number;
  /** How many contenders a collision shows, in the mean. */
  readonly #inCollision: number;
  readonly #exchangeSlots: number;
  readonly #aloneFrames: number;
  readonly #seats = new Seats();
  /** The latest slot that is over or holds an exchange, counted since the beginning. */
  #slot = 0;
  /** Idle slots since the last exchange that are counted in `#slot` already. */
  #idleCounted = 0;
  #cycle = 2;
  #contenders = 0;
  #collisionsInARow = 0;
  /** The present exchange, until it is known what became of it. */
  #label: Label | null = null;
  #isConfirmed = false;
  #own = false;
  #failures = 0;
  /** Whether our last transmission was one that nobody confirms; how often since we took our seat we listened in it. */
  #unconfirmed = false;
  #listened = 0;
  /** Our slot, in which we listen. */
  #listeningSlot: number | null = null;
  #ownInARow = 0;
  /** The station heard last, and how often in a row with no slot between. */
  #heardLast: Label | null = null;
  #heardInARow = 0;
  #exchangeSlot = 0;
  #noise = 0;
  #unconfirmedShare = 0;
  #coarse = false;

  constructor({ random, station, a, named = true }: CycleOptions) {
    this.#random = random;
    this.#self = station;
    this.#named = named;
    const attempts = optimalAttempts(a);
    const none = Math.exp(-attempts);
    this.#attempts = attempts;
    this.#inCollision = (attempts * (1 - none)) / (1 - none - attempts * none);
    this.#exchangeSlots = Math.ceil(1 / a);
    this.#aloneFrames = Math.min(ALONE_FRAMES_MAX, Math.max(1, Math.ceil((ALONE_GAP_SLOTS * a) / ALONE_COST)));
  }

  get window(): number {
    return this.#alone ? 1 : this.#cycle;
  }

  began(idleSlots: number, own: boolean): void {
    this.#conclude();
    this.#countIdle(idleSlots);
    this.#idleCounted = 0;
    this.#slot++;
    this.#own = own;
    this.#label = own ? this.#self : 'not understood';
    this.#isConfirmed = true;
    if (own) return;
    this.#ownInARow = 0;
    // Somebody else is in our slot.
    if (this.#slot === this.#listeningSlot) this.#seats.remove(this.#self);
  }

  heard(source: Station | null, confirmed: boolean): void {
    if (this.#label === null || this.#own) return;
    this.#label = source ?? 'somebody';
    this.#isConfirmed = confirmed;
  }

  ended(): void {}

  succeeded(confirmed: boolean): void {
    this.#failures = 0;
    // Two that send what nobody confirms must not keep step, or they would never hear each other.
    this.#ownInARow = confirmed ? this.#ownInARow + 1 : 0;
    this.#unconfirmed = !confirmed;
    if (!this.#own) return;
    this.#isConfirmed = confirmed;
    this.#conclude();
  }

  failed(): void {
    this.#failures++;
    if (this.#ownInARow > 0) this.#ownInARow--;
    if (this.#own) {
      if (this.#label !== null) this.#label = 'not understood';
      this.#conclude();
    } else if (this.#failures > FAILURES_BORNE) this.#seats.remove(this.#self);
  }

  recount(): number | null {
    const seat = this.#seats.get(this.#self);
    if (seat === undefined) return this.#loneOther ? this.#gapSlots(1) : null;
    return seat.dueSlot > this.#slot ? seat.dueSlot - this.#slot - 1 : null;
  }

  postponed(slots: number): void {
    const seat = this.#seats.get(this.#self);
    if (seat !== undefined) this.#seats.place(this.#self, seat.dueSlot + slots);
  }

  get expected(): Station | undefined {
    return this.#label === null ? undefined : this.#seats.expectedIn(this.#slot);
  }

  precedes(station: Station): boolean {
    if (!this.#own) this.#conclude();
    const own = this.#seats.get(this.#self);
    const other = this.#seats.get(station);
    if (own === undefined || other === undefined || other.idleMisses + other.unknownMisses > 0) return false;
    return other.dueSlot > own.dueSlot && other.dueSlot < own.dueSlot + this.#cycle;
  }

  drawSlots(idleSlots: number): number {
    this.#conclude();
    this.#countIdle(idleSlots);
    const next = this.#slot + 1;
    const seat = this.#seats.get(this.#self);
    if (this.#alone && this.#failures === 0) {
      const slots = this.#ownInARow % this.#aloneFrames === 0 ? ALONE_GAP_SLOTS : 0;
      if (seat !== undefined) this.#seats.place(this.#self, next + slots);
      return slots;
    }
    if (seat !== undefined && seat.dueSlot >= next) {
      if (this.#unconfirmed) this.#maybeListen(seat);
      return seat.dueSlot - next;
    }
    // The gap of a lone sender shows by its first slot; the second is for us, the third for the lone sender.
    if (this.#loneOther && idleSlots <= ALONE_GAP_SLOTS) return this.#gapSlots(idleSlots === 1 ? 0 : 1);
    if (this.#own && this.#failures >= FAILURES_UNHEARD) {
      // Nobody was heard since we failed: whom we met cannot be heard, so frames must keep apart, and not slots.
      const doublings = Math.min(this.#failures - FAILURES_UNHEARD, UNHEARD_DOUBLINGS);
      return this.#random.below(this.#exchangeSlots * UNHEARD_EXCHANGES * 2 ** doublings);
    }
    return this.#contend(next);
  }

  /** Another may hold our seat, too: only by being silent we can hear it. */
  #maybeListen({ dueSlot }: Seat): void {
    const every = Math.min(LISTEN_SELDOM, LISTEN_FIRST + this.#listened);
    if (this.#random.below(every) > 0) return;
    this.#listened++;
    this.#listeningSlot = dueSlot;
    this.#seats.place(this.#self, dueSlot + this.#cycle);
  }

  get #alone(): boolean {
    return this.#ownInARow >= ALONE_AFTER;
  }

  /** The slot that a lone sender leaves. Two that want it, and cannot hear each other, must not both take it every time. */
  #gapSlots(slots: number): number {
    return this.#failures === 0 || this.#random.below(2) === 0 ? slots : slots + ALONE_GAP_SLOTS;
  }

  /** Somebody else sends again and again, leaves no slot free, and there is nobody besides. */
  get #loneOther(): boolean {
    return this.#heardInARow > 1 && this.#heardLast !== this.#self && this.#seats.size <= 1;
  }

  /** One attempt, in a slot that is nobody's, as if each of them were decided on when it comes. */
  #contend(nextSlot: number): number {
    let contenders = this.#contenders;
    let attempts = this.#attempts;
    if (this.#coarse) {
      // What we saw as collisions was noise to some part, and the others make no room for it: one attempt in a cycle.
      contenders = Math.min(contenders, Math.max(COARSE_CONTENDERS, this.#seats.size));
      attempts = Math.max(attempts, 1 / Math.max(1, this.#cycle - this.#seats.size));
    }
    // One draw: the chance that none of the slots so far is taken falls below it in the slot that is.
    const drawn = this.#random.unit();
    const anyExpected = this.#seats.size > 0;
    let none = 1;
    for (let ahead = 0; ; ahead++) {
      const isFree = !anyExpected || ahead >= MAX_CYCLE_SLOTS || this.#seats.expectedIn(nextSlot + ahead) === undefined;
      if (!isFree) continue;
      none *= 1 - attempts / Math.max(attempts, contenders);
      if (none <= drawn) return ahead;
      contenders -= attempts;
    }
  }

  #countIdle(idleSlots: number): void {
    // After that many nobody has a seat, nobody contends, and more of them change nothing.
    const untilSettled = Math.min(idleSlots, this.#idleCounted + 16 * MAX_CYCLE_SLOTS);
    for (; this.#idleCounted < untilSettled; this.#idleCounted++) {
      const absent = this.#seats.expectedIn(++this.#slot);
      if (absent !== undefined) this.#missed(absent);
      else this.#contenders = Math.max(0, this.#contenders - this.#attempts);
      this.#collisionsInARow = 0;
      this.#cycle = this.#coarse ? this.#wantedCycle() : Math.max(this.#wantedCycle(), this.#cycle - 1);
    }
    this.#slot += idleSlots - this.#idleCounted;
    this.#idleCounted = idleSlots;
  }

  /** Draws the conclusions from the present exchange, once. */
  #conclude(): void {
    const label = this.#label;
    if (label === null) return;
    this.#label = null;
    const expected = this.#seats.expectedIn(this.#slot);
    const fromLone = this.#followLone(label);
    this.#followNoise(label === 'not understood' && expected !== undefined);
    if (label !== 'not understood') this.#understood(label, expected);
    else if (expected === this.#self) this.#ownSeatFailed();
    else {
      // Sent in a slot that was not ours: what seat there may be is of no use any more.
      if (this.#own) this.#seats.remove(this.#self);
      if (expected !== undefined) this.#spoiled(expected);
      else if (this.#own || !fromLone) this.#collided();
    }
  }

  #understood(label: Station | 'somebody', expected: Station | undefined): void {
    this.#collisionsInARow = 0;
    const source = label === 'somebody' ? expected : label;
    if (expected !== source) {
      if (expected !== undefined) this.#missed(expected);
      this.#contenders = Math.max(0, this.#contenders - this.#attempts);
    }
    // Whether our own met another we do not know where nobody confirms it: what the others saw, in the mean.
    const met = 1 - Math.exp(-this.#attempts);
    if (source === undefined || (!this.#named && expected !== source)) {
      // Nobody can be given a seat, and whoever it was contends again.
      this.#addContenders(this.#own ? 1 - met + met * this.#inCollision : 1);
      return;
    }
    if (this.#own && !this.#isConfirmed && expected !== source) {
      this.#listened = 0;
      this.#addContenders(met * this.#inCollision);
    }
    const before = this.#seats.get(source)?.heardSlot ?? Number.NEGATIVE_INFINITY;
    const seat = this.#seats.taken(source, this.#slot);
    seat.heardSlot = this.#slot;
    seat.idleMisses = 0;
    seat.unknownMisses = 0;
    this.#cycle = Math.max(this.#cycle, this.#wantedCycle());
    this.#seats.place(source, this.#slot + this.#cycleOf(source, this.#slot - before));
  }

  /** How long this station will wait. Coarse cycles need not be the same for all. */
  #cycleOf(source: Station, lastCycle: number): number {
    const cycle = this.#cycle;
    if (!this.#coarse) return cycle;
    if (source === this.#self) return this.#seatIsFree(cycle) ? cycle : this.#freeWithin(cycle);
    const isCoarse = (lastCycle & (lastCycle - 1)) === 0;
    return isCoarse && lastCycle >= cycle / 2 && lastCycle <= cycle * 2 ? lastCycle : cycle;
  }

  #seatIsFree(ahead: number): boolean {
    const expected = this.#seats.expectedIn(this.#slot + ahead);
    return expected === undefined || expected === this.#self;
  }

  #freeWithin(slots: number): number {
    let free = 0;
    let chosen = slots;
    for (let ahead = 1; ahead <= slots; ahead++) {
      if (this.#seatIsFree(ahead) && this.#random.below(++free) === 0) chosen = ahead;
    }
    return chosen;
  }

  /** The slot was ours, and not understood by whom it was for; or another's signal was there before ours. */
  #ownSeatFailed(): void {
    if (!this.#own || this.#failures > FAILURES_BORNE) this.#seats.remove(this.#self);
    else this.#seats.place(this.#self, this.#slot + this.#cycle);
  }

  /** Something came when the holder of a seat was due; most likely it was the holder. */
  #spoiled(holder: Station): void {
    const seat = this.#seats.get(holder);
    if (seat === undefined) return;
    if (++seat.unknownMisses > MISSES_BORNE) this.#seats.remove(holder);
    else this.#seats.place(holder, this.#slot + this.#cycle);
  }

  /** Nothing came when the holder of a seat was due, or another. */
  #missed(holder: Station): void {
    const seat = this.#seats.get(holder);
    if (seat === undefined) return;
    if (++seat.idleMisses > MISSES_BORNE) this.#seats.remove(holder);
    else this.#seats.place(holder, this.#slot + this.#cycle);
  }

  #collided(): void {
    const doublings = Math.min(this.#collisionsInARow++, COLLISION_DOUBLINGS);
    this.#addContenders((this.#inCollision - this.#attempts) * 2 ** doublings);
  }

  #addContenders(more: number): void {
    this.#contenders = Math.min(MAX_CONTENDERS, this.#contenders + more);
    this.#cycle = Math.max(this.#cycle, this.#wantedCycle());
  }

  #followLone(label: Label): boolean {
    if (this.#slot !== this.#exchangeSlot + 1) this.#heardInARow = 0;
    this.#exchangeSlot = this.#slot;
    if (label !== 'not understood') {
      this.#heardInARow = label === this.#heardLast && this.#isConfirmed ? this.#heardInARow + 1 : 1;
      this.#heardLast = label;
    }
    return this.#heardInARow > 1;
  }

  /** Whether all see the same: not where noise takes frames, nor where those who meet are told by nobody. */
  #followNoise(disturbed: boolean): void {
    this.#noise += ((disturbed ? 1 : 0) - this.#noise) / NOISE_MEMORY;
    this.#unconfirmedShare += ((this.#isConfirmed ? 0 : 1) - this.#unconfirmedShare) / UNCONFIRMED_MEMORY;
    if (this.#noise >= COARSE_FROM || this.#unconfirmedShare > UNCONFIRMED_FROM) this.#coarse = true;
    else if (this.#noise < EXACT_FROM) this.#coarse = false;
  }

  #wantedCycle(): number {
    const seats = this.#seats.size + 1;
    if (!this.#coarse) return Math.min(MAX_CYCLE_SLOTS, seats + Math.ceil(this.#contenders / this.#attempts));
    // Whose cycle is longer than the others' gets less: what one took for contenders must not decide.
    return Math.min(MAX_CYCLE_SLOTS, 2 ** Math.ceil(Math.log2(seats + Math.min(COARSE_CONTENDERS, this.#contenders))));
  }
}
