/**
 * Acknowledgements that come along with traffic going back, instead of an answer of their own each.
 *
 * 1. The sender of a burst decides: its last frame says that its acknowledgement may wait. So it does where an answer would
 *    cost enough, where the receiver had its turn lately, with room to spare, and is due again before our next one, and
 *    where little is lost.
 * 2. Nobody answers such a frame, and nobody keeps the channel free for it.
 * 3. What the receiver sends next, to whomever, says what has arrived; all hear it. If it has nothing to send, the
 *    acknowledgements go alone, on its turn.
 * 4. Nobody waits beyond its own next turn: what was not acknowledged by then is sent again, to be answered at once.
 */
import { encodeLinkFrame, type FcsBytes, LINK_HEADER_BYTES, type LinkFrame } from '../wire/link-frame.js';
import { BROADCAST, type Station } from '../wire/packet.js';
import {
  CARRIED_MAX,
  type CarriedAck,
  carriedAckBytes,
  PIGGYBACK_MIN_BYTES,
  piggybackBytes,
} from '../wire/piggyback.js';
import type { Contention } from './contention.js';
import type { Acknowledgement } from './outbox.js';
import type { MacCounters } from './statistics.js';

/**
 * An answer that costs less than this share of what it answers is not worth it: own choice. Three octets more in each frame
 * take 0.6 % of 500, and what is saved shrinks with noise.
 */
const WORTH = 0.03;
/**
 * With more of our bursts lost than this, acknowledgements do not wait: whoever misses such a frame may count other slots
 * than those who heard it. Three pairs, a = 0.3, turnaround 0.8 of the slot, beside answers at once: 1.15 with 1 % frame
 * errors, 1.04 with 3 %, 1.00 with 10 %.
 */
const LOSS_BORNE = 0.1;
/** After so many in a row that did not come, so many bursts are answered at once: 2 to the power of that, and not more. */
const HOLD_OFF_DOUBLINGS = 8;
const NO_BODY = new Uint8Array(0);
/** An acknowledgement of a burst of which everything arrived. */
const OWED_BYTES = carriedAckBytes({ bitmap: 0 });

export interface DeferralOptions {
  readonly enabled: boolean;
  readonly fcsBytes: FcsBytes;
  /** The longest frame, in octets. */
  readonly longestBytes: number;
  readonly contention: Pick<Contention, 'precedes'>;
  /** What an acknowledgement that does not wait costs: the way there and back, its airtime. */
  readonly answerUs: number;
  readonly counters: Pick<MacCounters, 'acksCarried' | 'acksDeferred'>;
  arrived(from: Station): Acknowledgement;
  /** Share of our bursts that nobody acknowledged. */
  lossRatio(): number;
  /** Whether all hear all, as far as anybody knows. */
  allHeard(): boolean;
}

/** What is known of another station. */
interface Partner {
  /** It had something to send on its last turn, and its frame had room for so many octets more. */
  sends: boolean;
  roomBytes: number;
  /** Of its last frame: its acknowledgement might wait; it was one of several, or others were to follow it. */
  later: boolean;
  burst: boolean;
  more: boolean;
  /** Octets of acknowledgements that it was left to owe since. */
  owedBytes: number;
  /** In a row, acknowledgements of it that did not come; bursts to it that are still to be answered at once. */
  misses: number;
  heldOff: number;
}

export class Deferral {
  readonly #options: DeferralOptions;
  readonly #partners = new Map<Station, Partner>();
  /** Who is to be acknowledged with what we send next. */
  readonly #owed = new Set<Station>();
  readonly #enabled: boolean;
  /** Room for acknowledgements in a frame without data. */
  readonly #aloneBytes: number;
  #waiting: Station | null = null;
  #passed = false;

  constructor(options: DeferralOptions) {
    this.#options = options;
    const { enabled, longestBytes, fcsBytes } = options;
    this.#aloneBytes = longestBytes - LINK_HEADER_BYTES - fcsBytes;
    this.#enabled = enabled && this.#aloneBytes >= PIGGYBACK_MIN_BYTES + carriedAckBytes({ bitmap: 1 });
  }

  // ---- as the sender of a burst -----------------------------------------------------------------------------------

