/**
 * SLIP (RFC 1055): END, escaped octets, END.
 * The leading END, advised by RFC 1055 though not required, is what tells a frame from what the line brought before it; so
 * octets before the first END are noise, and a sender without leading ENDs loses the first frame after an opening, no more.
 */
import { copyOf } from '../base/octets.js';
import type { Codec, Decoder, FrameSink } from './codec.js';
import { DelimitedReader, finder, requireBound } from './delimited.js';
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
      scratch[0] = END;
      const end = escapeInto(frame, scratch, 1);
      scratch[end] = END;
      return copyOf(scratch.subarray(0, end + 1));
    },
    decoder: (sink) => slipDecoder(maxFrameBytes, sink),
    maxEncodedBytes: (frameBytes) => 2 * frameBytes + 2,
  };
}

function slipDecoder(maxFrameBytes: number, sink: FrameSink): Decoder {
  return new DelimitedReader(
    { find: finder(END), maxBodyBytes: 2 * maxFrameBytes, startsWithDelimiter: true },
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
