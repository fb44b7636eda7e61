/**
 * What a frame is on the line, said a second time and as plainly as can be, for the fuzzer to compare a decoder with: each
 * function tells where the frame that begins at `at` ends, or -1 where the line holds no such frame there.
 */
import { crc16X25, crc32 } from '../../src/base/crc.js';
import { sameOctets } from '../../src/base/octets.js';

export type Reference = (line: Uint8Array, at: number, end: number, content: Uint8Array, type: number) => number;

const SLIP = { end: 0xc0, escape: 0xdb, escapedEnd: 0xdc, escapedEscape: 0xdd } as const;
const HDLC = { flag: 0x7e, escape: 0x7d } as const;
const XBEE = { delimiter: 0x7e, escape: 0x7d } as const;
const COBS_FULL_BLOCK = 255;
const FIRST_PRINTABLE = 0x20;

/** SLIP, and KISS where there is a type. */
export const slipReference: Reference = (line, at, end, content, type) => {
  let next = type < 0 ? 0 : -1;
  let to = at;
  for (; to < end && line[to] !== SLIP.end; to++) {
    let octet = line[to];
    if (octet === SLIP.escape) {
      const escaped = line[++to];
      if (escaped !== SLIP.escapedEnd && escaped !== SLIP.escapedEscape) return -1;
      octet = escaped === SLIP.escapedEnd ? SLIP.end : SLIP.escape;
    }
    if (octet !== (next < 0 ? type : content[next])) return -1;
    next++;
  }
  return next === content.length && to < end ? to + 1 : -1;
};

const room = new Uint8Array(4096);

export function hdlcReference(fcsBytes: 2 | 4, accm = 0): Reference {
  return (line, at, end, content) => {
    let bytes = 0;
    let to = at;
    for (; to < end && line[to] !== HDLC.flag; to++) {
      let octet = line[to] ?? 0;
      if (octet < FIRST_PRINTABLE && ((accm >>> octet) & 1) === 1) continue;
      if (octet === HDLC.escape) {
        // What the line has inserted may stand behind an escape, too.
        do octet = line[++to] ?? 0;
        while (octet < FIRST_PRINTABLE && ((accm >>> octet) & 1) === 1);
        octet ^= 0x20;
      }
      room[bytes++] = octet;
    }
    const dataBytes = bytes - fcsBytes;
    if (to >= end || dataBytes !== content.length) return -1;
    const data = room.subarray(0, dataBytes);
    const fcs = fcsBytes === 2 ? crc16X25(data) : crc32(data);
    for (let i = 0; i < fcsBytes; i++) if (room[dataBytes + i] !== ((fcs >>> (8 * i)) & 0xff)) return -1;
    return sameOctets(data, content) ? to + 1 : -1;
  };
}

export const cobsReference: Reference = (line, at, end, content) => {
  let next = 0;
  let to = at;
  let before = COBS_FULL_BLOCK;
  while (to < end && line[to] !== 0) {
    if (before !== COBS_FULL_BLOCK && content[next++] !== 0) return -1;
    before = line[to++] ?? 0;
    for (let left = before - 1; left > 0; left--) if (line[to] === 0 || line[to++] !== content[next++]) return -1;
  }
  return next === content.length && to < end ? to + 1 : -1;
};

/** A line of text, line end included; with counted data in it, line ends may be data. */
export const lineReference: Reference = (line, at, end, content) => {
  const to = at + content.length;
  if (to >= end || !sameOctets(line.subarray(at, to), content)) return -1;
  return line[to] === 0x0d || line[to] === 0x0a ? to + 1 : -1;
};

export const nmeaReference: Reference = (line, at, end, content) => {
  const to = at + 1 + content.length;
  if (line[at] !== 0x24 || line[to] !== 0x2a || to + 3 >= end) return -1;
  if (!sameOctets(line.subarray(at + 1, to), content)) return -1;
  const digits = String.fromCharCode(line[to + 1] ?? 0, line[to + 2] ?? 0);
  if (Number.parseInt(digits, 16) !== content.reduce((sum, octet) => sum ^ octet, 0)) return -1;
  return line[to + 3] === 0x0d || line[to + 3] === 0x0a ? to + 4 : -1;
};

export function xbeeReference(escapes: boolean): Reference {
  return (line, at, end, content) => {
    if (line[at] !== XBEE.delimiter) return -1;
    const expected = content.length + 3;
    let sum = 0;
    let to = at + 1;
    for (let i = 0; i < expected; i++) {
      let octet = line[to++] ?? 0;
      if (escapes && octet === XBEE.delimiter) return -1;
      if (escapes && octet === XBEE.escape) octet = (line[to++] ?? 0) ^ 0x20;
      if (i === 0 && octet !== content.length >> 8) return -1;
      if (i === 1 && octet !== (content.length & 0xff)) return -1;
      if (i >= 2) sum += octet;
      if (i >= 2 && i < expected - 1 && octet !== content[i - 2]) return -1;
    }
    return to <= end && (sum & 0xff) === 0xff ? to : -1;
  };
}
