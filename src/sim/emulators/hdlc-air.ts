/**
 * HDLC as packet radio has it on the air (AX.25 2.2, section 3): flags, zero bit insertion, FCS-16 (CRC-16/X-25), octets
 * low bit first. Bits are packed into the octets of the medium low bit first; what is left of the last one is idle ones.
 */
import { CRC_16_X25_GOOD, crc16X25 } from '../../base/crc.js';

const FLAG = 0x7e;
/** A sender inserts a zero after so many ones. */
const ONES_BEFORE_STUFFING = 5;
/** Shorter than this with FCS is no frame: what remains between flags after a collision. */
const SHORTEST_FRAME_OCTETS = 3;

export function encodeHdlcAir(payload: Uint8Array): Uint8Array {
  const fcs = crc16X25(payload);
  // Zero insertion adds at most one bit in five.
  const air = new Uint8Array(Math.ceil(((payload.length + 2) * 8 * 6) / 5 / 8) + 3);
  let bits = 0;
  let ones = 0;
  const put = (bit: number): void => {
    if (bit) air[bits >> 3] = (air[bits >> 3] as number) | (1 << (bits & 7));
    bits++;
  };
  const putFlag = (): void => {
    for (let i = 0; i < 8; i++) put((FLAG >> i) & 1);
  };
  const putOctet = (octet: number): void => {
    for (let i = 0; i < 8; i++) {
      const bit = (octet >> i) & 1;
      put(bit);
      ones = bit ? ones + 1 : 0;
      if (ones === ONES_BEFORE_STUFFING) {
        put(0);
        ones = 0;
      }
    }
  };
  putFlag();
  for (const octet of payload) putOctet(octet);
  putOctet(fcs & 0xff);
  putOctet(fcs >> 8);
  putFlag();
  while (bits & 7) put(1);
  return air.subarray(0, bits >> 3);
}

/** The payloads of all frames in `air` whose FCS is right, and how many stretches between flags were wrong. */
export function decodeHdlcAir(air: Uint8Array): { payloads: Uint8Array[]; broken: number } {
  const payloads: Uint8Array[] = [];
  let broken = 0;
  const held = new Uint8Array(air.length);
  /** Bits since the last flag, less inserted zeros; -1 before the first flag and after an abort (seven ones). */
  let bits = -1;
  let ones = 0;
  const endFrame = (): void => {
    // The closing flag's first seven bits were taken for data.
    const frameBits = bits - 7;
    if (frameBits >= SHORTEST_FRAME_OCTETS * 8) {
      const frame = held.slice(0, frameBits >> 3);
      if (frameBits % 8 === 0 && crc16X25(frame) === CRC_16_X25_GOOD) payloads.push(frame.subarray(0, -2));
      else broken++;
    }
  };
  for (let at = 0; at < air.length * 8; at++) {
    const bit = ((air[at >> 3] as number) >> (at & 7)) & 1;
    if (bit) {
      ones++;
      if (ones === 7) {
        if (bits > SHORTEST_FRAME_OCTETS * 8) broken++;
        bits = -1;
      }
    } else {
      const before = ones;
      ones = 0;
      if (before === 6) {
        if (bits >= 0) endFrame();
        bits = 0;
        continue;
      }
      if (before === ONES_BEFORE_STUFFING) continue;
    }
    if (bits < 0) continue;
    const index = bits >> 3;
    if ((bits & 7) === 0) held[index] = 0;
    if (bit) held[index] = (held[index] as number) | (1 << (bits & 7));
    bits++;
  }
  if (bits > SHORTEST_FRAME_OCTETS * 8) broken++;
  return { payloads, broken };
}
