/**
 * A MAC on a modem that does what a test's list of events says, on a host that is late. It has what all such tests need, and
 * notes what no order of events may lead to; what else they check is theirs.
 */
import fc from 'fast-check';
import type { Scheduler } from '../../../src/base/clock.js';
import type { DropCause } from '../../../src/base/drops.js';
import { seededRandom } from '../../../src/base/random.js';
import { Mac } from '../../../src/mac/mac.js';
import type { PhyCapabilities } from '../../../src/mac/phy.js';
import type { MacConfig, MacOptions } from '../../../src/mac/ports.js';
import { lateScheduler } from '../../../src/sim/late-host.js';
import { VirtualTime } from '../../../src/sim/virtual-time.js';
import { decodeLinkFrame, encodeLinkFrame, type LinkFrame } from '../../../src/wire/link-frame.js';
import { BROADCAST, type OutboundPacket } from '../../../src/wire/packet.js';
import { FakePhy } from './fake-phy.js';

export const OWN = 1;

/** One event of a kind; weighed, for `fc.oneof`. */
export function drawn<Event extends { readonly kind: string }>(
  weight: number,
  kind: Event['kind'],
  fields: Readonly<Record<string, fc.Arbitrary<unknown>>> = {},
): fc.WeightedArbitrary<Event> {
  const arbitrary = fc.record({ kind: fc.constant(kind), ...fields });
  return { weight, arbitrary: arbitrary as unknown as fc.Arbitrary<Event> };
}

export interface WorldOptions {
  readonly seed: number;
  /** No call of the host comes later than this. */
  readonly latenessUs: number;
  readonly capabilities?: Partial<PhyCapabilities>;
  readonly config?: Partial<MacConfig>;
  readonly contention?: NonNullable<MacOptions['contention']>;
}

export abstract class World {
  readonly time = new VirtualTime(1_000_000);
  readonly phy: FakePhy;
  readonly mac: Mac;
  readonly violations: string[] = [];
  pulled = 0;
  /** Packets for the MAC to pull. */
  protected readonly waiting: OutboundPacket[] = [];
  #up = false;
  #sends = 0;
  #sent = 0;

  /** The line is down. */
  constructor({ seed, latenessUs, capabilities = {}, config, contention }: WorldOptions) {
    const random = seededRandom(seed);
    const scheduler: Scheduler =
      latenessUs === 0 ? this.time : lateScheduler(this.time, () => random.below(latenessUs + 1));
    this.phy = new FakePhy(this.time, { capabilities });
    this.phy.automatic = false;
    const transmit = this.phy.transmit.bind(this.phy);
    this.phy.transmit = (octets) => {
      if (!this.#up) this.violations.push('sent while the line was down');
      if (this.transmitting) this.violations.push('sent before the last frame was over');
      this.begins(decodeLinkFrame(octets, 4));
      transmit(octets);
      const number = ++this.#sends;
      // Modelled: the modem's report comes by itself, late like all others.
      scheduler.at(this.time.nowUs() + this.phy.timing.airtimeUs(octets.length), () => {
        if (this.#sent < number && this.#up) this.over('sent');
      });
    };
    this.mac = new Mac({
      station: OWN,
      phy: this.phy,
      scheduler,
      random: seededRandom(seed + 1),
      source: {
        pull: () => {
          const packet = this.waiting.shift() ?? null;
          if (packet !== null) this.pulled++;
          return packet;
        },
        idle: () => undefined,
      },
      observer: { deliver: () => undefined, drop: (cause) => this.dropped(cause) },
      config: { linkFrames: true, fcsBytes: 4, arq: true, maxRetries: 2, deadlineUs: 30_000_000, ...config },
      ...(contention === undefined ? {} : { contention }),
    });
  }

  get up(): boolean {
    return this.#up;
  }

  /** The modem has not said yet that the last frame is over. */
  get transmitting(): boolean {
    return this.#sent < this.#sends;
  }

  line(up: boolean): void {
    if (up === this.#up) return;
    this.#up = up;
    this.phy.listener.ready(up);
    if (up) return;
    if (this.transmitting) this.over('line-down');
    this.carrier(false);
  }

  carrier(busy: boolean): void {
    this.phy.listener.carrier(busy);
  }

  over(outcome: 'sent' | 'refused' | 'line-down'): void {
    this.#sent = this.#sends;
    this.phy.listener.sent(outcome);
  }

  /** A frame from the air; nothing without a line. */
  hear(fields: Partial<LinkFrame> & Pick<LinkFrame, 'type' | 'source'>): void {
    if (!this.#up) return;
    const body = fields.type === 'ack' ? new Uint8Array(0) : new Uint8Array([0x45, 7]);
    const frame = { destination: OWN, sequence: 0, behind: 0, more: false, retry: false, body, ...fields };
    this.phy.listener.received(encodeLinkFrame(frame, 4), {});
  }

  /** What the MAC sent last, or before, where that is a frame which somebody answers. */
  answerable(which: -1 | -2): LinkFrame | undefined {
    const octets = this.phy.transmitted.at(which)?.octets;
    const frame = octets === undefined ? 'rx-truncated' : decodeLinkFrame(octets, 4);
    return typeof frame === 'string' || frame.destination === BROADCAST ? undefined : frame;
  }

  /** Everything quiet, nothing more to send, and time enough for each retry and the deadline. */
  comeToRest(): void {
    this.waiting.length = 0;
    this.line(true);
    this.carrier(false);
    this.time.runFor(300_000_000);
  }

  /** The MAC hands this to the modem. */
  protected begins(frame: ReturnType<typeof decodeLinkFrame>): void {
    if (typeof frame === 'string') this.violations.push(`sent what is no frame: ${frame}`);
  }

  protected abstract dropped(cause: DropCause): void;
}
