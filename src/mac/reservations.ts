/**
 * Hidden terminals: stations that cannot hear each other and have a neighbour in common, at which their frames meet.
 *
 * 1. A station is hidden from us when others answer it, time and again, and we never hear what they answer.
 * 2. If there is one, and our own frames are lost, we ask before we send: a short request, which the receiver clears; who
 *    hears the clearance leaves the channel alone for as long as it says (RTS/CTS and NAV as in IEEE 802.11, after MACA:
 *    Karn 1990). It is only done for so much airtime that it pays.
 * 3. Where this is in use, a slot lasts for a request and the beginning of its clearance: so a hidden station senses an
 *    exchange in the slot in which it began, and all count the same slots, as if they heard each other.
 */

import type { LinkFrame, LinkFrameType } from '../wire/link-frame.js';
import {
  decodeReservation,
  encodeLinkFrame,
  encodeReservation,
  type FcsBytes,
  LINK_HEADER_BYTES,
} from '../wire/link-frame.js';
import type { Station } from '../wire/packet.js';
import type { MacTiming } from './timing.js';

/** An exchange is worth a request if it is so many times as long. */
const WORTH = 1.5;
/** Share of unacknowledged attempts from which on requests begin; noise of 10 % per frame costs 0.19. */
const LOSS_FROM = 0.3;
/** And where nobody was seen to be hidden, because nothing ever gets through: so many attempts, so many of them lost. */
const HOPELESS_ATTEMPTS = 12;
const HOPELESS_FROM = 0.7;
/** Weight of the newest answer, and how many there must be, to call a station hidden; and the share unheard. */
const WEIGHT = 1 / 8;
const ANSWERS_MIN = 6;
/** A reservation is believed for so many of our own longest wins of the channel: others' may be set to be longer. */
const BELIEVED_WINS = 2;
const HIDDEN_FROM = 0.7;

export interface ReservationOptions {
  readonly station: Station;
  readonly fcsBytes: FcsBytes;
  readonly timing: MacTiming;
  airtimeUs(frameBytes: number): number;
  /** From the end of a frame until its answer begins. */
  readonly gapUs: number;
  /** The longest that one win of the channel takes on the air. */
  readonly longestUs: number;
  /** What was not seen for so long is over. */
  readonly patienceUs: number;
}

interface Losses {
  readonly lossRatio: number;
  readonly attempts: number;
}

interface Answered {
  answers: number;
  /** Share of the answers to it that came though we had not heard it. */
  unheard: number;
  lastUs: number;
}

const RESERVATION_FRAME_BYTES = LINK_HEADER_BYTES + encodeReservation(0).length;

export class Reservations {
  readonly #options: ReservationOptions;
  readonly #answered = new Map<Station, Answered>();
  readonly #frameUs: number;
  readonly #ackUs: number;
  #inUseUntilUs = Number.NEGATIVE_INFINITY;

  constructor(options: ReservationOptions) {
    this.#options = options;
    this.#frameUs = options.airtimeUs(RESERVATION_FRAME_BYTES + options.fcsBytes);
    this.#ackUs = options.airtimeUs(LINK_HEADER_BYTES + options.fcsBytes);
  }

  /** A slot that holds a request and the beginning of its clearance. */
  get slotUs(): number {
    return this.#options.gapUs + this.#frameUs + this.#options.timing.ackStartUs;
  }

  /** From the end of a request until its clearance must have been received whole. */
  get clearEndUs(): number {
    const { timing, airtimeUs, fcsBytes } = this.#options;
    // An ACK is shorter by the reservation.
    return (
      timing.ackEndUs + this.#frameUs - airtimeUs(RESERVATION_FRAME_BYTES - encodeReservation(0).length + fcsBytes)
    );
  }

  inUse(nowUs: number): boolean {
    return nowUs <= this.#inUseUntilUs;
  }

  /** A request or a clearance was sent or heard. */
  seen(nowUs: number): void {
    this.#inUseUntilUs = nowUs + this.#options.patienceUs;
  }

  /** Somebody answers `station`, that was heard last at this time. */
  answerHeard(station: Station, lastHeardUs: number, nowUs: number): void {
    const known = this.#answered.get(station) ?? { answers: 0, unheard: 0, lastUs: nowUs };
    this.#answered.set(station, known);
    known.lastUs = nowUs;
    const isUnheard = nowUs - lastHeardUs > 2 * this.#options.timing.ackEndUs;
    known.unheard += ((isUnheard ? 1 : 0) - known.unheard) * Math.max(WEIGHT, 1 / ++known.answers);
  }

  /** From the end of a frame to this station until its ACK is over, if we cannot hear that; null if we can. */
  hiddenAnswerUs(station: Station, nowUs: number): number | null {
    return this.#isHidden(station, nowUs) ? this.#options.gapUs + this.#ackUs : null;
  }

  /** Whether to ask before so much airtime, to a station that leaves this share of so many attempts unanswered. */
  worthAsking(airtimeUs: number, { lossRatio, attempts }: Losses, nowUs: number): boolean {
    const costUs = 2 * (this.#frameUs + this.#options.timing.ackStartUs);
    if (airtimeUs < WORTH * costUs) return false;
    if (attempts >= HOPELESS_ATTEMPTS && lossRatio >= HOPELESS_FROM) return true;
    return (lossRatio >= LOSS_FROM || this.inUse(nowUs)) && this.anyHidden(nowUs);
  }

  /** The request for so much airtime and its acknowledgement. */
  request(destination: Station, airtimeUs: number): Uint8Array {
    const { station, fcsBytes, gapUs, timing } = this.#options;
    const durationUs = gapUs + this.#frameUs + gapUs + airtimeUs + timing.ackStartUs;
    return encodeLinkFrame(frame('rts', destination, station, durationUs), fcsBytes);
  }

  /** What a request or a clearance takes, as far as it is believed: a reservation may say up to 167 s. */
  reservedUs(body: Uint8Array): number {
    const { gapUs, longestUs, timing } = this.#options;
    const longestExchangeUs = gapUs + this.#frameUs + gapUs + BELIEVED_WINS * longestUs + timing.ackEndUs;
    return Math.min(decodeReservation(body), longestExchangeUs);
  }

  /** The answer to a request. */
  clearance({ source, body }: LinkFrame): Uint8Array {
    const { station, fcsBytes, gapUs } = this.#options;
    const leftUs = this.reservedUs(body) - gapUs - this.#frameUs;
    return encodeLinkFrame(frame('cts', source, station, leftUs), fcsBytes);
  }

  anyHidden(nowUs: number): boolean {
    for (const station of this.#answered.keys()) if (this.#isHidden(station, nowUs)) return true;
    return false;
  }

  #isHidden(station: Station, nowUs: number): boolean {
    const known = this.#answered.get(station);
    if (known === undefined || nowUs - known.lastUs > this.#options.patienceUs) return false;
    return known.answers >= ANSWERS_MIN && known.unheard >= HIDDEN_FROM;
  }
}

function frame(type: LinkFrameType, destination: Station, source: Station, durationUs: number): LinkFrame {
  const body = encodeReservation(durationUs);
  return { type, destination, source, sequence: 0, behind: 0, more: false, retry: false, body };
}
