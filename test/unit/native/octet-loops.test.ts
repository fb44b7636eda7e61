/** The addon's loops do what those in TypeScript do: for any octets, split anywhere, well formed or not, reset in between. */
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { crc32c } from '../../../src/base/crc.js';
import { type OctetLoops, useNativeLoops } from '../../../src/base/octet-loops.js';
import type { Decoder } from '../../../src/framing/codec.js';
import { escapeInto, undoEscapes } from '../../../src/framing/escape.js';
import { slipCodec } from '../../../src/framing/slip.js';
import { addonLoops } from '../../../src/native/octet-loops.js';

const loops = addonLoops(0);
afterEach(() => useNativeLoops(undefined));

/** What `call` gives in TypeScript and in the addon. */
function both<Result>(call: () => Result): [Result, Result] {
  useNativeLoops(undefined);
  const ours = call();
  useNativeLoops(loops);
  const native = call();
  useNativeLoops(undefined);
  return [ours, native];
}

const octets = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });
/** With the octets that matter in most places. */
const special = (maxLength: number): fc.Arbitrary<Uint8Array> =>
  fc
    .array(fc.oneof(fc.constantFrom(0xc0, 0xdb, 0xdc, 0xdd), fc.nat({ max: 255 })), { maxLength })
    .map((list) => Uint8Array.from(list));

describe('the addon and TypeScript', () => {
  it('give the same CRC-32C, of parts and in parts', () => {
    fc.assert(
      fc.property(octets(300), fc.nat(300), fc.nat(0xffffffff), (data, cut, previous) => {
        const length = Math.min(cut, data.length);
        const [ours, native] = both(() => [crc32c(data, previous, length), crc32c(data.subarray(length), previous)]);
        expect(native).toEqual(ours);
      }),
    );
    // RFC 3720 appendix B.4: 32 octets of zeros.
    expect(loops.crc32c(new Uint8Array(40), 32, 0)).toBe(0x8a9136aa);
  });

  it('escape alike, anywhere in the target', () => {
    fc.assert(
      fc.property(fc.oneof(octets(300), special(300)), fc.nat(9), (data, at) => {
        const [ours, native] = both(() => {
          const target = new Uint8Array(at + 2 * data.length);
          const end = escapeInto(data, target, at);
          return [end, target.slice(at, end)];
        });
        expect(native).toEqual(ours);
      }),
    );
  });

  it('undo escapes alike, and refuse the same', () => {
    fc.assert(
      fc.property(special(60), fc.integer({ min: 1, max: 60 }), (body, maxBytes) => {
        const [ours, native] = both(() => undoEscapes(body, maxBytes));
        expect(native).toEqual(ours);
      }),
      { numRuns: 2000 },
    );
  });

  it('decode a stream alike: the same frames and discards in the same order, whatever the splits and resets', () => {
    // Streams in which most frames are whole, with rubbish between.
    const codec = slipCodec({ maxFrameBytes: 40 });
    const piece = fc.oneof(
      { weight: 3, arbitrary: fc.oneof(octets(50), special(30)).map((frame) => codec.encode(frame)) },
      { weight: 1, arbitrary: special(90) },
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 50 }),
        fc.array(fc.nat(400)),
        fc.option(fc.nat(60)),
        (pieces, cuts, reset) => {
          const stream = Uint8Array.from(pieces.flatMap((each) => [...each]));
          const [ours, native] = both(() => events(stream, cuts, reset));
          expect(native).toEqual(ours);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('decode alike when frames fill more than the room made for them', () => {
    const codec = slipCodec({ maxFrameBytes: 5000 });
    const frames = [
      4500,
      3900,
      4096,
      4097,
      1,
      2,
      5000,
      5001,
      3000,
      3000,
      3000,
      3000,
      3000,
      3000,
      ...Array(100).fill(7),
    ];
    const stream = Uint8Array.from(
      frames.flatMap((bytes, index) => [...codec.encode(new Uint8Array(bytes).fill(index % 3 === 0 ? 0xc0 : index))]),
    );
    const [ours, native] = both(() => events(stream, [], null, 5000));
    expect(native).toEqual(ours);
    expect(native.filter(([what]) => what === 'frame')).toHaveLength(frames.length - 1);
  });
});

/** All that a decoder tells of the stream; `reset`: after so many frames its user resets it. */
function events(stream: Uint8Array, cuts: readonly number[], reset: number | null, maxFrameBytes = 40): unknown[][] {
  const told: unknown[][] = [];
  let frames = 0;
  const decoder: Decoder = slipCodec({ maxFrameBytes }).decoder({
    frame: (frame) => {
      told.push(['frame', new Uint8Array(frame)]);
      if (frames++ === reset) decoder.reset();
    },
    discard: (cause, bytes) => told.push([cause, bytes]),
  });
  const ends = [...cuts.filter((cut) => cut < stream.length), stream.length].sort((left, right) => left - right);
  let from = 0;
  for (const end of ends) {
    decoder.push(stream.subarray(from, end));
    told.push(['held', decoder.heldOctets]);
    from = end;
  }
  return told;
}

describe('the addon refuses what is out of bounds', () => {
  const six = new Uint8Array(6);
  const table = new Int32Array(3);
  const calls: Record<string, (each: OctetLoops) => unknown> = {
    'more octets than there are': (each) => each.crc32c(six, 7, 0),
    'a negative number': (each) => each.crc32c(six, -1, 0),
    'no room to escape': (each) => each.escapeInto(six, new Uint8Array(12), 1),
    'a place behind the target': (each) => each.escapeInto(six, six, 7),
    'no room to undo escapes': (each) => each.unescapeInto(six, new Uint8Array(5)),
    'a start behind the end': (each) => each.takeFrames(six, 7, six, 0, 9, table),
    'a target behind the end': (each) => each.takeFrames(six, 0, six, 7, 9, table),
    'a table without entries': (each) => each.takeFrames(six, 0, six, 0, 9, new Int32Array(0)),
    'another kind of table': (each) => each.takeFrames(six, 0, six, 0, 9, new Float64Array(9) as never),
    'another kind of octets': (each) => each.crc32c(new Int8Array(6) as never, 6, 0),
  };
  it.each(Object.entries(calls))('%s', (_what, call) => expect(() => call(loops)).toThrow());

  it('stops where the target or the table is full', () => {
    const frames = Uint8Array.of(1, 2, 0xc0, 3, 4, 0xc0, 5, 0xc0, 6);
    expect(loops.takeFrames(frames, 0, new Uint8Array(3), 0, 9, table)).toBe(3);
    expect([...table]).toEqual([1, 2, 2]);
    expect(loops.takeFrames(frames, 3, new Uint8Array(9), 0, 9, table)).toBe(6);
    expect(loops.takeFrames(frames, 6, new Uint8Array(9), 9, 9, table)).toBe(6);
    expect(loops.takeFrames(frames, 6, new Uint8Array(9), 0, 9, table)).toBe(-1 - 8);
  });
});
