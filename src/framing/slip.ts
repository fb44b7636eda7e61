/**
 * SLIP (RFC 1055): END, escaped octets, END.
 * The leading END, advised by RFC 1055 though not required, is what tells a frame from what the line brought before it; so
 * octets before the first END are noise, and a sender without leading ENDs loses the first frame after an opening, no more.
 */
import { nativeLoops } from '../base/octet-loops.js';
import { copyOf } from '../base/octets.js';
import type { Codec, Decoder, FrameSink } from './codec.js';
import { DelimitedReader, finder, requireBound, type WholeBodies } from './delimited.js';
import { END, escapeInto, undoEscapes } from './escape.js';

export interface SlipOptions {
  /** The longest frame that the decoder accepts, in octets after the escapes are undone. */
  readonly maxFrameBytes: number;
}

/**
 * Frames of zero octets do not exist: encoding one gives two ENDs, and a decoder passes over them.
 * @throws SluiceError `internal` for a bound that is not a positive integer.
 */
export function slipCodec(options: SlipOptions): Codec {
  const maxFrameBytes = requireBound(options.maxFrameBytes);
  // One pass into room for the worst case and one copy cost less than counting the escapes first.
  let scratch = new Uint8Array(0);
  return {
    encode: (frame) => {
      if (scratch.length < 2 * frame.length + 2) scratch = new Uint8Array(2 * frame.length + 2);
      return copyOf(scratch.subarray(0, encodeInto(frame, scratch, 0)));
    },
    encodeInto,
    decoder: (sink) => slipDecoder(maxFrameBytes, sink),
    maxEncodedBytes: (frameBytes) => 2 * frameBytes + 2,
  };
}

function encodeInto(frame: Uint8Array, target: Uint8Array, at: number): number {
  target[at] = END;
  const end = escapeInto(frame, target, at + 1);
  target[end] = END;
  return end + 1;
}

function slipDecoder(maxFrameBytes: number, sink: FrameSink): Decoder {
  return new DelimitedReader(
    {
      find: finder(END),
      maxBodyBytes: 2 * maxFrameBytes,
      startsWithDelimiter: true,
      whole: new WholeFrames(maxFrameBytes, sink),
    },
    {
      body: (octets) => {
        const frame = undoEscapes(octets, maxFrameBytes);
        if (typeof frame === 'string') sink.discard(frame, octets.length);
        else sink.frame(frame);
      },
      discard: (cause, octets) => sink.discard(cause, octets),
    },
  );
}

/** Room for frames that come together: ten full ones of Ethernet. Whoever keeps one keeps the whole piece. */
const PIECE_BYTES = 16_384;
/** With less room than this another piece is begun. */
const ROOM_BYTES = 4096;
const FRAMES_AT_ONCE = 32;

/** What came whole, by native code where there is some. */
class WholeFrames implements WholeBodies {
  readonly #maxFrameBytes: number;
  readonly #sink: FrameSink;
  readonly #table = new Int32Array(1 + 2 * FRAMES_AT_ONCE);
  #given = 0;
  #piece = new Uint8Array(0);
  #usedBytes = 0;

  constructor(maxFrameBytes: number, sink: FrameSink) {
    this.#maxFrameBytes = maxFrameBytes;
    this.#sink = sink;
  }

  take(octets: Uint8Array, from: number): number {
    const native = nativeLoops(octets.length - from);
    this.#given = 0;
    this.#table[0] = 0;
    if (native === undefined) return from;
    if (this.#piece.length - this.#usedBytes < ROOM_BYTES) {
      this.#piece = new Uint8Array(PIECE_BYTES);
      this.#usedBytes = 0;
    }
    return native.takeFrames(octets, from, this.#piece, this.#usedBytes, this.#maxFrameBytes, this.#table);
  }

  next(): number {
    if (this.#given === this.#table[0]) return -1;
    const entry = 1 + 2 * this.#given++;
    const endAt = this.#table[entry] ?? 0;
    const bytes = this.#table[entry + 1] ?? 0;
    const from = this.#usedBytes;
    this.#usedBytes += bytes;
    this.#sink.frame(this.#piece.subarray(from, this.#usedBytes));
    return endAt + 1;
  }
}
