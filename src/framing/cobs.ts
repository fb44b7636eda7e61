/**
 * Consistent overhead octet stuffing (Cheshire and Baker, IEEE/ACM Transactions on Networking 7(2), 1999): a frame becomes
 * blocks of a length code and octets without zeros; 00 ends it. The overhead is one octet in 254, whatever the content.
 */
import type { Codec, DiscardCause } from './codec.js';
import { DelimitedReader, finder, requireBound } from './delimited.js';

const DELIMITER = 0x00;
/** The code of a block of 254 octets, after which no zero is implied. */
const FULL_BLOCK = 0xff;

export interface CobsOptions {
  /** The longest frame that the decoder accepts, in octets before stuffing. */
  readonly maxFrameBytes: number;
  /**
   * Also send 00 before a frame, and take what comes before the first 00 as noise. Default false: the first octet after an
   * opening begins a frame, which may then be the rest of one.
   */
  readonly leadingDelimiter?: boolean;
}

/**
 * Here a frame of zero octets does exist, as 01 00.
 * @throws SluiceError `internal` for a bound that is not a positive integer.
 */
export function cobsCodec(options: CobsOptions): Codec {
  const maxFrameBytes = requireBound(options.maxFrameBytes);
  const leading = options.leadingDelimiter ?? false;
  const delimiters = leading ? 2 : 1;
  return {
    encode: (frame) => {
      const line = new Uint8Array(stuffedBytes(frame.length) + delimiters);
      const at = stuff(frame, line, delimiters - 1);
      line[at] = DELIMITER;
      return line.subarray(0, at + 1);
    },
    decoder: (sink) =>
      new DelimitedReader(
        // One octet more than needed: some encoders end with an empty block after a full one.
        { find: finder(DELIMITER), maxBodyBytes: stuffedBytes(maxFrameBytes) + 1, startsWithDelimiter: leading },
        {
          body: (octets) => {
            const frame = unstuff(octets, maxFrameBytes);
            if (typeof frame === 'string') sink.discard(frame, octets.length);
            else sink.frame(frame);
          },
          discard: (cause, octets) => sink.discard(cause, octets),
        },
      ),
    maxEncodedBytes: (frameBytes) => stuffedBytes(frameBytes) + delimiters,
  };
}

function stuffedBytes(frameBytes: number): number {
  return frameBytes + Math.max(1, Math.ceil(frameBytes / (FULL_BLOCK - 1)));
}

/** Writes the blocks from `start` on; returns the position after them. */
function stuff(frame: Uint8Array, line: Uint8Array, start: number): number {
  let codeAt = start;
  let to = start + 1;
  for (let i = 0; i < frame.length; i++) {
    const octet = frame[i] as number;
    if (octet !== 0) {
      line[to++] = octet;
      if (to - codeAt < FULL_BLOCK) continue;
      // A full block that ends the frame needs no block after it.
      if (i === frame.length - 1) {
        line[codeAt] = FULL_BLOCK;
        return to;
      }
    }
    line[codeAt] = to - codeAt;
    codeAt = to++;
  }
  line[codeAt] = to - codeAt;
  return to;
}

function unstuff(body: Uint8Array, maxBytes: number): Uint8Array | DiscardCause {
  const frame = new Uint8Array(body.length);
  let to = 0;
  let at = 0;
  while (at < body.length) {
    const code = body[at] as number;
    const end = at + code;
    if (end > body.length) return 'malformed';
    for (let i = at + 1; i < end; i++) frame[to++] = body[i] as number;
    at = end;
    if (code !== FULL_BLOCK && at < body.length) frame[to++] = 0;
  }
  return to > maxBytes ? 'too-long' : frame.slice(0, to);
}