  /** Whether the acknowledgement of a burst of so much airtime may wait. */
  mayWait(to: Station, airtimeUs: number): boolean {
    const { contention, answerUs, allHeard, lossRatio } = this.#options;
    if (!this.#enabled || answerUs < WORTH * airtimeUs || lossRatio() > LOSS_BORNE) return false;
    const partner = this.#of(to);
    if (partner.heldOff > 0) {
      partner.heldOff--;
      return false;
    }
    const hasRoom = PIGGYBACK_MIN_BYTES + partner.owedBytes + OWED_BYTES <= partner.roomBytes;
    return partner.sends && hasRoom && contention.precedes?.(to) === true && allHeard();
  }

  /** A burst was sent whose acknowledgement may wait. */
  waitFor(station: Station): void {
    this.#waiting = station;
    this.#options.counters.acksDeferred++;
    this.#passed = false;
  }

  /** Whose acknowledgement may still come. */
  get waiting(): Station | null {
    return this.#waiting;
  }

  /** The station that we wait for had its turn, and acknowledged nothing: so nothing arrived. */
  get passed(): boolean {
    return this.#passed;
  }

  /** What we waited for came, or did not come before our next turn. */
  settle(came: boolean): void {
    if (this.#waiting === null) return;
    const partner = this.#of(this.#waiting);
    this.#waiting = null;
    partner.misses = came ? 0 : Math.min(HOLD_OFF_DOUBLINGS, partner.misses + 1);
    // What is sent again after the first is answered at once anyway.
    partner.heldOff = came || partner.misses === 1 ? 0 : 2 ** partner.misses;
  }

  /** A frame that belongs to its sender's turn, of so many octets. */
  heard({ type, source, destination, more, piggyback }: LinkFrame, octets: number): void {
    const partner = this.#of(source);
    if (!partner.more) {
      const spareBytes = this.#options.longestBytes - octets;
      partner.roomBytes = spareBytes + (piggyback === undefined ? 0 : piggybackBytes(piggyback));
      partner.owedBytes = 0;
    }
    partner.sends = type !== 'acks';
    partner.later = piggyback?.later === true;
    partner.burst = more || partner.more;
    partner.more = more;
    if (partner.later) this.#of(destination).owedBytes += OWED_BYTES;
    if (source === this.#waiting) this.#passed = true;
  }

  /** Whether what comes from a station is likely to go unanswered, when it is not understood. */
  goesUnanswered(from: Station | undefined): boolean {
    const partner = from === undefined ? undefined : this.#partners.get(from);
    // Of a burst, it may be a frame that others follow.
    return partner?.later === true && !partner.burst;
  }

  // ---- as the receiver --------------------------------------------------------------------------------------------

  owe(station: Station): void {
    if (this.#enabled) this.#owed.add(station);
  }

  /** It was answered. */
  answered(station: Station): void {
    this.#owed.delete(station);
  }

  get owes(): boolean {
    return this.#owed.size > 0;
  }

  /** Acknowledgements for a frame that has room for so many octets more; what does not fit stays owed. */
  take(roomBytes: number): CarriedAck[] {
    const acks: CarriedAck[] = [];
    let leftBytes = roomBytes - PIGGYBACK_MIN_BYTES;
    for (const to of this.#owed) {
      const ack = { to, ...this.#options.arrived(to) };
      leftBytes -= carriedAckBytes(ack);
      if (leftBytes < 0 || acks.length === CARRIED_MAX) break;
      acks.push(ack);
      this.#options.counters.acksCarried++;
      this.#owed.delete(to);
    }
    return acks;
  }

  /** What is owed, in a frame of its own. */
  frame(source: Station): Uint8Array {
    const acks = this.take(this.#aloneBytes);
    const header = { type: 'acks', destination: acks[0]?.to ?? BROADCAST, source, sequence: 0, behind: 0 } as const;
    const piggyback = { later: false, acks };
    return encodeLinkFrame({ ...header, more: false, retry: false, body: NO_BODY, piggyback }, this.#options.fcsBytes);
  }

  clear(): void {
    this.#owed.clear();
    this.#waiting = null;
  }

  #of(station: Station): Partner {
    let partner = this.#partners.get(station);
    if (partner === undefined) {
      partner = {
        sends: false,
        roomBytes: 0,
        later: false,
        burst: false,
        more: false,
        owedBytes: 0,
        misses: 0,
        heldOff: 0,
      };
      this.#partners.set(station, partner);
    }
    return partner;
  }
}
