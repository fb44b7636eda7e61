/** Every decoder that takes octets from a line, in the form in which the fuzzer wants them. */
import { cobsCodec } from '../../src/framing/cobs.js';
import type { Codec, Decoder } from '../../src/framing/codec.js';
import { countedLineSplitter } from '../../src/framing/counted-lines.js';
import { hdlcCodec } from '../../src/framing/hdlc.js';
import { encodeKiss, kissDecoder } from '../../src/framing/kiss.js';
import {
  addKissChecksum,
  type KissChecksum,
  kissChecksumBytes,
  takeKissChecksum,
} from '../../src/framing/kiss-checksum.js';
import { lineSplitter } from '../../src/framing/lines.js';
import { encodeNmea, nmeaDecoder } from '../../src/framing/nmea.js';
import { slipCodec } from '../../src/framing/slip.js';
import { xbeeCodec } from '../../src/framing/xbee.js';
import {
  cobsReference,
  hdlcReference,
  lineReference,
  nmeaReference,
  type Reference,
  slipReference,
  xbeeReference,
} from './fuzz-references.js';

/** Longer than a block of COBS. */
export const MAX_FRAME_BYTES = 300;
const LINE_ENDS = [0x0d, 0x0a];
const XON = 0x11;
/** XON and XOFF, kept out of frames. */
const XON_XOFF_MAP = 0x000a_0000;

export interface Events {
  /** @param type of KISS, otherwise -1 */
  frame(content: Uint8Array, type: number): void;
  discard(octets: number): void;
  /** What came out contradicts itself. */
  wrong(): void;
}

export interface Subject {
  readonly name: string;
  /** Between frames, and part of none. Empty where the decoder accounts for every octet by itself. */
  readonly delimiters: readonly number[];
  /** Further octets that mean something. */
  readonly specials: readonly number[];
  readonly reference: Reference;
  encode(frame: Uint8Array): Uint8Array;
  decoder(events: Events): Decoder;
}

function ofCodec(
  name: string,
  codec: Codec,
  reference: Reference,
  delimiters: readonly number[],
  specials: readonly number[],
): Subject {
  return {
    name,
    delimiters,
    specials,
    reference,
    encode: (frame) => codec.encode(frame),
    decoder: ({ frame, discard }) =>
      codec.decoder({ frame: (octets) => frame(octets, -1), discard: (_, octets) => discard(octets) }),
  };
}

function hdlc(name: string, fcsBits: 16 | 32, accm: number): Subject {
  const codec = hdlcCodec({ maxFrameBytes: MAX_FRAME_BYTES, fcsBits, accm });
  const reference = hdlcReference(fcsBits === 16 ? 2 : 4, accm);
  const subject = ofCodec(name, codec, reference, [0x7e], [0x7e, 0x7d, 0x11, 0x13]);
  return accm === 0 ? subject : { ...subject, encode: (frame) => withXon(codec.encode(frame)) };
}

/** As a line with software flow control brings it: an XON stands somewhere inside. */
function withXon(line: Uint8Array): Uint8Array {
  const longer = new Uint8Array(line.length + 1);
  const at = line.length >> 1;
  longer.set(line.subarray(0, at));
  longer[at] = XON;
  longer.set(line.subarray(at), at + 1);
  return longer;
}

function cobs(name: string, leadingDelimiter: boolean): Subject {
  return ofCodec(name, cobsCodec({ maxFrameBytes: MAX_FRAME_BYTES, leadingDelimiter }), cobsReference, [0], [0, 255]);
}

function xbee(apiMode: 1 | 2): Subject {
  const codec = xbeeCodec({ maxFrameBytes: MAX_FRAME_BYTES, apiMode });
  return ofCodec(`xbee mode ${apiMode}`, codec, xbeeReference(apiMode === 2), [], [0x7e, 0x7d, 0x00, 0x11]);
}

