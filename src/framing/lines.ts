/**
 * Lines of text, for modems that are spoken to in commands: CR, LF or CR LF ends a line, empty lines are passed over.
 * Lines stay octets: what they mean, and in which character set, the driver knows.
 */
import type { Decoder, DiscardCause } from './codec.js';
import { DelimitedReader, requireBound } from './delimited.js';

const LF = 0x0a;
const CR = 0x0d;

export interface LinesOptions {
  /** The longest line accepted, in octets without its end. */
  readonly maxLineBytes: number;
}

export interface LineSink {
  /** One line of at least one octet, without its end; the octets are the receiver's to keep. */
  line(octets: Uint8Array): void;
  /** So many octets were thrown away. */
  discard(cause: DiscardCause, octets: number): void;
}

/** @throws SluiceError `internal` for a bound that is not a positive integer. */
export function lineSplitter(options: LinesOptions, sink: LineSink): Decoder {
  return new DelimitedReader(
    { find: findLineEnd, maxBodyBytes: requireBound(options.maxLineBytes), startsWithDelimiter: false },
    {
      body: (octets) => sink.line(new Uint8Array(octets)),
      discard: (cause, octets) => sink.discard(cause, octets),
    },
  );
}

function findLineEnd(octets: Uint8Array, from: number): number {
  for (let i = from; i < octets.length; i++) {
    const octet = octets[i];
    if (octet === LF || octet === CR) return i;
  }
  return -1;
}
