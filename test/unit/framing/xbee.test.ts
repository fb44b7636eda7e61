/** XBee API frames: the manuals' examples, both modes, lost octets, every split, every octet accounted for. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { xbeeCodec } from '../../../src/framing/xbee.js';
import { recorder } from './recorder.js';

const MAX = 24;
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const hexOf = (octets: Uint8Array): string => Buffer.from(octets).toString('hex');

describe('XBee frames', () => {
  it.each([
    [
      'transmit request, broadcast "Hi"',
      '10 01 000000000000FFFF FFFE 00 00 4869',
      '7e0010 100100000000 0000fffffffe00004869 42',
    ],
    ['AT query AP', '08 01 41 50', '7e0004080141 5065'],
    ['transmit status, CCA failure', '89 01 02', '7e0003890102 73'],
    ['transmit status', '8B 01 FFFE 00 00 00', '7e00078b01fffe000000 76'],
  ])('%s', (_name, data, line) => {
    expect(hexOf(xbeeCodec({ maxFrameBytes: 100, apiMode: 1 }).encode(hex(data)))).toBe(line.replaceAll(' ', ''));
  });

  it('escapes in mode 2, length and checksum included', () => {
    const codec = xbeeCodec({ maxFrameBytes: 100, apiMode: 2 });
    expect(hexOf(codec.encode(hex('237e7d1113')))).toBe('7e0005237d5e7d5d7d317d33bd');
    // A length of 0x11, and a checksum of 0x7e.
    expect(hexOf(codec.encode(new Uint8Array(0x11))).slice(0, 8)).toBe('7e007d31');
    expect(hexOf(codec.encode(Uint8Array.of(0x81)))).toBe('7e0001817d5e');
  });

  it('plain: a lost octet does not take the next frame along', () => {
    const codec = xbeeCodec({ maxFrameBytes: MAX, apiMode: 1 });
    const broken = codec.encode(hex('0102030405')).filter((_, i) => i !== 5);
    const seen = recorder();
    const decoder = codec.decoder(seen);
    decoder.push(broken);
    decoder.push(codec.encode(hex('aabb')));
    decoder.push(codec.encode(hex('ccdd')));
    expect(seen.frames).toEqual([
      [0xaa, 0xbb],
      [0xcc, 0xdd],
    ]);
  });

  it('a reset forgets a half frame, and says so', () => {
    const codec = xbeeCodec({ maxFrameBytes: MAX, apiMode: 2 });
    const seen = recorder();
    const decoder = codec.decoder(seen);
    decoder.push(hex('7e000501'));
    expect(decoder.heldOctets).toBe(4);
    decoder.reset();
    expect(decoder.heldOctets).toBe(0);
    expect(seen.discards).toEqual([['aborted', 4]]);
  });

  describe.each([1, 2] as const)('mode %i', (apiMode) => {
    const codec = xbeeCodec({ maxFrameBytes: MAX, apiMode });
    const octet = fc.oneof(fc.constantFrom(0x7e, 0x7d, 0x11, 0x13, 0x5e, 0x00), fc.nat(255));
    const frame = fc.uint8Array({ minLength: 1, maxLength: MAX });
    const special = fc.array(octet, { minLength: 1, maxLength: MAX }).map((octets) => Uint8Array.from(octets));

    it('brings back what it encoded, at every split', () => {
      fc.assert(
        fc.property(fc.oneof(frame, special), (sent) => {
          const line = codec.encode(sent);
          expect(line.length).toBeLessThanOrEqual(codec.maxEncodedBytes(sent.length));
          for (let at = 0; at <= line.length; at++) {
            const seen = recorder();
            const decoder = codec.decoder(seen);
            decoder.push(line.slice(0, at));
            decoder.push(line.slice(at));
            expect(seen).toMatchObject({ frames: [[...sent]], discards: [] });
            expect(decoder.heldOctets).toBe(0);
          }
        }),
        { numRuns: 300 },
      );
    });

    it('accounts for every octet of any stream, holds a bounded number, and goes on', () => {
      const piece = fc.oneof(
        fc.array(octet, { maxLength: 60 }),
        special.map((one) => [...codec.encode(one)]),
      );
      fc.assert(
        fc.property(fc.array(piece, { maxLength: 6 }), fc.integer({ min: 1, max: 40 }), (pieces, step) => {
          const stream = Uint8Array.from(pieces.flat());
          const seen = recorder();
          const decoder = codec.decoder(seen);
          for (let at = 0; at < stream.length; at += step) {
            decoder.push(stream.slice(at, at + step));
            expect(decoder.heldOctets).toBeLessThanOrEqual(2 * (MAX + 4));
          }
          const whole = recorder();
          codec.decoder(whole).push(stream);
          expect(seen.frames).toEqual(whole.frames);
          const inFrames = seen.frames.reduce((sum, one) => sum + codec.encode(Uint8Array.from(one)).length, 0);
          // In mode 2 a stream may escape what need not be: each such escape is one octet more.
          const accounted = inFrames + seen.discardedOctets() + decoder.heldOctets;
          if (apiMode === 1) expect(accounted).toBe(stream.length);
          else expect(accounted).toBeLessThanOrEqual(stream.length);
          // A silence, and the next frame comes through.
          decoder.reset();
          seen.frames.length = 0;
          decoder.push(codec.encode(Uint8Array.of(1, 2, 3)));
          expect(seen.frames).toEqual([[1, 2, 3]]);
        }),
        { numRuns: 5000 },
      );
    });
  });
});
