import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fragment, fragmentCount, type Reassembled, Reassembler } from '../../../src/wire/fragment.js';

const octets = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const none = (): void => {
  throw new Error('nothing should be dropped');
};

function bodiesOf(payload: Uint8Array, bodyBytes: number, id = 7): Uint8Array[] {
  const bodies = fragment('ip', payload, bodyBytes, id);
  if (bodies === undefined) throw new Error('too many fragments');
  return bodies;
}

describe('fragmentation', () => {
  it('gives back every packet, over modems of every size', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1400 }).chain(octets),
        fc.integer({ min: 14, max: 300 }),
        fc.constantFrom('ip' as const, 'arp' as const, 'ethernet' as const),
        (payload, bodyBytes, kind) => {
          const bodies = fragment(kind, payload, bodyBytes, 1);
          if (bodies === undefined) {
            expect(fragmentCount(payload.length, bodyBytes)).toBeGreaterThan(128);
            return;
          }
          expect(bodies.every((body) => body.length <= bodyBytes)).toBe(true);
          const reassembler = new Reassembler(1000);
          const results = bodies.map((body) => reassembler.take(2, false, body, 0, none));
          expect(results.slice(0, -1).every((result) => result === null)).toBe(true);
          expect(results.at(-1)).toEqual({ kind, payload });
        },
      ),
    );
  });

  it('carries 1280 octets over a modem of 32', () => {
    // 32 less 4 of header and 4 of FCS.
    expect(bodiesOf(new Uint8Array(1280), 24)).toHaveLength(59);
  });

  it('refuses what would take more fragments than can be counted', () => {
    expect(fragment('ip', new Uint8Array(128 * 4), 6, 1)).toBeUndefined();
    expect(fragment('ip', new Uint8Array(10), 2, 1)).toBeUndefined();
  });

  it('never makes a packet of two, whatever is lost', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }), (lost) => {
        const packets = Array.from({ length: 5 }, (_, index) => new Uint8Array(100).fill(index + 1));
        const reassembler = new Reassembler(1000);
        const got: Uint8Array[] = [];
        let at = 0;
        packets.forEach((packet, index) => {
          // The same id for all: as after 256 packets.
          for (const body of bodiesOf(packet, 20, index % 2)) {
            if (lost[at++ % lost.length] === true) continue;
            const result = reassembler.take(2, false, body, 0, () => {});
            if (result !== null && typeof result !== 'string') got.push(result.payload);
          }
        });
        for (const payload of got) expect(packets.some((packet) => Buffer.compare(packet, payload) === 0)).toBe(true);
      }),
    );
  });

  it('keeps senders, and broadcast from unicast, apart', () => {
    const reassembler = new Reassembler(1000);
    const [first, second] = [bodiesOf(new Uint8Array(30).fill(1), 20), bodiesOf(new Uint8Array(30).fill(2), 20)];
    const done: (Reassembled | null | string)[] = [];
    for (let i = 0; i < first.length; i++) {
      done.push(reassembler.take(2, false, first[i] ?? (first[0] as Uint8Array), 0, none));
      done.push(reassembler.take(3, false, second[i] ?? (second[0] as Uint8Array), 0, none));
      done.push(reassembler.take(2, true, second[i] ?? (second[0] as Uint8Array), 0, none));
    }
    expect(done.filter((result) => result !== null && typeof result !== 'string')).toHaveLength(3);
  });

  it('counts what it gives up: a gap, a silence, a beginning that was missed', () => {
    const drops: string[] = [];
    const reassembler = new Reassembler(1000);
    const bodies = bodiesOf(new Uint8Array(50), 20);
    const at = (index: number): Uint8Array => bodies[index] ?? new Uint8Array(0);
    expect(reassembler.take(2, false, at(1), 0, none)).toBe('rx-fragment');
    expect(reassembler.take(2, false, at(0), 0, none)).toBeNull();
    expect(reassembler.take(2, false, at(2), 0, (cause) => drops.push(cause))).toBe('rx-fragment');
    expect(reassembler.take(2, false, at(0), 0, none)).toBeNull();
    reassembler.expire(2000, (cause) => drops.push(cause));
    expect(drops).toEqual(['rx-fragment', 'rx-fragment']);
    expect(reassembler.take(2, false, new Uint8Array([1]), 0, none)).toBe('rx-truncated');
  });

  it('never throws, whatever arrives', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 12 }), { maxLength: 60 }), (bodies) => {
        const reassembler = new Reassembler(10);
        bodies.forEach((body, index) => void reassembler.take(1, false, body, index, () => {}));
      }),
    );
  });
});
