/**
 * Every packet that was pulled ends once: delivered, or counted under a cause. Also where several share a frame or a burst, one
 * goes in several frames, the modem contends or refuses, or the line comes and goes.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DropCause } from '../../../src/base/drops.js';
import type { OwnFrame } from '../../../src/mac/air-tap.js';
import type { PhyCapabilities } from '../../../src/mac/phy.js';
import type { MacConfig } from '../../../src/mac/ports.js';
import { VirtualTime } from '../../../src/sim/virtual-time.js';
import { decodeAggregate } from '../../../src/wire/aggregate.js';
import {
  decodeLinkFrame,
  encodeLinkFrame,
  encodeReservation,
  type LinkFrame,
  SEQUENCES,
} from '../../../src/wire/link-frame.js';
import { BROADCAST } from '../../../src/wire/packet.js';
import { FakePhy, macOn } from './fake-phy.js';
import { drawn, World } from './world.js';

type Event =
  | { readonly kind: 'wait'; readonly us: number }
  | { readonly kind: 'demand'; readonly to: number; readonly octets: readonly number[]; readonly priority: number }
  | { readonly kind: 'carrier'; readonly busy: boolean }
  /** An answer to what was sent last, with the number after it plus `ahead`, and these bits. */
  | { readonly kind: 'answer'; readonly type: 'ack' | 'cts'; readonly ahead: number; readonly bitmap: number }
  | { readonly kind: 'data'; readonly sequence: number; readonly more: boolean }
  | { readonly kind: 'over'; readonly outcome: 'sent' | 'refused' }
  | { readonly kind: 'line'; readonly up: boolean };

const events = fc.array(
  fc.oneof(
    drawn<Event>(6, 'wait', { us: fc.integer({ min: 1, max: 400_000 }) }),
    drawn<Event>(1, 'wait', { us: fc.integer({ min: 1e6, max: 6e7 }) }),
    drawn<Event>(5, 'demand', {
      to: fc.constantFrom(2, 2, 3, BROADCAST),
      octets: fc.array(fc.integer({ min: 3, max: 150 }), { minLength: 1, maxLength: 6 }),
      priority: fc.constantFrom(0, 0, 6),
    }),
    drawn<Event>(2, 'carrier', { busy: fc.boolean() }),
    drawn<Event>(5, 'answer', {
      type: fc.constantFrom('ack', 'ack', 'ack', 'cts'),
      ahead: fc.constantFrom(0, 0, 0, -1, -3, 1, 9),
      bitmap: fc.constantFrom(0, 0, 2, 6, 254),
    }),
    drawn<Event>(2, 'data', { sequence: fc.integer({ min: 0, max: 31 }), more: fc.boolean() }),
    drawn<Event>(3, 'over', { outcome: fc.constantFrom('sent', 'sent', 'refused') }),
    drawn<Event>(1, 'line', { up: fc.boolean() }),
  ),
  { minLength: 5, maxLength: 150 },
);

class CountingWorld extends World {
  readonly delivered = new Set<string>();
  drops = 0;
  /** Data frames put on the air, repetitions included. */
  attempts = 0;
  /** Packets in the frames that wait for their answer, by sequence. */
  readonly #open = new Map<number, string[]>();
  /** Of packets in several frames: the parts that have arrived. */
  readonly #parts = new Map<string, Set<string>>();
  #onAir: { readonly ids: string[]; readonly frame: OwnFrame } | null = null;
  #next = 1;

  constructor(seed: number, capabilities: Partial<PhyCapabilities>, config: Partial<MacConfig>) {
    super({ seed, latenessUs: 3000, capabilities: { maxFrameBytes: 100, ...capabilities }, config });
    this.mac.tap = {
      transmitting: (octets, frame) => this.#transmitting(octets, frame),
      transmitted: (outcome) => this.#transmitted(outcome),
      settled: (sequences) => {
        for (const sequence of sequences ?? []) this.#arrived(this.#open.get(sequence) ?? []);
      },
      received: () => undefined,
      heard: () => undefined,
    };
    this.line(true);
  }

  play(each: Event): void {
    if (each.kind === 'wait') this.time.runFor(each.us);
    else if (each.kind === 'demand') {
      for (const octets of each.octets) this.#offer(each.to, octets, each.priority);
      this.mac.demand();
    } else if (each.kind === 'carrier') this.carrier(this.up && each.busy);
    else if (each.kind === 'answer') this.#answer(each);
    else if (each.kind === 'data') this.hear({ type: 'ip', source: 5, sequence: each.sequence, more: each.more });
    else if (each.kind === 'over' && this.up && this.transmitting) this.over(each.outcome);
    else if (each.kind === 'line') this.line(each.up);
  }

  #offer(destination: number, octets: number, priority: number): void {
    const payload = new Uint8Array(octets);
    payload.set([0x45, this.#next >> 8, this.#next & 0xff]);
    this.#next++;
    this.waiting.push({ destination, kind: 'ip', payload, priority });
  }

  #answer({ type, ahead, bitmap }: Event & { kind: 'answer' }): void {
    const last = this.answerable(-1);
    if (last === undefined) return;
    const sequence = (last.sequence + 1 + ahead + SEQUENCES) % SEQUENCES;
    const body = type === 'cts' ? encodeReservation(900_000) : bitmap === 0 ? new Uint8Array(0) : Uint8Array.of(bitmap);
    this.hear({ type, source: last.destination, sequence, body });
  }

