/**
 * The MAC core under arbitrary orders of events: late timers, lost, doubled and foreign ACKs, carriers that stick, clock
 * jumps, line losses. Whatever comes: nothing is sent into a channel known to be busy, one packet at most is in hand, and
 * each packet that was pulled ends in exactly one way.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Scheduler } from '../../../src/base/clock.js';
import type { DropCause } from '../../../src/base/drops.js';
import { seededRandom } from '../../../src/base/random.js';
import type { Contention } from '../../../src/mac/contention.js';
import { CycleContention } from '../../../src/mac/contention-cycle.js';
import { Mac } from '../../../src/mac/mac.js';
import type { MacTiming } from '../../../src/mac/timing.js';
import { lateScheduler } from '../../../src/sim/late-host.js';
import { VirtualTime } from '../../../src/sim/virtual-time.js';
import {
  decodeLinkFrame,
  encodeLinkFrame,
  encodeReservation,
  type LinkFrame,
  SEQUENCES,
} from '../../../src/wire/link-frame.js';
import { BROADCAST, type OutboundPacket } from '../../../src/wire/packet.js';
import { FakePhy } from './fake-phy.js';

const OWN = 1;
const PEER = 2;

type Event =
  | { readonly kind: 'wait'; readonly us: number }
  | { readonly kind: 'demand'; readonly destination: number; readonly count: number }
  | { readonly kind: 'carrier'; readonly busy: boolean }
  | { readonly kind: 'ack'; readonly last: boolean; readonly from: number; readonly along: boolean }
  | {
      readonly kind: 'data';
      readonly from: number;
      readonly to: number;
      readonly sequence: number;
      readonly retry: boolean;
      readonly later: boolean;
    }
  | {
      readonly kind: 'reservation';
      readonly type: 'rts' | 'cts';
      readonly from: number;
      readonly to: number;
      readonly us: number;
    }
  | { readonly kind: 'garbage' }
  | { readonly kind: 'line'; readonly up: boolean };

const events = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('wait' as const), us: fc.integer({ min: 1, max: 60_000 }) }),
    },
    // A clock that jumps: a host that was asleep.
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), us: fc.integer({ min: 1e6, max: 9e7 }) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('demand' as const),
        destination: fc.constantFrom(PEER, 3, BROADCAST),
        count: fc.integer({ min: 1, max: 3 }),
      }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('carrier' as const), busy: fc.boolean() }) },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('ack' as const),
        last: fc.boolean(),
        from: fc.constantFrom(PEER, PEER, 3),
        along: fc.boolean(),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('data' as const),
        from: fc.constantFrom(PEER, 5),
        to: fc.constantFrom(OWN, 9, BROADCAST),
        sequence: fc.integer({ min: 0, max: 7 }),
        retry: fc.boolean(),
        later: fc.boolean(),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('reservation' as const),
        type: fc.constantFrom('rts' as const, 'cts' as const),
        from: fc.constantFrom(PEER, 3, 5),
        to: fc.constantFrom(OWN, 9),
        us: fc.integer({ min: 1, max: 500_000 }),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: 'garbage' as const }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('line' as const), up: fc.boolean() }) },
  ),
  { minLength: 5, maxLength: 120 },
);

/** A world in which every promise is checked as it is made. */
class World {
  readonly time = new VirtualTime(1_000_000);
  readonly phy = new FakePhy(this.time);
  readonly mac: Mac;
  readonly violations: string[] = [];
  pulled = 0;
  settled = 0;
  readonly #waiting: OutboundPacket[] = [];
  #next = 0;
  /** What the MAC was told of the carrier, and since when. */
  #carrierSinceUs: number | null = null;
  #up = false;
  #broadcasting = false;
  /** Somebody else was given the channel until then. */
  #reservedUntilUs = 0;
  #sends = 0;
  #sent = 0;

