/**
 * SLIP (RFC 1055): END, escaped octets, END.
 * The leading END, advised by RFC 1055 though not required, is what tells a frame from what the line brought before it; so
 * octets before the first END are noise, and a sender without leading ENDs loses the first frame after an opening, no more.
 */
import type { Codec, Decoder, FrameSink } from './codec.js';
import { DelimitedReader, finder, requireBound } from './delimited.js';
import { countEscapes, END, undoEscapes, writeEscaped } from './escape.js';

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
  return {
    encode: (frame) => {
      const escapes = countEscapes(frame);
      const line = new Uint8Array(frame.length + escapes + 2);
      line[0] = END;
      line[writeEscaped(frame, escapes, line, 1)] = END;
      return line;
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
