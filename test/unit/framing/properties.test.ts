/**
 * What every framing promises: what was encoded comes back, at worst-case escaping and at every split point; every octet is
 * accounted for; after garbage the next frame is found; nothing throws. Streams are drawn from the octets that matter.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cobsCodec } from '../../../src/framing/cobs.js';
import type { Codec, DiscardCause, FrameSink } from '../../../src/framing/codec.js';
import { hdlcCodec } from '../../../src/framing/hdlc.js';
import { encodeKiss, kissDecoder, maxEncodedKissBytes } from '../../../src/framing/kiss.js';
import { slipCodec } from '../../../src/framing/slip.js';
import { recorder } from './recorder.js';

const MAX_FRAME_BYTES = 12;

/** KISS as a codec: the first octet of the frame is the type. */
const kissCodec: Codec = {
  encode: (frame) => encodeKiss(frame[0] ?? 0, frame.subarray(1)),
  decoder: (sink: FrameSink) =>
    kissDecoder(
      { maxFrameBytes: MAX_FRAME_BYTES - 1 },
      {
        frame: (type, payload) => sink.frame(Uint8Array.of(type, ...payload)),
        discard: (cause, octets) => sink.discard(cause, octets),
      },
    ),
  maxEncodedBytes: (frameBytes) => maxEncodedKissBytes(frameBytes - 1),
};

interface Framing {
  readonly name: string;
  readonly codec: Codec;
  readonly delimiter: number;
  readonly startsWithDelimiter: boolean;
  /** The octet that costs most to encode. */
  readonly worst: number;
  readonly special: readonly number[];
}

const SLIP_SPECIAL = [0xc0, 0xdb, 0xdc, 0xdd];
const HDLC_SPECIAL = [0x7e, 0x7d, 0x5e, 0x5d, 0x11, 0x31];
const bound = { maxFrameBytes: MAX_FRAME_BYTES };

const FRAMINGS: readonly Framing[] = [
  {
    name: 'SLIP',
    codec: slipCodec(bound),
    delimiter: 0xc0,
    startsWithDelimiter: true,
    worst: 0xc0,
    special: SLIP_SPECIAL,
  },
  { name: 'KISS', codec: kissCodec, delimiter: 0xc0, startsWithDelimiter: true, worst: 0xdb, special: SLIP_SPECIAL },
  {
    name: 'HDLC, FCS-16',
    codec: hdlcCodec({ ...bound, fcsBits: 16 }),
    delimiter: 0x7e,
    startsWithDelimiter: true,
    worst: 0x7e,
    special: HDLC_SPECIAL,
  },
  {
    name: 'HDLC, FCS-32, map, header',
    codec: hdlcCodec({ ...bound, fcsBits: 32, accm: 0xffffffff, header: [0xff, 0x03] }),
    delimiter: 0x7e,
    startsWithDelimiter: true,
    worst: 0x11,
    special: HDLC_SPECIAL,
  },
  {
    name: 'COBS',
    codec: cobsCodec(bound),
    delimiter: 0,
    startsWithDelimiter: false,
    worst: 1,
    special: [0, 1, 2, 3, 0xff],
  },
];

/** Random streams for each framing; five framings make 125,000. */
const STREAMS = 25_000;

/** Cuts `octets` where `cuts` say, through one buffer that is overwritten after each push, as a line may do. */
const pushInParts = (
  decoder: { push(octets: Uint8Array): void },
  octets: Uint8Array,
  cuts: readonly number[],
): void => {
  const shared = new Uint8Array(octets.length);
  let start = 0;
  for (const end of [...cuts.map((cut) => cut % (octets.length + 1)), octets.length].sort((a, b) => a - b)) {
    const part = shared.subarray(0, end - start);
    part.set(octets.subarray(start, end));
    decoder.push(part);
    part.fill(0xa5);
    start = end;
  }
};

/** The stream cut at delimiters by the plainest means. */
const segments = (stream: Uint8Array, delimiter: number): Uint8Array[] => {
  const parts: number[][] = [[]];
  for (const octet of stream) {
    if (octet === delimiter) parts.push([]);
    else parts.at(-1)?.push(octet);
  }
  return parts.map((part) => Uint8Array.from(part));
};

const byCause = (discards: readonly (readonly [DiscardCause, number])[]): Record<string, number> => {
  const sums: Record<string, number> = {};
  for (const [cause, octets] of discards) sums[cause] = (sums[cause] ?? 0) + octets;
  return sums;
};