function kiss(checksum: KissChecksum): Subject {
  return {
    name: checksum === 'none' ? 'kiss' : `kiss, ${checksum}`,
    delimiters: [0xc0],
    specials: [0xc0, 0xdb, 0xdc, 0xdd, 0x80, 0x20],
    reference: slipReference,
    encode: (frame) => {
      const checked = addKissChecksum(checksum, 0, frame);
      return encodeKiss(checked.type, checked.payload);
    },
    decoder: ({ frame, discard, wrong }) =>
      kissDecoder(
        { maxFrameBytes: MAX_FRAME_BYTES },
        {
          frame: (type, payload) => {
            frame(payload, type);
            const taken = takeKissChecksum(checksum, type, payload);
            if (taken === 'wrong') return;
            const checkBytes = taken.checked ? kissChecksumBytes(checksum) : 0;
            if (taken.payload.length + checkBytes !== payload.length) wrong();
          },
          discard: (_, octets) => discard(octets),
        },
      ),
  };
}

/** Text without control characters, an octet for each. */
function textOf(octets: Uint8Array): string {
  return String.fromCharCode(...octets.map((octet) => (octet & 0x3f) | 0x40));
}

const lines: Subject = {
  name: 'lines',
  delimiters: LINE_ENDS,
  specials: LINE_ENDS,
  reference: lineReference,
  encode: (frame) => {
    const line = new Uint8Array(frame.length + 1);
    for (let i = 0; i < frame.length; i++) line[i] = ((frame[i] ?? 0) & 0x3f) | 0x40;
    line[frame.length] = 0x0d;
    return line;
  },
  decoder: ({ frame, discard }) =>
    lineSplitter(
      { maxLineBytes: MAX_FRAME_BYTES },
      { line: (octets) => frame(octets, -1), discard: (_, octets) => discard(octets) },
    ),
};

/** `#`, a count, and as many octets of any kind. */
const COUNT_MARK = 0x23;

const countedLines: Subject = {
  name: 'counted lines',
  delimiters: LINE_ENDS,
  specials: [...LINE_ENDS, COUNT_MARK],
  reference: lineReference,
  encode: (frame) => {
    const line = new Uint8Array(frame.length + 3);
    line[0] = COUNT_MARK;
    line[1] = frame.length;
    line.set(frame, 2);
    line[frame.length + 2] = 0x0a;
    return line;
  },
  decoder: ({ frame, discard }) =>
    countedLineSplitter(
      {
        maxLineBytes: MAX_FRAME_BYTES,
        dataEnd: ([mark, count]) => (mark === COUNT_MARK && count !== undefined ? 2 + count : undefined),
      },
      { line: (octets) => frame(octets, -1), discard: (_, octets) => discard(octets) },
    ),
};

const nmea: Subject = {
  name: 'nmea',
  delimiters: LINE_ENDS,
  specials: [...LINE_ENDS, 0x24, 0x2a],
  reference: nmeaReference,
  encode: (frame) => encodeNmea(textOf(frame)),
  decoder: ({ frame, discard }) =>
    nmeaDecoder(
      { maxTextBytes: MAX_FRAME_BYTES },
      {
        sentence: (text) => {
          const octets = new Uint8Array(text.length);
          for (let i = 0; i < text.length; i++) octets[i] = text.charCodeAt(i);
          frame(octets, -1);
        },
        discard: (_, octets) => discard(octets),
      },
    ),
};

export const SUBJECTS: readonly Subject[] = [
  ofCodec('slip', slipCodec({ maxFrameBytes: MAX_FRAME_BYTES }), slipReference, [0xc0], [0xc0, 0xdb, 0xdc, 0xdd]),
  hdlc('hdlc16', 16, 0),
  hdlc('hdlc32', 32, 0),
  hdlc('hdlc16 with XON and XOFF', 16, XON_XOFF_MAP),
  cobs('cobs', true),
  cobs('cobs without a leading delimiter', false),
  kiss('none'),
  kiss('smack'),
  kiss('flexnet'),
  kiss('xkiss'),
  lines,
  countedLines,
  nmea,
  xbee(1),
  xbee(2),
];
