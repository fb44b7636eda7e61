/**
 * HDLC-like framing on asynchronous lines (RFC 1662 section 4): flag, escaped octets with their FCS, flag.
 * One flag may close a frame and open the next; an escape before a flag aborts the frame.
 */
import { CRC_16_X25_GOOD, CRC_32_GOOD, crc16X25, crc32 } from '../base/crc.js';
import type { Codec, DiscardCause } from './codec.js';
import { DelimitedReader, finder, requireBound } from './delimited.js';

/** Flag sequence (RFC 1662 section 3.1). */
export const HDLC_FLAG = 0x7e;
/** Control escape; the octet after it has its bit 5 inverted (RFC 1662 section 4.2). */
export const HDLC_ESCAPE = 0x7d;
const HDLC_COMPLEMENT = 0x20;
/** Tells the receiver to forget the frame that has begun (RFC 1662 section 4.3). */
export const HDLC_ABORT: Readonly<Uint8Array> = Uint8Array.of(HDLC_ESCAPE, HDLC_FLAG);
/** All-stations address and unnumbered information control (RFC 1662 section 3.1), for PPP. */
export const PPP_ADDRESS_CONTROL: readonly number[] = [0xff, 0x03];

export interface HdlcOptions {
  /** The longest frame that the decoder accepts, in octets without address, control and FCS. */
  readonly maxFrameBytes: number;
  /** Bits of the frame check sequence. */
  readonly fcsBits: 16 | 32;
  /** Octets before every frame, which the decoder requires and takes away. Default: none. */
  readonly header?: readonly number[];
  /**
   * The async control character map (RFC 1662 section 7.1): bit n set means that octet n (0-31) is sent escaped, and dropped
   * as an insertion of the line where it arrives unescaped. Default 0.
   */
  readonly accm?: number;
  /** Further octets to send escaped, e.g. 0x91. Default: none. */
  readonly alsoEscape?: readonly number[];
}

/**
 * Frames of zero octets without a header do not exist: encoding one gives two flags, and a decoder passes over them.
 * @throws SluiceError `internal` for a bound that is not a positive integer.
 */
export function hdlcCodec(options: HdlcOptions): Codec {
  const maxFrameBytes = requireBound(options.maxFrameBytes);
  const header = Uint8Array.from(options.header ?? []);
  const accm = options.accm ?? 0;
  const fcsBytes = options.fcsBits / 8;
  const escaped = escapeMap(accm, options.alsoEscape ?? []);
  const overheadBytes = header.length + fcsBytes;

  const decodeBody = (body: Uint8Array): Uint8Array | DiscardCause => {
    const content = undo(body, accm);
    if (typeof content === 'string') return content;
    // RFC 1662 section 3.1 (FCS): too short a frame is invalid, but no check error.
    if (content.length <= fcsBytes || content.length < overheadBytes) return 'malformed';
    const good = fcsBytes === 2 ? crc16X25(content) === CRC_16_X25_GOOD : crc32(content) === CRC_32_GOOD;
    if (!good) return 'check';
    if (content.length - overheadBytes > maxFrameBytes) return 'too-long';
    if (header.some((octet, at) => content[at] !== octet)) return 'malformed';
    return content.slice(header.length, content.length - fcsBytes);
  };

  return {
    encode: (frame) => {
      if (frame.length + header.length === 0) return Uint8Array.of(HDLC_FLAG, HDLC_FLAG);
      const fcs = checkSequence(header, frame, fcsBytes);
      const count = countEscaped(escaped, header) + countEscaped(escaped, frame) + countEscaped(escaped, fcs);
      const line = new Uint8Array(2 + overheadBytes + frame.length + count);
      line[0] = HDLC_FLAG;
      let at = writeStuffed(escaped, header, line, 1);
      at = writeStuffed(escaped, frame, line, at);
      at = writeStuffed(escaped, fcs, line, at);
      line[at] = HDLC_FLAG;
      return line;
    },
    decoder: (sink) =>
      new DelimitedReader(
        { find: finder(HDLC_FLAG), maxBodyBytes: 2 * (maxFrameBytes + overheadBytes), startsWithDelimiter: true },
        {
          body: (octets) => {
            const frame = decodeBody(octets);
            if (typeof frame === 'string') sink.discard(frame, octets.length);
            else sink.frame(frame);
          },
          discard: (cause, octets) => sink.discard(cause, octets),
        },
      ),
    maxEncodedBytes: (frameBytes) => 2 * (frameBytes + overheadBytes) + 2,
  };
}

/** 1 for each octet that is sent escaped. */
function escapeMap(accm: number, also: readonly number[]): Uint8Array {
  const map = new Uint8Array(256);
  for (let octet = 0; octet < 32; octet++) map[octet] = (accm >>> octet) & 1;
  for (const octet of [HDLC_FLAG, HDLC_ESCAPE, ...also]) map[octet] = 1;
  return map;
}

function checkSequence(header: Uint8Array, frame: Uint8Array, bytes: number): Uint8Array {
  const crc = bytes === 2 ? crc16X25(frame, crc16X25(header)) : crc32(frame, crc32(header));
  return Uint8Array.from({ length: bytes }, (_, at) => crc >>> (8 * at));
}

function countEscaped(escaped: Uint8Array, octets: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < octets.length; i++) count += escaped[octets[i] as number] as number;
  return count;
}

function writeStuffed(escaped: Uint8Array, octets: Uint8Array, target: Uint8Array, at: number): number {
  let to = at;
  for (let i = 0; i < octets.length; i++) {
    const octet = octets[i] as number;
    if (escaped[octet] === 1) {
      target[to++] = HDLC_ESCAPE;
      target[to++] = octet ^ HDLC_COMPLEMENT;
    } else {
      target[to++] = octet;
    }
  }
  return to;
}

/** Takes inserted control characters and escapes out. The result may be a view of `body`. */
function undo(body: Uint8Array, accm: number): Uint8Array | DiscardCause {
  const first = accm === 0 ? body.indexOf(HDLC_ESCAPE) : 0;
  if (first < 0) return body;
  const content = new Uint8Array(body.length);
  content.set(body.subarray(0, first));
  let to = first;
  let complement = 0;
  for (let i = first; i < body.length; i++) {
    const octet = body[i] as number;
    if (octet < 32 && (accm >>> octet) & 1) continue;
    if (octet === HDLC_ESCAPE && complement === 0) {
      complement = HDLC_COMPLEMENT;
      continue;
    }
    content[to++] = octet ^ complement;
    complement = 0;
  }
  return complement === 0 ? content.subarray(0, to) : 'aborted';
}
