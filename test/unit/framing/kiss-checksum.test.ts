/** SMACK, FlexNet and XKISS checks: computed vectors, and that no single octet can be wrong unseen. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeKiss } from '../../../src/framing/kiss.js';
import { addKissChecksum, type KissChecksum, takeKissChecksum } from '../../../src/framing/kiss-checksum.js';

const TEST = Uint8Array.from('TEST', (letter) => letter.charCodeAt(0));
const line = (checksum: KissChecksum, type: number, payload: Uint8Array): string => {
  const frame = addKissChecksum(checksum, type, payload);
  return Buffer.from(encodeKiss(frame.type, frame.payload)).toString('hex');
};

describe('KISS checksums', () => {
  it.each([
    ['smack', 0x00, TEST, 'c080544553543d34c0'],
    ['flexnet', 0x00, TEST, 'c0205445535490ddc0'],
    ['xkiss', 0x0c, Uint8Array.of(1, 2, ...TEST), 'c00c01025445535419c0'],
    ['none', 0x00, TEST, 'c00054455354c0'],
  ] as const)('%s', (checksum, type, payload, expected) => {
    expect(line(checksum, type, payload)).toBe(expected);
  });

  it.each(['smack', 'flexnet', 'xkiss'] as const)('%s comes back, and a wrong octet is seen', (checksum) => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), fc.nat(), fc.integer({ min: 1, max: 255 }), (payload, at, flip) => {
        const frame = addKissChecksum(checksum, 0x00, payload);
        expect(takeKissChecksum(checksum, frame.type, frame.payload)).toEqual({ type: 0, payload, checked: true });
        const broken = frame.payload.slice();
        const index = at % broken.length;
        broken[index] = (broken[index] as number) ^ flip;
        expect(takeKissChecksum(checksum, frame.type, broken)).toBe('wrong');
      }),
    );
  });

  it.each(['smack', 'flexnet'] as const)('%s: frames without the mark are told apart', (checksum) => {
    expect(takeKissChecksum(checksum, 0x00, TEST)).toEqual({ type: 0, payload: TEST, checked: false });
    expect(takeKissChecksum(checksum, addKissChecksum(checksum, 0, TEST).type, Uint8Array.of(1))).toBe('wrong');
  });
});
