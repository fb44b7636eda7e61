/**
 * The TAP's side of a bridge. Out: grant, read, answer at home what can be, encapsulate; one packet at a time, and only
 * when the MAC asks. In: decapsulate and hand to the IP stack. While the modem cannot send, what leaks past the gate is
 * looked after (leaked-packets.ts).
 */
import type { Cancel, Scheduler } from '../base/clock.js';
import type { DropCounters } from '../base/drops.js';
import type { BackPressure } from '../flow/back-pressure.js';
import { Egress } from '../flow/egress.js';
import type { PacketSource } from '../mac/ports.js';
import type { Tap } from '../tap/tap.js';
import type { HomeFilter } from '../wire/local-answers.js';
import type { Encapsulation, InboundPacket, OutboundPacket } from '../wire/packet.js';
import { LeakedPackets, type LeakedPacketsParts } from './leaked-packets.js';

/** Frames that one pull may answer or drop before others get their turn. */
const FRAMES_A_PULL = 64;
/** More than the longest ring of ours holds: where nothing holds them back, senders may fill it as fast as it is emptied. */
const FRAMES_DISCARDED_MAX = 8192;
/**
 * The fastest gate leaks 240 octets a second (a burst of 64 KiB in 274 s): a ring of 1000 takes that for more than two
 * looks, and a modem that is back after one look finds everything in the ring.
 */
const LEAK_LOOK_US = 30_000_000;

export interface TapSideParts {
  readonly tap: Tap;
  readonly backPressure: BackPressure;
  readonly encapsulation: Encapsulation;
  readonly homeFilter: HomeFilter;
  readonly drops: DropCounters;
  readonly scheduler: Scheduler;
  readonly macConfig: LeakedPacketsParts['macConfig'];
  /** Whether the modem can send nothing for the time being, so that the MAC does not pull. */
  down(): boolean;
  /** A grant failed: the gate is gone, or somebody else's hands are on the device. */
  gateFailed(error: unknown): void;
  /** Reading failed: the device is gone. */
  tapFailed(error: unknown): void;
  /** A packet was read. */
  read(): void;
  /** Something may wait: the MAC's `demand`. */
  demand(): void;
}

export interface TapSideCounters {
  /** Frames read from the TAP, kicks not counted. */
  framesOut: number;
  framesIn: number;
  answeredAtHome: number;
}

export class TapSide implements PacketSource {
  readonly counters: TapSideCounters = { framesOut: 0, framesIn: 0, answeredAtHome: 0 };
  readonly #parts: TapSideParts;
  readonly #egress: Egress;
  readonly #leaked: LeakedPackets;
  #cancelLook: Cancel | undefined;
  #wasDown = false;
  #closed = false;
  #suspended = false;
  /** Since a stop began: what is in the ring may still be read, or nothing of it. */
  #ending: 'ring' | 'nothing' | null = null;
  #empty = false;
  #moreWaits = false;

  constructor(parts: TapSideParts) {
    this.#parts = parts;
    this.#egress = new Egress(parts.tap, parts.backPressure);
    this.#leaked = new LeakedPackets(parts);
  }

  /** From now on looks after what leaks past the gate, until `close`. */
  start(): void {
    const { scheduler } = this.#parts;
    this.#cancelLook = scheduler.at(scheduler.nowUs() + LEAK_LOOK_US, () => {
      this.start();
      this.#look();
    });
  }

  pull(): OutboundPacket | null {
    this.#moreWaits = false;
    if (this.#closed) return null;
    const leaked = this.#leaked.take();
    if (leaked !== null || this.#ending === 'nothing') return leaked;
    for (let frames = 0; frames < FRAMES_A_PULL; frames++) {
      const frame = this.#pullFrame();
      if (frame === null) return null;
      const packet = this.#outbound(frame);
      if (packet !== null) return packet;
    }
    this.#moreWaits = true;
    return null;
  }

  /** What of a frame from the TAP is for the air; null: it was answered at home, or dropped and counted. */
  #outbound(frame: Uint8Array): OutboundPacket | null {
    const { tap, encapsulation, homeFilter, drops } = this.#parts;
    this.counters.framesOut++;
    this.#parts.read();
    const decision = homeFilter.decide(frame);
    if (decision.action === 'answer') {
      this.counters.answeredAtHome++;
      if (!tap.write(decision.reply)) drops.count('rx-tap-refused');
    } else if (decision.action === 'drop') drops.count(decision.cause);
    else {
      const packet = encapsulation.outbound(frame);
      if (typeof packet !== 'string') return packet;
      drops.count(packet);
    }
    return null;
  }

  idle(): void {
    if (this.#closed || this.#suspended || this.#ending !== null) return;
    if (this.#moreWaits) setImmediate(() => this.#parts.demand());
    else this.#parts.tap.onceReadable(() => this.#parts.demand());
  }

  deliver(packet: InboundPacket): void {
    if (this.#closed) return;
    const { tap, encapsulation, drops } = this.#parts;
    const frame = encapsulation.inbound(packet);
    if (typeof frame === 'string') drops.count(frame);
    else if (tap.write(frame)) this.counters.framesIn++;
    else drops.count('rx-tap-refused');
  }

  /** While the interface is down there is nothing to be had from it. */
  suspend(): void {
    this.#suspended = true;
  }

  resume(): void {
    if (!this.#suspended) return;
    this.#suspended = false;
    this.#parts.demand();
  }

  /** From now on nothing is granted; what was taken out of the ring is still pulled, with `readRing` what is in it, too. */
  end(readRing: boolean): void {
    this.#ending = readRing ? 'ring' : 'nothing';
    this.#empty = !readRing;
    if (readRing) this.#parts.demand();
  }

  /** Whether, since `end`, there is nothing more to be pulled. */
  get empty(): boolean {
    return this.#empty && this.#leaked.isEmpty;
  }

  /** Throws away what is still in the ring. Gives the number of frames that were not the gate's own. Always ends. */
  discardRing(): number {
    const { tap, backPressure } = this.#parts;
    let frames = 0;
    try {
      for (let reads = 0; reads < FRAMES_DISCARDED_MAX; reads++) {
        const frame = tap.read();
        if (frame === null) break;
        if (!backPressure.isKick(frame)) frames++;
      }
    } catch (error) {
      this.#parts.tapFailed(error);
    }
    return frames;
  }

  #pullFrame(): Uint8Array | null {
    if (this.#suspended) return null;
    try {
      if (this.#ending === 'ring') {
        const frame = this.#egress.readRing();
        this.#empty = frame === null;
        return frame;
      }
      return this.#egress.pullFrame();
    } catch (error) {
      this.#parts.gateFailed(error);
    }
    return this.#readRing();
  }

  #readRing(): Uint8Array | null {
    try {
      return this.#egress.readRing();
    } catch (error) {
      this.#empty = true;
      this.#parts.tapFailed(error);
      return null;
    }
  }

  /** Only a gate leaks. In the other modes the ring is what holds senders back, or is there to be full. */
  #look(): void {
    const { backPressure, down } = this.#parts;
    const wasDown = this.#wasDown;
    this.#wasDown = down();
    if (this.#suspended || this.#ending !== null || backPressure.mode !== 'gate') return;
    if (!wasDown || !this.#wasDown) return;
    this.#leaked.dropOld();
    while (!this.#leaked.isFull) {
      const frame = this.#readRing();
      if (frame === null) return;
      const packet = this.#outbound(frame);
      if (packet !== null) this.#leaked.add(packet);
    }
  }

  /** Reads and writes no more. */
  close(): void {
    this.#closed = true;
    this.#cancelLook?.();
    this.#leaked.dropAll();
  }
}