describe.each(FRAMINGS)('$name', ({ codec, delimiter, startsWithDelimiter, worst, special }) => {
  const octet = fc.oneof(fc.constantFrom(...special), fc.nat(255));
  const frame = fc.array(octet, { minLength: 1, maxLength: MAX_FRAME_BYTES }).map((octets) => Uint8Array.from(octets));

  it('brings back what it encoded, at every split point, within the bound it names', () => {
    const worstCase = new Uint8Array(MAX_FRAME_BYTES).fill(worst);
    fc.assert(
      fc.property(fc.oneof(frame, fc.constant(worstCase)), (sent) => {
        const line = codec.encode(sent);
        expect(line.length).toBeLessThanOrEqual(codec.maxEncodedBytes(sent.length));
        for (let at = 0; at <= line.length; at++) {
          const seen = recorder();
          const decoder = codec.decoder(seen);
          pushInParts(decoder, line, [at]);
          if (seen.frames.length !== 1 || decoder.heldOctets !== 0) expect.unreachable(`split at ${at}`);
          expect(seen).toMatchObject({ frames: [[...sent]], discards: [] });
        }
      }),
      { numRuns: 200 },
    );
  });

  it('finds the frames and accounts for every octet of any stream, however it is cut', () => {
    /** What one whole body between delimiters must become: a frame, or one discard of its length. */
    const alone = (body: Uint8Array) => {
      const seen = recorder();
      codec.decoder(seen).push(Uint8Array.of(delimiter, ...body, delimiter));
      if (seen.frames.length + seen.discards.length !== 1) expect.unreachable(`${seen.frames} ${seen.discards}`);
      if (seen.discards.length === 1 && seen.discards[0]?.[1] !== body.length) expect.unreachable('wrong length');
      return seen;
    };
    const piece = fc.oneof(
      fc.array(octet, { maxLength: 6 }),
      frame.map((octets) => [...codec.encode(octets)]),
      fc.array(octet, { minLength: 2 * MAX_FRAME_BYTES, maxLength: 5 * MAX_FRAME_BYTES }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 5 }), fc.array(fc.nat(), { maxLength: 4 }), (pieces, cuts) => {
        const stream = Uint8Array.from(pieces.flat());
        const seen = recorder();
        const decoder = codec.decoder(seen);
        pushInParts(decoder, stream, cuts);

        const bodies = segments(stream, delimiter);
        const rest = bodies.pop() as Uint8Array;
        const expected = recorder();
        if (startsWithDelimiter && bodies.length > 0) {
          const noise = bodies.shift() as Uint8Array;
          if (noise.length > 0) expected.discard('noise', noise.length);
        }
        let inFrames = 0;
        for (const body of bodies) {
          if (body.length === 0) continue;
          const one = alone(body);
          expected.frames.push(...one.frames);
          expected.discards.push(...one.discards);
          if (one.frames.length === 1) inFrames += body.length;
        }
        if (JSON.stringify(seen.frames) !== JSON.stringify(expected.frames)) {
          expect(seen.frames).toEqual(expected.frames);
        }
        // The unfinished rest is held, or discarded already where it can become nothing.
        const delimiters = stream.reduce((sum, one) => sum + (one === delimiter ? 1 : 0), 0);
        const sum = inFrames + delimiters + seen.discardedOctets() + decoder.heldOctets;
        if (sum !== stream.length) expect(sum).toBe(stream.length);
        decoder.reset();
        if (decoder.heldOctets !== 0 || inFrames + delimiters + seen.discardedOctets() !== stream.length) {
          expect.unreachable('reset left octets unaccounted');
        }
        if (rest.length === 0) {
          expect(byCause(seen.discards)).toEqual(byCause(expected.discards));
        }
      }),
      { numRuns: STREAMS },
    );
  }, 60_000);

  it('finds the next frame after any garbage and a delimiter', () => {
    fc.assert(
      fc.property(fc.array(octet, { maxLength: 200 }), frame, (garbage, sent) => {
        const seen = recorder();
        const decoder = codec.decoder(seen);
        decoder.push(Uint8Array.from(garbage));
        decoder.push(Uint8Array.of(delimiter));
        decoder.push(codec.encode(sent));
        expect(seen.frames.at(-1)).toEqual([...sent]);
        expect(decoder.heldOctets).toBe(0);
      }),
      { numRuns: 1000 },
    );
  });

  it("hands out frames that are the receiver's to keep, whatever becomes of the buffers", () => {
    const kept: Uint8Array[] = [];
    const decoder = codec.decoder({ frame: (octets) => kept.push(octets), discard: () => expect.unreachable() });
    const sent = [1, 2, 3, 4].map((n) => Uint8Array.of(n, n % 2 ? worst : n, n));
    for (const one of sent) {
      const line = codec.encode(one);
      pushInParts(decoder, line, [(one[0] ?? 0) > 2 ? 3 : 0]);
    }
    expect(kept.map((octets) => [...octets])).toEqual(sent.map((octets) => [...octets]));
  });

  it('holds a bounded number of octets of an endless frame', () => {
    const seen = recorder();
    const decoder = codec.decoder(seen);
    decoder.push(Uint8Array.of(delimiter));
    const chunk = new Uint8Array(7).fill(0x55);
    let most = 0;
    for (let i = 0; i < 1000; i++) {
      decoder.push(chunk);
      most = Math.max(most, decoder.heldOctets);
    }
    expect(most).toBeLessThanOrEqual(codec.maxEncodedBytes(MAX_FRAME_BYTES));
    expect(seen.discardedOctets() + decoder.heldOctets).toBe(7000);
    expect(seen.frames).toEqual([]);
  });
});
