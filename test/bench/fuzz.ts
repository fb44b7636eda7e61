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
  /** They end what is held, and are no part of anything. */
  readonly delimiters: readonly number[];
  decoder(frame: (octets: number) => void, discard: (octets: number) => void): Decoder;
}

const ofCodec = (name: string, codec: Codec, delimiter: number): Subject => ({
  name,
  delimiters: [delimiter],
  encode: (frame) => codec.encode(frame),
  decoder: (frame, discard) =>
    codec.decoder({ frame: (octets) => frame(octets.length), discard: (_, octets) => discard(octets) }),
});

export const SUBJECTS: readonly Subject[] = [
  ofCodec('slip', slipCodec({ maxFrameBytes: MAX_FRAME_BYTES }), 0xc0),
  ofCodec('hdlc16', hdlcCodec({ maxFrameBytes: MAX_FRAME_BYTES, fcsBits: 16 }), 0x7e),
  ofCodec('hdlc32', hdlcCodec({ maxFrameBytes: MAX_FRAME_BYTES, fcsBits: 32 }), 0x7e),
  ofCodec('cobs', cobsCodec({ maxFrameBytes: MAX_FRAME_BYTES, leadingDelimiter: true }), 0x00),
  {
    name: 'kiss',
    delimiters: [0xc0],
    encode: (frame) => encodeKiss(0, frame),
    decoder: (frame, discard) =>
      kissDecoder(
        { maxFrameBytes: MAX_FRAME_BYTES },
        { frame: (_, payload) => frame(payload.length + 1), discard: (_, octets) => discard(octets) },
      ),
  },
  {
    name: 'lines',
    delimiters: [0x0d, 0x0a],
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
  /** Octets that became neither frame nor discard nor delimiter, or did so twice; frames longer than allowed. */
  wrong: number;
  mostHeld: number;
}

/**
 * Delimiters apart from what is between them, so that each octet can be asked for: a delimiter ends what is held, any other
 * is held or discarded; what was held and is not any more became a frame of at most so many octets, or was discarded. The
 * same stream in two pieces, cut anywhere, must give the same.
 */
export function fuzzDecoder(subject: Subject, streams: number, random: Random): FuzzCount {
  const count: FuzzCount = { streams, octets: 0, frames: 0, wrong: 0, mostHeld: 0 };
  const [apart, pieces] = [new Watched(subject), new Watched(subject)];
  for (let i = 0; i < streams; i++) {
    const stream = streamOf(random, subject.encode);
    const cut = stream.length === 0 ? 0 : random.below(stream.length);
    pieces.decoder.push(stream.subarray(0, cut));
    pieces.decoder.push(stream.subarray(cut));
    apart.pushApart(stream, subject.delimiters);
    count.octets += stream.length;
    count.mostHeld = Math.max(count.mostHeld, apart.decoder.heldOctets);
    if (!apart.agrees(pieces)) count.wrong++;
    if ((i & 1023) === 0) {
      apart.reset();
      pieces.decoder.reset();
    }
  }
  apart.reset();
  count.frames = apart.frames;
  count.wrong += apart.wrong;
  return count;
}

class Watched {
  readonly decoder: Decoder;
  frames = 0;
  /** Of the frames, as they come out. */
  frameOctets = 0;
  discarded = 0;
  wrong = 0;

  constructor(subject: Subject) {
    this.decoder = subject.decoder(
      (octets) => {
        this.frames++;
        this.frameOctets += octets;
        if (octets > MAX_FRAME_BYTES + 1) this.wrong++;
      },
      (octets) => {
        this.discarded += octets;
      },
    );
  }

  /** Delimiters each by itself, and what is between them. */
  pushApart(stream: Uint8Array, delimiters: readonly number[]): void {
    let start = 0;
    for (let at = 0; at < stream.length; at++) {
      if (!delimiters.includes(stream[at] ?? 0)) continue;
      if (at > start) this.#push(stream.subarray(start, at), at - start);
      this.#push(stream.subarray(at, at + 1), 0);
      start = at + 1;
    }
    if (start < stream.length) this.#push(stream.subarray(start), stream.length - start);
  }

  /** @param toAccount octets of these that belong to a frame or are to be discarded */
  #push(octets: Uint8Array, toAccount: number): void {
    const held = this.decoder.heldOctets;
    const { frames, frameOctets, discarded } = this;
    this.decoder.push(octets);
    const framed = this.frames > frames ? held : 0;
    const accounted = this.decoder.heldOctets + this.discarded - discarded + framed;
    if (accounted !== held + toAccount) this.wrong++;
    if (this.frames > frames + 1 || this.frameOctets - frameOctets > framed) this.wrong++;
  }

  reset(): void {
    const { heldOctets } = this.decoder;
    const { discarded } = this;
    this.decoder.reset();
    if (this.discarded - discarded !== heldOctets || this.decoder.heldOctets !== 0) this.wrong++;
  }

  agrees(other: Watched): boolean {
    const same = this.frames === other.frames && this.frameOctets === other.frameOctets;
    // What is too long is reported as it comes: earlier or later, by the pieces.
    return same && this.#gone === other.#gone;
  }

  get #gone(): number {
    return this.discarded + this.decoder.heldOctets;
  }
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