  #transmitting(octets: Uint8Array, frame: OwnFrame): void {
    if (frame.attempt > 0) this.attempts++;
    const sent = decodeLinkFrame(octets, 4);
    if (typeof sent !== 'string') this.#onAir = { ids: idsOf(sent), frame };
  }

  #transmitted(outcome: string): void {
    const onAir = this.#onAir;
    this.#onAir = null;
    if (onAir === null || outcome === 'line-down') return;
    const { ids, frame } = onAir;
    if (frame.wantsAck && frame.sequence !== null) this.#open.set(frame.sequence, ids);
    else if (outcome === 'sent') this.#arrived(ids);
  }

  #arrived(ids: readonly string[]): void {
    for (const id of ids) {
      const [whole = '', part] = id.split('/');
      const parts = this.#parts.get(whole) ?? new Set<string>();
      this.#parts.set(whole, parts);
      if (part !== undefined) parts.add(part);
      // The last one says how many there are.
      const isWhole = part === undefined || [...parts].some((each) => each === `last${parts.size - 1}`);
      if (isWhole) this.delivered.add(whole);
    }
  }

  protected override dropped(cause: DropCause): void {
    if (!cause.startsWith('rx-')) this.drops++;
  }
}

function idOf(payload: Uint8Array): string {
  return `${((payload[1] ?? 0) << 8) | (payload[2] ?? 0)}`;
}

/** Packets in a frame; of a fragment, its packet's number and its own. */
function idsOf({ type, body }: LinkFrame): string[] {
  if (type === 'ip') return [idOf(body)];
  if (type === 'aggregate') return (decodeAggregate(body) ?? []).map(({ payload }) => idOf(payload));
  const control = body[1] ?? 0;
  return type === 'fragment' ? [`fragments${body[0]}/${control >= 128 ? 'last' : ''}${control % 128}`] : [];
}

describe('packets', () => {
  const account = (capabilities: Partial<PhyCapabilities>, config: Partial<MacConfig>): void => {
    fc.assert(
      fc.property(events, fc.integer({ min: 1, max: 1e6 }), (list, seed) => {
        const world = new CountingWorld(seed, capabilities, config);
        for (const each of list) world.play(each);
        world.comeToRest();
        expect(world.violations).toEqual([]);
        expect(world.mac.snapshot().inHand).toBe(0);
        expect(world.mac.snapshot().state).toBe('idle');
        const { pulled, delivered, drops } = world;
        // A question for an acknowledgement is none, and tells of no attempt that was not told of before.
        const { attempts, unacked } = world.mac.counters;
        expect(attempts).toBe(world.attempts);
        expect(unacked).toBeLessThanOrEqual(attempts);
        expect({ pulled }).toEqual({ pulled: delivered.size + drops });
      }),
      { numRuns: 300, seed: 20_261 },
    );
  };

  it('alone', () => account({ maxFrameBytes: 200 }, {}));
  it('several in a burst', () => account({ maxFrameBytes: 200 }, { burstAirtimeUs: 600_000 }));
  it('several in a frame', () => account({ maxFrameBytes: 200 }, { aggregate: true }));
  it('in fragments', () => account({ maxFrameBytes: 40 }, {}));
  it('in fragments and bursts', () => account({ maxFrameBytes: 40 }, { burstAirtimeUs: 150_000 }));
  it('where nothing is acknowledged', () => account({ maxFrameBytes: 40 }, { arq: false }));
  it('sent again where they go to all', () => account({ maxFrameBytes: 40 }, { broadcastRepeats: 2 }));
  it('with a modem that contends', () => account({ channelAccess: 'modem' }, { aggregate: true }));
  it('over a full-duplex line', () =>
    account({ channelAccess: 'none', duplex: 'full' }, { aggregate: true, burstAirtimeUs: 300_000 }));
  it('within limits', () =>
    account({}, { limits: { dutyCycle: { share: 0.2, windowUs: 10_000_000 }, keyDownUs: 60_000, quietUs: 500_000 } }));
});

it('an attempt that was not answered counts once, also when a question tells that it had not arrived', () => {
  const time = new VirtualTime(1_000_000);
  const phy = new FakePhy(time);
  const waiting = [0, 1].map(() => ({
    ...{ destination: 2, kind: 'ip' as const, priority: 0 },
    payload: new Uint8Array(400).fill(0x45),
  }));
  const mac = macOn(time, phy, waiting);
  const sent = (index: number): LinkFrame => {
    while (phy.transmitted.length <= index || mac.snapshot().state === 'transmitting') time.step();
    const frame = decodeLinkFrame(phy.transmitted[index]?.octets ?? new Uint8Array(0), 4);
    if (typeof frame === 'string') throw new Error(frame);
    return frame;
  };
  const answer = (next: number): void => {
    const header = { destination: 1, source: 2, behind: 0, more: false, retry: false, body: new Uint8Array(0) };
    phy.hear(encodeLinkFrame({ ...header, type: 'ack', sequence: next % SEQUENCES }, 4));
  };
  phy.listener.ready(true);
  mac.demand();
  answer(sent(0).sequence + 1);
  const { sequence } = sent(1);
  expect(sent(2).type).toBe('poll');
  answer(sequence);
  expect(mac.counters).toMatchObject({ attempts: 2, acked: 1, unacked: 1 });
  answer(sent(3).sequence + 1);
  expect(mac.counters).toMatchObject({ attempts: 3, acked: 2, unacked: 1 });
});
