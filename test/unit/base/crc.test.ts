/** The CRCs against the catalogue's check values, bit-by-bit arithmetic, and their residues. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CRC_16_ARC_GOOD,
  CRC_16_X25_GOOD,
  CRC_32_GOOD,
  CRC_32C_GOOD,
  crc16Arc,
  crc16X25,
  crc32,
  crc32c,
} from '../../../src/base/crc.js';

const CHECK = new TextEncoder().encode('123456789');

const CASES = [
  {
    name: 'CRC-16/X-25',
    crc: crc16X25,
    polynomial: 0x8408,
    init: 0xffff,
    bytes: 2,
    check: 0x906e,
    good: CRC_16_X25_GOOD,
  },
  { name: 'CRC-16/ARC', crc: crc16Arc, polynomial: 0xa001, init: 0, bytes: 2, check: 0xbb3d, good: CRC_16_ARC_GOOD },
  {
    name: 'CRC-32',
    crc: crc32,
    polynomial: 0xedb88320,
    init: 0xffffffff,
    bytes: 4,
    check: 0xcbf43926,
    good: CRC_32_GOOD,
  },
  {
    name: 'CRC-32C',
    crc: crc32c,
    polynomial: 0x82f63b78,
    init: 0xffffffff,
    bytes: 4,
    check: 0xe3069283,
    good: CRC_32C_GOOD,
  },
] as const;

const bitwise = (octets: Uint8Array, polynomial: number, init: number): number => {
  let register = init >>> 0;
  for (const octet of octets) {
    for (let bit = 0; bit < 8; bit++) {
      const feedback = (register ^ (octet >> bit)) & 1;
      register = (register >>> 1) ^ (feedback ? polynomial : 0);
    }
  }
  return (register ^ init) >>> 0;
};

describe.each(CASES)('$name', ({ crc, polynomial, init, bytes, check, good }) => {
  it('gives the published check value', () => {
    expect(crc(CHECK)).toBe(check);
  });

  it('agrees with bit-by-bit arithmetic, whole and in parts', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(80), (octets, cut) => {
        expect(crc(octets)).toBe(bitwise(octets, polynomial, init));
        expect(crc(octets.subarray(cut), crc(octets.subarray(0, cut)))).toBe(crc(octets));
      }),
    );
  });

  it('gives its residue over octets and their own CRC', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (octets) => {
        const value = crc(octets);
        const tail = Array.from({ length: bytes }, (_, i) => (value >>> (8 * i)) & 0xff);
        expect(crc(Uint8Array.from([...octets, ...tail]))).toBe(good);
      }),
    );
  });
});
