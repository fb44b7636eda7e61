/**
 * Asking before sending, as one station does it: when to ask, what to answer, and what to make of what others ask.
 * See reservations.ts for why and for the times.
 */
import type { FcsBytes, LinkFrame } from '../wire/link-frame.js';
import type { Station } from '../wire/packet.js';
import type { ChannelAccess } from './access.js';
import type { Neighbours } from './neighbours.js';
import type { Phy } from './phy.js';
import { Reservations } from './reservations.js';
import type { Sender } from './sender.js';
import type { MacCounters } from './statistics.js';
import type { MacTiming } from './timing.js';
import type { Transmitter } from './transmitter.js';

export interface RequestsOptions {
  readonly station: Station;
  readonly phy: Phy;
  readonly fcsBytes: FcsBytes;
  /** What was not seen for so long is over. */
  readonly patienceUs: number;
  /** The longest that one win of the channel takes on the air. */
  readonly longestUs: number;
  readonly timing: MacTiming;
  readonly access: ChannelAccess;
  readonly neighbours: Neighbours;
  readonly sender: Sender;
  readonly transmitter: Transmitter;
  readonly counters: MacCounters;
}

export class Requests {
  readonly #options: RequestsOptions;
  readonly #reservations: Reservations;

  constructor(options: RequestsOptions) {
    this.#options = options;
    const { turnaroundUs, hostLatencyUs } = options.phy.timing;
    this.#reservations = new Reservations({
      ...options,
      airtimeUs: (frameBytes) => options.phy.timing.airtimeUs(frameBytes),
      gapUs: turnaroundUs + hostLatencyUs / 2,
    });
  }

  /** From the end of a request until its clearance must have been received whole. */
  get clearEndUs(): number {
    return this.#reservations.clearEndUs;
  }

  /** Asks for the burst that was begun, if that is worth it. False: it is not. */
  ask(nowUs: number): boolean {
    const { sender, neighbours, transmitter, counters } = this.#options;
    const { upcoming } = sender;
    if (upcoming === null) return false;
    const { destination, airtimeUs } = upcoming;
    if (!this.#reservations.worthAsking(airtimeUs, neighbours.get(destination), nowUs)) return false;
    counters.requests++;
    this.#reservations.seen(nowUs);
    transmitter.start('request', this.#reservations.request(destination, airtimeUs), false);
    return true;
  }

  /** Whether all hear all, as far as we know. */
  allHeard(nowUs: number): boolean {
    return !this.#reservations.inUse(nowUs) && !this.#reservations.anyHidden(nowUs);
  }

  unanswered(): void {
    const { sender, neighbours, counters } = this.#options;
    counters.requestsUnanswered++;
    if (sender.upcoming !== null) neighbours.attempted(sender.upcoming.destination, false);
    sender.requestUnanswered();
  }

  /** Somebody asks us: cleared, unless somebody else was, and we heard it. */
  clear(frame: LinkFrame, nowUs: number): void {
    const { access, transmitter } = this.#options;
    if (transmitter.onAir !== null || access.reservedAt(nowUs)) return;
    transmitter.answer('clearance', this.#reservations.clearance(frame));
  }

  /** From the end of a frame to another until its ACK is over, if we cannot hear that; null if we can. */
  hiddenAnswerUs({ destination }: LinkFrame, nowUs: number): number | null {
    if (destination === this.#options.station) return null;
    return this.#reservations.hiddenAnswerUs(destination, nowUs);
  }

  /** What a frame says about the time after it, and about who is hidden from whom. */
  heed({ type, destination, body }: LinkFrame, nowUs: number): void {
    const { station, access, neighbours } = this.#options;
    if (type === 'rts' || type === 'cts') this.#reservations.seen(nowUs);
    const isOthers = destination !== station;
    if (isOthers && (type === 'ack' || type === 'cts')) {
      this.#reservations.answerHeard(destination, neighbours.get(destination).lastHeardUs, nowUs);
    }
    if (type === 'ack') access.reserve(null);
    else if (type === 'cts' && isOthers) access.reserve(nowUs + this.#reservations.reservedUs(body));
    this.heedSlot(nowUs);
  }

  /** A slot is as long as all on the channel take it to be: longer where requests are in use. */
  heedSlot(nowUs: number): void {
    const { access, timing } = this.#options;
    access.slotUs = this.#reservations.inUse(nowUs) ? this.#reservations.slotUs : timing.slotUs;
  }
}
