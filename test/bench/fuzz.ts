/**
 * Random and mutated octet streams through each decoder and through the whole way of reception (driver, MAC,
 * decapsulation): no exception, memory bounded, and every octet accounted for.
 */
import { type Random, seededRandom } from '../../src/base/random.js';
import { cobsCodec } from '../../src/framing/cobs.js';
import type { Codec, Decoder } from '../../src/framing/codec.js';
import { hdlcCodec } from '../../src/framing/hdlc.js';
import { encodeKiss, kissDecoder } from '../../src/framing/kiss.js';
import { lineSplitter } from '../../src/framing/lines.js';
import { slipCodec } from '../../src/framing/slip.js';
import { fuzzReception } from './fuzz-reception.js';
import { streamOf } from './fuzz-streams.js';
import type { BenchRow, Say } from './rows.js';

const STREAMS = 10_000_000;
const MAX_FRAME_BYTES = 256;

interface Subject {
  readonly name: string;
  encode(frame: Uint8Array): Uint8Array;
  /** Octets that frames and discards account for at the least and at the most: escapes and delimiters are in between. */
  decoder(frame: (octets: number) => void, discard: (octets: number) => void): Decoder;
}

const ofCodec = (name: string, codec: Codec): Subject => ({
  name,
  encode: (frame) => codec.encode(frame),
  decoder: (frame, discard) =>
    codec.decoder({ frame: (octets) => frame(octets.length), discard: (_, octets) => discard(octets) }),
});

export const SUBJECTS: readonly Subject[] = [
  ofCodec('slip', slipCodec({ maxFrameBytes: MAX_FRAME_BYTES })),
  ofCodec('hdlc16', hdlcCodec({ maxFrameBytes: MAX_FRAME_BYTES, fcsBits: 16 })),
  ofCodec('hdlc32', hdlcCodec({ maxFrameBytes: MAX_FRAME_BYTES, fcsBits: 32 })),
  ofCodec('cobs', cobsCodec({ maxFrameBytes: MAX_FRAME_BYTES, leadingDelimiter: true })),
  {
    name: 'kiss',
    encode: (frame) => encodeKiss(0, frame),
    decoder: (frame, discard) =>
      kissDecoder(
        { maxFrameBytes: MAX_FRAME_BYTES },
        { frame: (_, payload) => frame(payload.length + 1), discard: (_, octets) => discard(octets) },
      ),
  },
  {
    name: 'lines',
    encode: (frame) => Uint8Array.from([...frame.map((octet) => (octet & 0x3f) | 0x40), 0x0d]),
    decoder: (frame, discard) =>
      lineSplitter(
        { maxLineBytes: MAX_FRAME_BYTES },
        { line: (octets) => frame(octets.length), discard: (_, octets) => discard(octets) },
      ),
  },
];

export interface FuzzCount {
  streams: number;
  octets: number;
  frames: number;
  /** Octets that were accounted for twice, or frames longer than allowed. */
  wrong: number;
  mostHeld: number;
}

/** Every octet is a frame's, a delimiter or escape, discarded, or held: so the first two can never be more than came. */
export function fuzzDecoder(subject: Subject, streams: number, random: Random): FuzzCount {
  const count: FuzzCount = { streams, octets: 0, frames: 0, wrong: 0, mostHeld: 0 };
  let accounted = 0;
  const decoder = subject.decoder(
    (octets) => {
      count.frames++;
      accounted += octets;
      if (octets > MAX_FRAME_BYTES + 1) count.wrong++;
    },
    (octets) => {
      accounted += octets;
    },
  );
  for (let i = 0; i < streams; i++) {
    const stream = streamOf(random, subject.encode);
    const cut = stream.length === 0 ? 0 : random.below(stream.length);
    decoder.push(stream.subarray(0, cut));
    decoder.push(stream.subarray(cut));
    count.octets += stream.length;
    count.mostHeld = Math.max(count.mostHeld, decoder.heldOctets);
    if (accounted + decoder.heldOctets > count.octets) count.wrong++;
    if ((i & 1023) === 0) decoder.reset();
  }
  decoder.reset();
  if (decoder.heldOctets !== 0) count.wrong++;
  return count;
}

export async function fuzzRows(say: Say, streams = STREAMS): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  const random = seededRandom(1);
  for (const subject of SUBJECTS) {
    const { octets, frames, wrong, mostHeld } = fuzzDecoder(subject, streams, random);
    say(`fuzz ${subject.name}: ${streams} streams, ${octets} octets, ${frames} frames, held ${mostHeld} at the most`);
    rows.push({
      suite: 'bridge',
      measure: `fuzz ${subject.name}: ${streams} streams, octets not accounted for or frames too long`,
      value: wrong,
      unit: '',
      target: '0',
      met: wrong === 0,
    });
    rows.push({
      suite: 'bridge',
      measure: `fuzz ${subject.name}: frames found`,
      value: frames,
      unit: '',
      target: null,
      met: null,
    });
  }
  const { octets, delivered } = fuzzReception(streams, random);
  const rssMb = process.memoryUsage().rss / 1e6;
  say(`fuzz reception: ${streams} streams, ${octets} octets, ${delivered} packets delivered`);
  rows.push({
    suite: 'bridge',
    measure: `fuzz of the whole way of reception, ${streams} streams: packets delivered, no exception`,
    value: delivered,
    unit: '',
    target: '> 0',
    met: delivered > 0,
  });
  rows.push({
    suite: 'bridge',
    measure: 'fuzz: RSS at the end',
    value: rssMb,
    unit: 'MB',
    target: '<= 200',
    met: rssMb <= 200,
  });
  return rows;
}
