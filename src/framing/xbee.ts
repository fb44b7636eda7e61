/**
 * XBee API frames (Digi XBee manuals; digidotcom/xbee-python): 7E, length of two octets, frame data, checksum. In mode 1
 * the data goes as it is, so that a 7E may be data; in mode 2 7E, 7D, 11 and 13 behind the delimiter are escaped as 7D and the
 * octet XOR 20, length and checksum included. The checksum is FF less the low octet of the sum of the frame data.
 */
import type { Codec, Decoder, DiscardCause, FrameSink } from './codec.js';
import { requireBound } from './delimited.js';

const DELIMITER = 0x7e;
const ESCAPE = 0x7d;
const ESCAPE_XOR = 0x20;
/** XON and XOFF. */
const ESCAPED: ReadonlySet<number> = new Set([DELIMITER, ESCAPE, 0x11, 0x13]);
/** Delimiter and length. */
const HEAD_BYTES = 3;
/** Delimiter, length, checksum. */
const AROUND_BYTES = 4;

export interface XbeeOptions {
  /** The most frame data accepted, in octets. */
  readonly maxFrameBytes: number;
  /** ATAP: 1 plain, 2 escaped. */
  readonly apiMode: 1 | 2;
}

function checksum(octets: Uint8Array): number {
  return 0xff - (octets.reduce((sum, octet) => sum + octet, 0) & 0xff);
}

/** @throws SluiceError `internal` for a bound that is not a positive integer. */
export function xbeeCodec(options: XbeeOptions): Codec {
  const maxBytes = requireBound(options.maxFrameBytes);
  const escapes = options.apiMode === 2;
  return {
    encode: (frame) => {
      const behind = Uint8Array.of(frame.length >> 8, frame.length & 0xff, ...frame, checksum(frame));
      const line = [DELIMITER];
      for (const octet of behind) {
        if (escapes && ESCAPED.has(octet)) line.push(ESCAPE, octet ^ ESCAPE_XOR);
        else line.push(octet);
      }
      return Uint8Array.from(line);
    },
    decoder: (sink) => new XbeeDecoder(maxBytes, escapes, sink),
    maxEncodedBytes: (frameBytes) => 1 + (escapes ? 2 : 1) * (frameBytes + AROUND_BYTES - 1),
  };
}

/**
 * A frame that turns out to be none gives up its delimiter only: the search goes on behind it, so that a lost octet does
 * not take the next frame along.
 */
class XbeeDecoder implements Decoder {
  readonly #maxBytes: number;
  readonly #escapes: boolean;
  readonly #sink: FrameSink;
  /** As the octets came; what lies ahead of the first delimiter is gone. */
  #raw: Uint8Array;
  #rawBytes = 0;
  /** What has been read of it: octets without their escapes, and how far. */
  readonly #plain: Uint8Array;
  #plainBytes = 0;
  #readBytes = 0;

  constructor(maxBytes: number, escapes: boolean, sink: FrameSink) {
    this.#maxBytes = maxBytes;
    this.#escapes = escapes;
    this.#sink = sink;
    this.#plain = new Uint8Array(maxBytes + AROUND_BYTES);
    this.#raw = new Uint8Array((escapes ? 2 : 1) * (maxBytes + AROUND_BYTES));
  }

  get heldOctets(): number {
    return this.#rawBytes;
  }

  push(octets: Uint8Array): void {
    for (let at = 0; at < octets.length; ) {
      const part = octets.subarray(at, at + this.#raw.length - this.#rawBytes);
      this.#raw.set(part, this.#rawBytes);
      this.#rawBytes += part.length;
      at += part.length;
      this.#search();
    }
  }

  reset(): void {
    const bytes = this.#rawBytes;
    this.#rawBytes = 0;
    this.#restart();
    if (bytes > 0) this.#sink.discard('aborted', bytes);
  }

  #search(): void {
    for (;;) {
      if (this.#readBytes === 0 && !this.#findDelimiter()) return;
      const found = this.#read();
      if (found === 'more') return;
      if (found === 'frame') {
        const frame = this.#plain.slice(HEAD_BYTES, this.#plainBytes - 1);
        this.#drop(this.#readBytes);
        this.#sink.frame(frame);
      } else if (found === 'cut') this.#discard('aborted', this.#readBytes);
      else this.#discard(found, 1);
    }
  }

  /** Ahead of the delimiter is noise. */
  #findDelimiter(): boolean {
    const held = this.#raw.subarray(0, this.#rawBytes);
    const at = held.indexOf(DELIMITER);
    const noise = at < 0 ? held.length : at;
    if (noise > 0) this.#discard('noise', noise);
    return at >= 0;
  }

  #read(): 'more' | 'frame' | 'cut' | DiscardCause {
    while (this.#readBytes < this.#rawBytes) {
      let octet = this.#raw[this.#readBytes] as number;
      let taken = 1;
      if (this.#escapes && this.#readBytes > 0) {
        if (octet === DELIMITER) return 'cut';
        if (octet === ESCAPE) {
          const escaped = this.#raw[this.#readBytes + 1];
          if (escaped === undefined || this.#readBytes + 1 >= this.#rawBytes) return 'more';
          if (escaped === DELIMITER) {
            this.#readBytes++;
            return 'cut';
          }
          octet = escaped ^ ESCAPE_XOR;
          taken = 2;
        }
      }
      this.#readBytes += taken;
      this.#plain[this.#plainBytes++] = octet;
      if (this.#plainBytes < HEAD_BYTES) continue;
      const bytes = ((this.#plain[1] as number) << 8) | (this.#plain[2] as number);
      if (bytes === 0) return 'malformed';
      if (bytes > this.#maxBytes) return 'too-long';
      if (this.#plainBytes < bytes + AROUND_BYTES) continue;
      const data = this.#plain.subarray(HEAD_BYTES, HEAD_BYTES + bytes);
      return checksum(data) === octet ? 'frame' : 'check';
    }
    return 'more';
  }

  #discard(cause: DiscardCause, octets: number): void {
    this.#drop(octets);
    this.#sink.discard(cause, octets);
  }

  #drop(octets: number): void {
    this.#raw.copyWithin(0, octets, this.#rawBytes);
    this.#rawBytes -= octets;
    this.#restart();
  }

  #restart(): void {
    this.#plainBytes = 0;
    this.#readBytes = 0;
  }
}