  /** @param defers whether every receiver is taken to be due before our next turn */
  constructor(seed: number, latenessUs: number, defers: boolean) {
    const random = seededRandom(seed);
    const scheduler: Scheduler =
      latenessUs === 0 ? this.time : lateScheduler(this.time, () => random.below(latenessUs + 1));
    const transmit = this.phy.transmit.bind(this.phy);
    this.phy.automatic = false;
    this.phy.transmit = (octets) => {
      this.#check(octets);
      transmit(octets);
      this.#sends++;
      // Modelled: the modem's report comes by itself, late like all others.
      const number = this.#sends;
      scheduler.at(this.time.nowUs() + this.phy.timing.airtimeUs(octets.length), () => {
        if (this.#sent < number && this.#up) this.#report('sent');
      });
    };
    this.mac = new Mac({
      station: OWN,
      phy: this.phy,
      scheduler,
      random: seededRandom(seed + 1),
      source: {
        pull: () => {
          const packet = this.#waiting.shift() ?? null;
          if (packet !== null) this.pulled++;
          return packet;
        },
        idle: () => {},
      },
      observer: { deliver: () => {}, drop: (cause) => this.#dropped(cause) },
      config: { linkFrames: true, fcsBytes: 4, arq: true, maxRetries: 2, deadlineUs: 30_000_000 },
      ...(defers ? { contention: everybodyPrecedes } : {}),
    });
    this.line(true);
    // Little was lost so far, or no acknowledgement might wait.
    if (defers) for (let i = 0; i < 200; i++) this.mac.neighbours.attempted(PEER, true);
  }

  play(event: Event): void {
    if (event.kind === 'wait') this.time.runFor(event.us);
    else if (event.kind === 'demand') this.#demand(event.destination, event.count);
    else if (event.kind === 'carrier') this.#carrier(event.busy);
    else if (event.kind === 'ack') this.#acknowledge(event);
    else if (event.kind === 'data') this.#data(event);
    else if (event.kind === 'reservation') this.#reservation(event);
    else if (event.kind === 'garbage' && this.#up) this.phy.listener.received(new Uint8Array([1, 2, 3]), {});
    else if (event.kind === 'line') this.line(event.up);
    this.#checkHand();
  }

  /** Everything quiet, nothing more to send, and time enough for each retry and the deadline. */
  comeToRest(): void {
    this.#waiting.length = 0;
    this.line(true);
    this.#carrier(false);
    this.time.runFor(200_000_000);
    this.#checkHand();
  }

  line(up: boolean): void {
    if (up === this.#up) return;
    this.#up = up;
    this.phy.listener.ready(up);
    if (!up && this.#sent < this.#sends) this.#report('line-down');
    if (!up) this.#carrierSinceUs = null;
    if (!up) this.phy.listener.carrier(false);
  }

  get settledByAck(): number {
    return this.mac.counters.acked + this.mac.counters.unconfirmed;
  }

  #report(outcome: 'sent' | 'line-down'): void {
    this.#sent = this.#sends;
    this.phy.listener.sent(outcome);
  }

  #demand(destination: number, count: number): void {
    for (let i = 0; i < count; i++) {
      this.#waiting.push({
        destination,
        kind: 'ip',
        payload: new Uint8Array([0x45, this.#next++ & 0xff]),
        priority: 0,
      });
    }
    this.mac.demand();
  }

  #carrier(busy: boolean): void {
    // A modem hears nothing of others while it sends, and reports nothing while it is lost.
    if (!this.#up || this.#sent < this.#sends) return;
    if (busy && this.#carrierSinceUs === null) this.#carrierSinceUs = this.time.nowUs();
    if (!busy) this.#carrierSinceUs = null;
    this.phy.listener.carrier(busy);
  }

  #data({ from, to, sequence, retry, later }: Event & { kind: 'data' }): void {
    const piggyback = later && to !== BROADCAST ? { piggyback: { later, acks: [] } } : {};
    this.#hear({ type: 'ip', source: from, destination: to, sequence, retry, ...piggyback });
  }

  #acknowledge({ last, from, along }: Event & { kind: 'ack' }): void {
    const octets = this.phy.transmitted.at(last ? -1 : -2)?.octets;
    const frame = octets === undefined ? 'rx-truncated' : decodeLinkFrame(octets, 4);
    if (typeof frame === 'string' || frame.type === 'ack' || frame.type === 'cts' || frame.destination === BROADCAST)
      return;
    // A bitmap of nothing behind the next number expected.
    const next = (frame.sequence + 1) % SEQUENCES;
    if (!along) this.#hear({ type: 'ack', source: from, destination: OWN, sequence: next });
    else {
      const piggyback = { later: false, acks: [{ to: OWN, next, bitmap: 0 }] };
      this.#hear({ type: 'ip', source: from, destination: 9, piggyback });
    }
  }

  #hear(fields: Partial<LinkFrame> & Pick<LinkFrame, 'type' | 'source' | 'destination'>): void {
    if (!this.#up || this.#sent < this.#sends) return;
    const body = fields.type === 'ack' ? new Uint8Array(0) : new Uint8Array([0x45, 7]);
    const frame: LinkFrame = { sequence: 0, behind: 0, more: false, retry: false, body, ...fields };
    if (fields.type === 'ack') this.#reservedUntilUs = 0;
    this.phy.listener.received(encodeLinkFrame(frame, 4), {});
  }

  #reservation({ type, from, to, us }: Event & { kind: 'reservation' }): void {
    if (!this.#up || this.#sent < this.#sends) return;
    const body = encodeReservation(us);
    const frame = { type, source: from, destination: to, sequence: 0, behind: 0, more: false, retry: false, body };
    this.phy.listener.received(encodeLinkFrame(frame, 4), {});
    if (type === 'cts' && to !== OWN) this.#reservedUntilUs = this.time.nowUs() + us;
  }

  #dropped(cause: DropCause): void {
    if (cause === 'retry-limit' || cause === 'deadline' || cause === 'modem-refused' || cause === 'shutdown') {
      this.settled++;
    }
  }

  #check(octets: Uint8Array): void {
    const frame = decodeLinkFrame(octets, 4);
    if (typeof frame === 'string') this.violations.push(`sent what is no frame: ${frame}`);
    if (!this.#up) this.violations.push('sent while the line was down');
    if (this.#sent < this.#sends) this.violations.push('sent before the last frame was over');
    this.#broadcasting = typeof frame !== 'string' && frame.destination === BROADCAST;
    if (typeof frame === 'string' || frame.type === 'ack' || frame.type === 'cts') return;
    if (this.time.nowUs() < this.#reservedUntilUs) this.violations.push(`${frame.type} sent while another was cleared`);
    if (this.#carrierSinceUs === null) return;
    // A carrier that has been there for longer than any exchange is no longer believed.
    if (this.time.nowUs() - this.#carrierSinceUs < this.mac.timing.stuckBusyUs) {
      this.violations.push(`${frame.type} sent into a busy channel`);
    }
  }

  #checkHand(): void {
    const { inHand } = this.mac.snapshot();
    if (inHand > 1) this.violations.push(`${inHand} packets in hand`);
    const ended = this.settledByAck + this.settled;
    // What nobody confirms is out of hand when it is on the air, and ends with it.
    const onAir = this.#broadcasting && this.#sent < this.#sends ? 1 : 0;
    if (this.pulled !== ended + inHand + onAir) {
      this.violations.push(`${this.pulled} pulled, ${ended} ended, ${inHand} in hand, ${onAir} on the air`);
    }
  }
}

/** The real rule, but for who is due before us. */
function everybodyPrecedes({ slotUs }: MacTiming): Contention {
  class Eager extends CycleContention {
    override precedes(): boolean {
      return true;
    }
  }
  return new Eager({ random: seededRandom(slotUs), station: OWN, a: 0.1 });
}

describe.each([
  ['as it is', false],
  ['where acknowledgements may wait', true],
])('the MAC under arbitrary events, %s', (_name, defers) => {
  const holds = (latenessUs: number, runs: number): void => {
    let deferred = 0;
    fc.assert(
      fc.property(events, fc.integer({ min: 1, max: 1e6 }), (list, seed) => {
        const world = new World(seed, latenessUs, defers);
        // Where stations are hidden, acknowledgements do not wait.
        const played = defers ? list.filter(({ kind }) => kind !== 'reservation') : list;
        for (const event of played) world.play(event);
        expect(world.violations).toEqual([]);
        world.comeToRest();
        expect(world.violations).toEqual([]);
        // Nothing stays for ever.
        expect(world.mac.snapshot().inHand).toBe(0);
        deferred += world.mac.counters.acksDeferred;
      }),
      { numRuns: runs, seed: 20_260 },
    );
    if (defers) expect(deferred).toBeGreaterThan(15);
  };

  it('on a host that is never late', () => holds(0, 400));
  it('on a host that is as late as it says', () => holds(2000, 400));
  it('on a host that is far later than it says', () => holds(50_000, 400));
});
