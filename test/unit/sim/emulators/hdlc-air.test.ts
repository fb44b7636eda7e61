/** HDLC on the air: what is sent arrives, and nothing else does. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeHdlcAir, encodeHdlcAir } from '../../../../src/sim/emulators/hdlc-air.js';

describe('HDLC on the air', () => {
  it('returns any payload, also amid others and noise before', () => {
    const payload = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc
        .array(fc.constantFrom(0xff, 0x7e, 0x3f, 0xfc, 0), { minLength: 1, maxLength: 100 })
        .map((a) => Uint8Array.from(a)),
    );
    fc.assert(
      fc.property(fc.array(payload, { minLength: 1, maxLength: 4 }), (payloads) => {
        const air = Buffer.concat(payloads.map(encodeHdlcAir));
        expect(decodeHdlcAir(air)).toEqual({ payloads: payloads.map((p) => Uint8Array.from(p)), broken: 0 });
      }),
      { numRuns: 2000 },
    );
  });

  it('costs two flags, the FCS, and a bit for every five ones', () => {
    expect(encodeHdlcAir(new Uint8Array(100)).length).toBe(104);
    // 800 ones in a row: 160 inserted zeros.
    expect(encodeHdlcAir(new Uint8Array(100).fill(0xff)).length).toBe(104 + 20);
    // Flag, then 'A' = 0x41 low bit first: the air begins 7e 41.
    expect([...encodeHdlcAir(Uint8Array.of(0x41)).subarray(0, 2)]).toEqual([0x7e, 0x41]);
  });

  it('gives nothing for a frame with a wrong octet anywhere between its flags', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 10, maxLength: 60 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (payload, where, mask) => {
          const air = encodeHdlcAir(payload).slice();
          const at = 1 + (where % (air.length - 3));
          air[at] = (air[at] ?? 0) ^ mask;
          for (const decoded of decodeHdlcAir(air).payloads) expect(decoded).toEqual(payload);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('survives any octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (octets) => {
        decodeHdlcAir(octets);
      }),
      { numRuns: 1000 },
    );
  });
});
