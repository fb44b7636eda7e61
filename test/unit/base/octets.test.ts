/** Room for frames: never the same octets twice, whatever the lengths. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { copyOf, roomFor } from '../../../src/base/octets.js';

test('what is written into one room is seen in no other', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 60 }), (lengths) => {
      const rooms = lengths.map((length) => roomFor(length));
      expect(rooms.map((room) => room.length)).toEqual(lengths);
      expect(rooms.every((room) => room.every((octet) => octet === 0))).toBe(true);
      rooms.forEach((room, index) => {
        room.fill(index + 1);
      });
      rooms.forEach((room, index) => {
        expect(room.every((octet) => octet === index + 1)).toBe(true);
      });
    }),
  );
});

test('a copy has the same octets and does not follow the original', () => {
  const original = Uint8Array.of(1, 2, 3, 4).subarray(1, 3);
  const copy = copyOf(original);
  original.fill(9);
  expect([...copy]).toEqual([2, 3]);
});
