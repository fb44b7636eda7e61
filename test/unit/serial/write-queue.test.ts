/** Octets that wait: order, partial writes, counts. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { WriteQueue } from '../../../src/serial/write-queue.js';

it('gives back what it was given, in order, in whatever portions it is taken', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 9 }), { maxLength: 300 }),
      fc.array(fc.integer({ min: 1, max: 12 })),
      (added, portions) => {
        const queue = new WriteQueue();
        for (const octets of added) queue.add(octets);
        const expected = added.flatMap((octets) => [...octets]);
        expect(queue.bytes).toBe(expected.length);
        const taken: number[] = [];
        for (let turn = 0, first = queue.first; first !== undefined; first = queue.first, turn++) {
          const portion = first.subarray(0, portions[turn % (portions.length + 1)] ?? 1);
          taken.push(...portion);
          queue.taken(portion.length);
          expect(queue.bytes).toBe(expected.length - taken.length);
        }
        expect(taken).toEqual(expected);
      },
    ),
  );
});

it('keeps its own copy, and forgets with a count', () => {
  const queue = new WriteQueue();
  const octets = Uint8Array.of(1, 2, 3);
  queue.add(octets);
  octets.fill(0);
  expect([...(queue.first ?? [])]).toEqual([1, 2, 3]);
  queue.taken(1);
  expect(queue.clear()).toBe(2);
  expect(queue.first).toBeUndefined();
  expect(queue.bytes).toBe(0);
});
