/**
 * NMEA 0183 sentences: `$`, text, `*` and the exclusive or of the text's octets as two hexadecimal digits, CR LF. A `$`
 * inside a line begins a new sentence, so that a broken one spoils no more than itself.
 */
import type { Decoder, DiscardCause } from './codec.js';
import { lineSplitter } from './lines.js';

const DOLLAR = 0x24;
const STAR = 0x2a;
/** `$`, `*` and two digits. */
const OVERHEAD_BYTES = 4;
const LINE_END = '\r\n';

export interface NmeaOptions {
  /** The longest text between `$` and `*` that is accepted, in octets. */
  readonly maxTextBytes: number;
}

export interface NmeaSink {
  /** The text between `$` and `*`, checked. */
  sentence(text: string): void;
  discard(cause: DiscardCause, octets: number): void;
}

/** The sentence as it goes to the line. `text` must be ASCII without `$`, `*` and line ends. */
export function encodeNmea(text: string): Uint8Array {
  const octets = new TextEncoder().encode(text);
  const check = checksum(octets).toString(16).toUpperCase().padStart(2, '0');
  return new TextEncoder().encode(`$${text}*${check}${LINE_END}`);
}

/** @throws SluiceError `internal` for a bound that is not a positive integer. */
export function nmeaDecoder(options: NmeaOptions, sink: NmeaSink): Decoder {
  // Room for the rest of a broken sentence before a whole one.
  const maxLineBytes = 2 * (options.maxTextBytes + OVERHEAD_BYTES);
  return lineSplitter(
    { maxLineBytes },
    {
      line: (octets) => {
        const start = octets.lastIndexOf(DOLLAR);
        if (start < 0) {
          sink.discard('noise', octets.length);
          return;
        }
        if (start > 0) sink.discard('malformed', start);
        const sentence = octets.subarray(start);
        const cause = fault(sentence, options.maxTextBytes);
        if (cause !== undefined) sink.discard(cause, sentence.length);
        else sink.sentence(Array.from(sentence.subarray(1, -3), (octet) => String.fromCharCode(octet)).join(''));
      },
      discard: (cause, octets) => sink.discard(cause, octets),
    },
  );
}

/** Why a sentence is none, undefined if it is one. */
function fault(sentence: Uint8Array, maxTextBytes: number): DiscardCause | undefined {
  const star = sentence.length - 3;
  if (star < 1 || sentence[star] !== STAR) return 'malformed';
  if (star - 1 > maxTextBytes) return 'too-long';
  const digits = String.fromCharCode(...sentence.subarray(star + 1));
  if (!/^[0-9A-Fa-f]{2}$/.test(digits)) return 'malformed';
  return Number.parseInt(digits, 16) === checksum(sentence.subarray(1, star)) ? undefined : 'check';
}

function checksum(octets: Uint8Array): number {
  return octets.reduce((sum, octet) => sum ^ octet, 0);
}
