/** HDLC-like framing against RFC 1662. The properties common to all framings are in properties.test.ts. */
import { expect, it } from 'vitest';
import { HDLC_ABORT, hdlcCodec, PPP_ADDRESS_CONTROL } from '../../../src/framing/hdlc.js';
import { recorder } from './recorder.js';

const decode = (codec: ReturnType<typeof hdlcCodec>, ...pushes: ArrayLike<number>[]) => {
  const seen = recorder();
  const decoder = codec.decoder(seen);
  for (const push of pushes) decoder.push(Uint8Array.from(push));
  return { frames: seen.frames, discards: seen.discards };
};

const plain = hdlcCodec({ maxFrameBytes: 16, fcsBits: 16 });
const DIGITS = new TextEncoder().encode('123456789');

it('ends a frame with its FCS, low octet first', () => {
  // CRC-16/X-25 906E and CRC-32 CBF43926 are the catalogue's check values of these nine octets.
  expect([...plain.encode(DIGITS)]).toEqual([0x7e, ...DIGITS, 0x6e, 0x90, 0x7e]);
  const long = hdlcCodec({ maxFrameBytes: 16, fcsBits: 32 });
  expect([...long.encode(DIGITS)]).toEqual([0x7e, ...DIGITS, 0x26, 0x39, 0xf4, 0xcb, 0x7e]);
});

it('escapes only flag and escape unless asked', () => {
  const line = [...plain.encode(Uint8Array.of(0x7e, 0x7d, 0x11, 0x00))];
  expect(line.slice(0, 7)).toEqual([0x7e, 0x7d, 0x5e, 0x7d, 0x5d, 0x11, 0x00]);
});

it('escapes and drops the control characters of the map', () => {
  const codec = hdlcCodec({ maxFrameBytes: 16, fcsBits: 16, accm: (1 << 0x11) | (1 << 0x13), alsoEscape: [0x91] });
  const line = [...codec.encode(Uint8Array.of(0x11, 0x12, 0x13, 0x91))];
  expect(line.slice(0, 8)).toEqual([0x7e, 0x7d, 0x31, 0x12, 0x7d, 0x33, 0x7d, 0xb1]);
  // XON and XOFF that the line itself put in, even between an escape and its octet.
  expect(decode(codec, [...line.slice(0, 2), 0x13, ...line.slice(2, 4), 0x11, ...line.slice(4)])).toEqual({
    frames: [[0x11, 0x12, 0x13, 0x91]],
    discards: [],
  });
});

it('adds and requires address and control when asked', () => {
  const ppp = hdlcCodec({ maxFrameBytes: 4, fcsBits: 16, header: PPP_ADDRESS_CONTROL });
  const line = ppp.encode(Uint8Array.of(1, 2, 3, 4));
  expect([...line].slice(0, 4)).toEqual([0x7e, 0xff, 0x03, 1]);
  expect(decode(ppp, line).frames).toEqual([[1, 2, 3, 4]]);
  expect(decode(ppp, ppp.encode(new Uint8Array())).frames).toEqual([[]]);
  expect(decode(ppp, plain.encode(Uint8Array.of(1, 2, 3))).discards).toEqual([['malformed', 5]]);
});

it('forgets an aborted frame', () => {
  expect(decode(plain, [0x7e, 1, 2, ...HDLC_ABORT, ...plain.encode(Uint8Array.of(9)).subarray(1)])).toEqual({
    frames: [[9]],
    discards: [['aborted', 3]],
  });
});

it('shares one flag between two frames', () => {
  const line = [...plain.encode(DIGITS), ...plain.encode(DIGITS).subarray(1)];
  expect(decode(plain, line)).toEqual({ frames: [[...DIGITS], [...DIGITS]], discards: [] });
});

it('refuses every single-bit error of a frame', () => {
  const line = plain.encode(DIGITS);
  for (let bit = 8; bit < 8 * (line.length - 1); bit++) {
    const broken = line.slice();
    broken[bit >> 3] = (broken[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const { frames, discards } = decode(plain, broken);
    expect(frames).toEqual([]);
    expect(discards.length).toBeGreaterThan(0);
  }
});

it('tells wrong checks, short and long frames apart', () => {
  const line = plain.encode(DIGITS);
  const broken = line.slice();
  broken[3] = 0;
  expect(decode(plain, broken).discards).toEqual([['check', 11]]);
  expect(decode(plain, [0x7e, 1, 2, 0x7e]).discards).toEqual([['malformed', 2]]);
  expect(decode(plain, plain.encode(new Uint8Array(17))).discards).toEqual([['too-long', 19]]);
});
