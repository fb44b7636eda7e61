/** ARP packets. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeArp, parseArp } from '../../../src/wire/arp.js';
import { arp, hex, join, stationMac } from './frames.js';

const request = arp(1, stationMac(3), [10, 9, 0, 3], new Uint8Array(6), [10, 9, 0, 1]);

describe('ARP', () => {
  it('is read', () => {
    const fields = {
      operation: 'request',
      senderMac: stationMac(3),
      senderIp: hex('0a090003'),
      targetMac: new Uint8Array(6),
      targetIp: hex('0a090001'),
    };
    expect(parseArp(request)).toEqual(fields);
    expect(parseArp(join(request, new Uint8Array(18)))).toEqual(fields);
    expect(parseArp(arp(2, stationMac(3), [1, 2, 3, 4], stationMac(1), [5, 6, 7, 8]))).toMatchObject({
      operation: 'reply',
    });
  });

  it.each([
    ['another hardware', 1, 6],
    ['another protocol', 2, 0x86],
    ['another hardware length', 4, 8],
    ['another protocol length', 5, 16],
    ['another operation', 7, 3],
  ])('of %s is refused', (_name, at, octet) => {
    const wrong = request.slice();
    wrong[at] = octet;
    expect(parseArp(wrong)).toBeNull();
  });

  it('cut short anywhere is refused', () => {
    for (let length = 0; length < request.length; length++) expect(parseArp(request.subarray(0, length))).toBeNull();
  });

  it('round trips', () => {
    const octets = (length: number): fc.Arbitrary<Uint8Array> =>
      fc.uint8Array({ minLength: length, maxLength: length });
    const packet = fc.record({
      operation: fc.constantFrom('request' as const, 'reply' as const),
      senderMac: octets(6),
      senderIp: octets(4),
      targetMac: octets(6),
      targetIp: octets(4),
    });
    fc.assert(
      fc.property(packet, (p) => {
        expect(parseArp(encodeArp(p))).toEqual(p);
      }),
    );
    expect(encodeArp(parseArp(request) ?? expect.fail('not read'))).toEqual(request);
  });
});
