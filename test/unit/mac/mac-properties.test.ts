/**
 * The MAC core under arbitrary orders of events: late timers, lost, doubled and foreign ACKs, carriers that stick, clock
 * jumps, line losses. Whatever comes: nothing is sent into a channel known to be busy, one packet at most is in hand, and
 * each packet that was pulled ends in exactly one way.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DropCause } from '../../../src/base/drops.js';
import { seededRandom } from '../../../src/base/random.js';
import type { Contention } from '../../../src/mac/contention.js';
import { CycleContention } from '../../../src/mac/contention-cycle.js';
import type { MacTiming } from '../../../src/mac/timing.js';
import { encodeReservation, type LinkFrame, SEQUENCES } from '../../../src/wire/link-frame.js';
import { BROADCAST } from '../../../src/wire/packet.js';
import { drawn, OWN, World } from './world.js';

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
    drawn<Event>(6, 'wait', { us: fc.integer({ min: 1, max: 60_000 }) }),
    // A clock that jumps: a host that was asleep.
    drawn<Event>(1, 'wait', { us: fc.integer({ min: 1e6, max: 9e7 }) }),
    drawn<Event>(3, 'demand', {
      destination: fc.constantFrom(PEER, 3, BROADCAST),
      count: fc.integer({ min: 1, max: 3 }),
    }),
    drawn<Event>(3, 'carrier', { busy: fc.boolean() }),
    drawn<Event>(5, 'ack', { last: fc.boolean(), from: fc.constantFrom(PEER, PEER, 3), along: fc.boolean() }),
    drawn<Event>(2, 'data', {
      from: fc.constantFrom(PEER, 5),
      to: fc.constantFrom(OWN, 9, BROADCAST),
      sequence: fc.integer({ min: 0, max: 7 }),
      retry: fc.boolean(),
      later: fc.boolean(),
    }),
    drawn<Event>(2, 'reservation', {
      type: fc.constantFrom('rts', 'cts'),
      from: fc.constantFrom(PEER, 3, 5),
      to: fc.constantFrom(OWN, 9),
      us: fc.integer({ min: 1, max: 500_000 }),
    }),
    drawn<Event>(1, 'garbage'),
    drawn<Event>(1, 'line', { up: fc.boolean() }),
  ),
  { minLength: 5, maxLength: 120 },
);

/** A world in which every promise is checked as it is made. */
class WatchedWorld extends World {
  settled = 0;
  #next = 0;
  /** What the MAC was told of the carrier, and since when. */
  #carrierSinceUs: number | null = null;
  #broadcasting = false;
  /** Somebody else was given the channel until then. */
  #reservedUntilUs = 0;

  /** @param defers whether every receiver is taken to be due before our next turn */
  constructor(seed: number, latenessUs: number, defers: boolean) {
    super({ seed, latenessUs, ...(defers ? { contention: everybodyPrecedes } : {}) });
    this.line(true);
    // Little was lost so far, or no acknowledgement might wait.
    if (defers) for (let i = 0; i < 200; i++) this.mac.neighbours.attempted(PEER, true);
  }

  play(event: Event): void {
    if (event.kind === 'wait') this.time.runFor(event.us);
    else if (event.kind === 'demand') this.#demand(event.destination, event.count);
    else if (event.kind === 'line') this.line(event.up);
    // A modem hears nothing of others while it sends, and reports nothing while it is lost.
    else if (this.transmitting || !this.up) return;
    else if (event.kind === 'carrier') this.carrier(event.busy);
    else if (event.kind === 'ack') this.#acknowledge(event);
    else if (event.kind === 'data') this.#data(event);
    else if (event.kind === 'reservation') this.#reservation(event);
    else this.phy.listener.received(new Uint8Array([1, 2, 3]), {});
    this.#checkHand();
  }

  override comeToRest(): void {
    super.comeToRest();
    this.#checkHand();
  }

  override carrier(busy: boolean): void {
    if (this.transmitting) return;
    if (busy && this.#carrierSinceUs === null) this.#carrierSinceUs = this.time.nowUs();
    if (!busy) this.#carrierSinceUs = null;
    super.carrier(busy);
  }

  get settledByAck(): number {
    return this.mac.counters.acked + this.mac.counters.unconfirmed;
  }

  #demand(destination: number, count: number): void {
    for (let i = 0; i < count; i++) {
      this.waiting.push({
        destination,
        kind: 'ip',
        payload: new Uint8Array([0x45, this.#next++ & 0xff]),
        priority: 0,
      });
    }
    this.mac.demand();
  }

  #data({ from, to, sequence, retry, later }: Event & { kind: 'data' }): void {
    const piggyback = later && to !== BROADCAST ? { piggyback: { later, acks: [] } } : {};
    this.hear({ type: 'ip', source: from, destination: to, sequence, retry, ...piggyback });
  }

  #acknowledge({ last, from, along }: Event & { kind: 'ack' }): void {
    const frame = this.answerable(last ? -1 : -2);
    if (frame === undefined || frame.type === 'ack' || frame.type === 'cts') return;
    // A bitmap of nothing behind the next number expected.
    const next = (frame.sequence + 1) % SEQUENCES;
    if (along) {
      const piggyback = { later: false, acks: [{ to: OWN, next, bitmap: 0 }] };
      this.hear({ type: 'ip', source: from, destination: 9, piggyback });
    } else {
      this.#reservedUntilUs = 0;
      this.hear({ type: 'ack', source: from, sequence: next });
    }
  }

  #reservation({ type, from, to, us }: Event & { kind: 'reservation' }): void {
    this.hear({ type, source: from, destination: to, body: encodeReservation(us) });
    if (type === 'cts' && to !== OWN) this.#reservedUntilUs = this.time.nowUs() + us;
  }

  protected override dropped(cause: DropCause): void {
    if (cause === 'retry-limit' || cause === 'deadline' || cause === 'modem-refused' || cause === 'shutdown') {
      this.settled++;
    }
  }

  protected override begins(frame: LinkFrame | DropCause): void {
    super.begins(frame);
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
    const onAir = this.#broadcasting && this.transmitting ? 1 : 0;
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
        const world = new WatchedWorld(seed, latenessUs, defers);
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
