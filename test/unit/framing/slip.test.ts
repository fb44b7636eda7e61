/** SLIP against RFC 1055. The properties common to all framings are in properties.test.ts. */
import { expect, it } from 'vitest';
import { slipCodec } from '../../../src/framing/slip.js';
import { recorder } from './recorder.js';

const codec = slipCodec({ maxFrameBytes: 4 });

const decode = (...pushes: number[][]) => {
  const seen = recorder();
  const decoder = codec.decoder(seen);
  for (const push of pushes) decoder.push(Uint8Array.from(push));
  return { frames: seen.frames, discards: seen.discards, held: decoder.heldOctets, decoder };
};

it('encodes END and ESC as RFC 1055 does, with END on both sides', () => {
  expect([...codec.encode(Uint8Array.of(1, 0xc0, 0xdb, 2))]).toEqual([0xc0, 1, 0xdb, 0xdc, 0xdb, 0xdd, 2, 0xc0]);
});

it('lets one END close a frame and open the next, and passes over empty frames', () => {
  expect(decode([0xc0, 0xc0, 0xc0, 1, 2, 0xc0, 3, 0xc0, 0xc0])).toMatchObject({
    frames: [[1, 2], [3]],
    discards: [],
    held: 0,
  });
});

it('treats octets before the first END as noise', () => {
  expect(decode([7, 7], [7, 0xc0, 1, 0xc0])).toMatchObject({ frames: [[1]], discards: [['noise', 3]] });
});

it('refuses a broken escape, inside and at the end of a frame', () => {
  expect(decode([0xc0, 1, 0xdb, 2, 3, 0xc0, 5, 0xdb, 0xc0, 6, 0xc0])).toMatchObject({
    frames: [[6]],
    discards: [
      ['malformed', 4],
      ['malformed', 2],
    ],
  });
});

it('counts the bound after escapes: the longest frame passes at worst-case escaping, one octet more does not', () => {
  const worst = [0xc0, ...Array(4).fill([0xdb, 0xdc]).flat(), 0xc0];
  expect(decode(worst).frames).toEqual([[0xc0, 0xc0, 0xc0, 0xc0]]);
  // Short enough on the line for a frame full of escapes, but too long with this one.
  expect(decode([0xc0, 1, 2, 3, 4, 0xdb, 0xdc, 0xc0]).discards).toEqual([['too-long', 6]]);
  expect(decode([0xc0, 1, 2, 3, 4, 5, 0xc0, 6, 0xc0])).toMatchObject({ frames: [[6]], discards: [['too-long', 5]] });
});

it('reports an overlong frame once when it ends, and an endless one as it goes', () => {
  expect(decode([0xc0], [1, 2, 3, 4, 5, 6], [7, 8, 9, 10], [11, 0xc0])).toMatchObject({
    discards: [
      ['too-long', 10],
      ['too-long', 1],
    ],
    held: 0,
  });
  const endless = decode([0xc0], Array(1000).fill(1));
  expect(endless).toMatchObject({ discards: [['too-long', 1000]], held: 0 });
});

it('forgets a half-received frame on reset, reports it as aborted, and hunts for END again', () => {
  const { decoder, discards, frames } = decode([0xc0, 1, 2]);
  expect(decoder.heldOctets).toBe(2);
  decoder.reset();
  decoder.reset();
  decoder.push(Uint8Array.of(3, 0xc0, 4, 0xc0));
  expect(discards).toEqual([
    ['aborted', 2],
    ['noise', 1],
  ]);
  expect(frames).toEqual([[4]]);
});

it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses the bound %s', (maxFrameBytes) => {
  expect(() => slipCodec({ maxFrameBytes })).toThrow(/positive integer/);
});
