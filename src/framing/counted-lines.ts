/**
 * Lines of text in which a stretch of data is counted, not delimited: the data may hold line ends and anything else
 * (EvoLogics RECVIM, Nanomodem #B). What a line's beginning says about its data, the driver knows.
 */
import type { Decoder } from './codec.js';
import { requireBound } from './delimited.js';
import type { LineSink } from './lines.js';

const LF = 0x0a;
const CR = 0x0d;
const FIRST_BUFFER_BYTES = 128;

export interface CountedLinesOptions {
  /** The longest line accepted, in octets without its end, data included. */
  readonly maxLineBytes: number;
  /**
   * Where the counted data ends, as octets from the start of the line, or undefined as long as that is not known. Called
   * with the beginning of a line for each octet that comes, until it gives a number.
   */
  dataEnd(beginning: Uint8Array): number | undefined;
}

/**
 * A line whose count exceeds the bound is not believed: it ends at the next line end, as any other.
 * @throws SluiceError `internal` for a bound that is not a positive integer.
 */
export function countedLineSplitter(options: CountedLinesOptions, sink: LineSink): Decoder {
  const maxBytes = requireBound(options.maxLineBytes);
  let held = new Uint8Array(Math.min(FIRST_BUFFER_BYTES, maxBytes));
  let bytes = 0;
  /** Octets before this one are data; 0 as long as nothing is known. */
  let dataEnd = 0;
  let tooLong = false;

  const forget = (): void => {
    bytes = 0;
    dataEnd = 0;
    tooLong = false;
  };
  const take = (octet: number): void => {
    const inData = bytes < dataEnd;
    if (!inData && (octet === LF || octet === CR)) {
      const line = held.slice(0, Math.min(bytes, held.length));
      const lost = tooLong ? bytes : 0;
      forget();
      if (lost > 0) sink.discard('too-long', lost);
      else if (line.length > 0) sink.line(line);
      return;
    }
    if (bytes >= maxBytes) tooLong = true;
    if (tooLong) {
      bytes++;
      if (bytes >= 2 * maxBytes) {
        // An endless stream is reported as it goes.
        sink.discard('too-long', bytes);
        bytes = 0;
      }
      return;
    }
    if (bytes === held.length) {
      const grown = new Uint8Array(Math.min(2 * held.length, maxBytes));
      grown.set(held);
      held = grown;
    }
    held[bytes++] = octet;
    if (dataEnd > 0) return;
    const end = options.dataEnd(held.subarray(0, bytes));
    if (end !== undefined && end <= maxBytes) dataEnd = end;
  };
  return {
    push: (octets) => {
      for (const octet of octets) take(octet);
    },
    reset: () => {
      const lost = bytes;
      const cause = tooLong ? 'too-long' : 'aborted';
      forget();
      if (lost > 0) sink.discard(cause, lost);
    },
    get heldOctets() {
      return bytes;
    },
  };
}
