/**
 * From packets to frames: pulls from the source when something is to be sent, fragments what is too long for the modem,
 * puts short packets together. Looks one packet ahead where that is asked for, and lets none of a higher class wait.
 */
import type { DropCause } from '../base/drops.js';
import { AGGREGATED_MAX_BYTES, type Aggregated, aggregatedBytes, encodeAggregate } from '../wire/aggregate.js';
import { fragment } from '../wire/fragment.js';
import { LINK_HEADER_BYTES, type LinkFrameType } from '../wire/link-frame.js';
import type { OutboundPacket, Station } from '../wire/packet.js';
import type { Phy } from './phy.js';
import type { MacConfig, PacketSource } from './ports.js';
import { longestFrameBytes } from './timing.js';

/** What a frame's fate decides on. */
export interface Whole {
  /** Packets: several where they share a frame. */
  readonly packets: number;
}

/** One frame to be: part of a packet, a packet, or several. */
export interface Unit {
  readonly type: LinkFrameType | 'raw';
  readonly destination: Station;
  readonly body: Uint8Array;
  readonly pulledUs: number;
  readonly priority: number;
  /** The same for all fragments of a packet. */
  readonly packet: Whole;
  /** How often the modem did not take it, and how often the channel was asked for in vain. */
  refusals: number;
  asked: number;
}

interface Pulled {
  readonly packet: OutboundPacket;
  readonly pulledUs: number;
}

export interface PackerOptions {
  readonly phy: Phy;
  readonly config: MacConfig;
  readonly source: Pick<PacketSource, 'pull'>;
  drop(cause: DropCause): void;
  /** Number of the first packet that is fragmented. */
  readonly firstPacketId: number;
}

/** Packets that may share a frame must be this short, as a share of the longest body. */
const SHORT_SHARE = 0.5;

export class Packer {
  /** Frames made of pulled packets, not taken yet. */
  readonly ready: Unit[] = [];
  readonly #options: PackerOptions;
  readonly #bodyBytes: number;
  /** Pulled, and not made into frames yet: one, or two for a moment. */
  readonly #ahead: Pulled[] = [];
  /** The packet of which a frame was taken last. */
  #begun: Whole | null = null;
  #packetId: number;

  constructor(options: PackerOptions) {
    const { phy, config, firstPacketId } = options;
    this.#options = options;
    const overheadBytes = config.linkFrames ? LINK_HEADER_BYTES + config.fcsBytes : 0;
    this.#bodyBytes = longestFrameBytes(phy, config.limits?.keyDownUs) - overheadBytes;
    this.#packetId = firstPacketId;
  }

  /** Packets pulled that are no frames yet. */
  get aheadPackets(): number {
    return this.#ahead.length;
  }

  /** The frame that `peek` showed. */
  take(): Unit | undefined {
    const unit = this.ready.shift();
    this.#begun = unit?.packet ?? null;
    return unit;
  }

  /** Drops all packets of these. */
  without(packets: ReadonlySet<Whole>): void {
    const kept = this.ready.filter((unit) => !packets.has(unit.packet));
    this.ready.splice(0, this.ready.length, ...kept);
  }

  /** Drops those that are no frames yet and that this says of, and gives their number. */
  withoutAhead(hopeless: (pulledUs: number, priority: number) => boolean): number {
    const kept = this.#ahead.filter(({ pulledUs, packet }) => !hopeless(pulledUs, packet.priority));
    return this.#ahead.splice(0, this.#ahead.length, ...kept).length - kept.length;
  }

  clear(): void {
    this.ready.length = 0;
    this.#ahead.length = 0;
  }

  /** The next frame that is not opened yet; pulls if need be. */
  peek(nowUs: number): Unit | null {
    while (this.ready.length === 0) {
      const pulled = this.#take(nowUs);
      if (pulled === null) return null;
      this.ready.push(...this.#unitsOf(pulled, nowUs));
    }
    return this.ready[0] ?? null;
  }

  #take(nowUs: number): Pulled | null {
    return this.#ahead.shift() ?? this.#pull(nowUs);
  }

  #pull(nowUs: number): Pulled | null {
    const packet = this.#options.source.pull();
    return packet === null ? null : { packet, pulledUs: nowUs };
  }

  /** What was looked at ahead has waited for the channel: a packet of a higher class that came meanwhile goes first. */
  letOvertake(nowUs: number): void {
    const held = this.ready[0] ?? this.#ahead[0]?.packet;
    if (held === undefined || this.#ahead.length > 1 || this.ready[0]?.packet === this.#begun) return;
    const next = this.#pull(nowUs);
    if (next === null) return;
    if (next.packet.priority > held.priority) this.ready.unshift(...this.#unitsOf(next, nowUs));
    else this.#ahead.push(next);
  }

  #unitsOf({ packet, pulledUs }: Pulled, nowUs: number): Unit[] {
    const { config, drop } = this.#options;
    const { destination, kind, payload, priority } = packet;
    const unit = (type: Unit['type'], body: Uint8Array, whole: Whole): Unit => ({
      type,
      destination,
      body,
      pulledUs,
      priority,
      packet: whole,
      refusals: 0,
      asked: 0,
    });
    if (!config.linkFrames || kind === 'raw') {
      if (kind === 'raw' && !config.linkFrames && payload.length <= this.#bodyBytes) {
        return [unit('raw', payload, { packets: 1 })];
      }
      drop(config.linkFrames ? 'not-encapsulable' : 'too-long');
      return [];
    }
    if (payload.length <= this.#bodyBytes) {
      const together = this.#gather({ kind, payload }, destination, nowUs);
      if (together.length === 1) return [unit(kind, payload, { packets: 1 })];
      return [unit('aggregate', encodeAggregate(together), { packets: together.length })];
    }
    const bodies = fragment(kind, payload, this.#bodyBytes, this.#packetId++);
    if (bodies === undefined) {
      drop('too-long');
      return [];
    }
    const whole = { packets: 1 };
    return bodies.map((body) => unit('fragment', body, whole));
  }

  /** Short packets that wait behind a short one and go the same way come along with it. */
  #gather(first: Aggregated, destination: Station, nowUs: number): Aggregated[] {
    const together = [first];
    const limitBytes = SHORT_SHARE * this.#bodyBytes;
    if (!this.#options.config.aggregate || first.payload.length > limitBytes) return together;
    let octets = aggregatedBytes(first.payload);
    for (;;) {
      const next = this.#take(nowUs);
      if (next === null) return together;
      const { kind, payload } = next.packet;
      const fits = octets + aggregatedBytes(payload) <= this.#bodyBytes && payload.length <= AGGREGATED_MAX_BYTES;
      if (kind === 'raw' || next.packet.destination !== destination || !fits) {
        this.#ahead.unshift(next);
        return together;
      }
      together.push({ kind, payload });
      octets += aggregatedBytes(payload);
    }
  }
}
