/**
 * What got past the gate while the modem cannot send: the gate leaks a little on purpose, and over minutes (lines
 * without a pace) or hours that fills the ring of the TAP, which then drops unasked and keeps what is oldest. So it is taken
 * out in time and kept here, and, like packets that the MAC has in hand, dropped with a cause when it is too old to be sent.
 * Also where the ring is kept over a restart: what a stop while the modem is away loses by that is younger than the deadline,
 * or would be dropped anyway.
 */
import type { Clock } from '../base/clock.js';
import type { DropCounters } from '../base/drops.js';
import { type Deadlines, isTooOld } from '../mac/deadline.js';
import type { OutboundPacket } from '../wire/packet.js';

/** A gate that leaks more than this before the deadline is none; what is beyond stays in the ring. */
const PACKETS_MAX = 4096;

export interface LeakedPacketsParts {
  readonly scheduler: Clock;
  readonly macConfig: Deadlines;
  readonly drops: DropCounters;
}

export class LeakedPackets {
  readonly #parts: LeakedPacketsParts;
  #waiting: { readonly packet: OutboundPacket; readonly sinceUs: number }[] = [];

  constructor(parts: LeakedPacketsParts) {
    this.#parts = parts;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  get isFull(): boolean {
    return this.#waiting.length >= PACKETS_MAX;
  }

  add(packet: OutboundPacket): void {
    this.#waiting.push({ packet, sinceUs: this.#parts.scheduler.nowUs() });
  }

  /** The oldest that is not too old. */
  take(): OutboundPacket | null {
    this.dropOld();
    return this.#waiting.shift()?.packet ?? null;
  }

  dropOld(): void {
    const before = this.#waiting.length;
    if (before === 0) return;
    const { scheduler, macConfig, drops } = this.#parts;
    const nowUs = scheduler.nowUs();
    this.#waiting = this.#waiting.filter(
      ({ packet, sinceUs }) => !isTooOld(nowUs - sinceUs, packet.priority, macConfig),
    );
    if (this.#waiting.length < before) drops.count('deadline', before - this.#waiting.length);
  }

  /** The daemon stops. */
  dropAll(): void {
    if (this.#waiting.length > 0) this.#parts.drops.count('shutdown', this.#waiting.length);
    this.#waiting = [];
  }
}
