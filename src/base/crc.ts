/** Table-driven cyclic redundancy checks, all in reflected (least significant bit first) form. */
import { nativeLoops } from './octet-loops.js';

/** Eight tables in one: the k-th says what an octet comes to when k more octets have followed it ("slicing by 8"). */
const SLICES = 8;

const reflectedTable = (polynomial: number): Int32Array => {
  const table = new Int32Array(256 * SLICES);
  for (let octet = 0; octet < 256; octet++) {
    let register = octet;
    for (let bit = 0; bit < 8; bit++) register = register & 1 ? (register >>> 1) ^ polynomial : register >>> 1;
    table[octet] = register;
  }
  for (let i = 256; i < table.length; i++) {
    const before = table[i - 256] as number;
    table[i] = (before >>> 8) ^ (table[before & 0xff] as number);
  }
  return table;
};

// Polynomials are written bit-reversed: 1021 -> 8408, 8005 -> A001, 04C11DB7 -> EDB88320, 1EDC6F41 -> 82F63B78.
const X25_TABLE = reflectedTable(0x8408); // RFC 1662 appendix C
const ARC_TABLE = reflectedTable(0xa001); // SMACK 1.0
const CRC32_TABLE = reflectedTable(0xedb88320); // IEEE 802.3
const CRC32C_TABLE = reflectedTable(0x82f63b78); // RFC 3720 appendix B.4

const run = (table: Int32Array, start: number, octets: Uint8Array, length = octets.length): number => {
  const at = (i: number): number => octets[i] as number;
  const slice = (k: number, octet: number): number => table[(k << 8) + octet] as number;
  let register = start;
  let i = 0;
  for (; i + SLICES <= length; i += SLICES) {
    // Four octets meet the register; those of a 16-bit one are met by its upper, empty half.
    const first = register ^ (at(i) | (at(i + 1) << 8) | (at(i + 2) << 16) | (at(i + 3) << 24));
    register =
      slice(7, first & 0xff) ^
      slice(6, (first >>> 8) & 0xff) ^
      slice(5, (first >>> 16) & 0xff) ^
      slice(4, first >>> 24) ^
      slice(3, at(i + 4)) ^
      slice(2, at(i + 5)) ^
      slice(1, at(i + 6)) ^
      slice(0, at(i + 7));
  }
  for (; i < length; i++) register = (register >>> 8) ^ slice(0, (register ^ at(i)) & 0xff);
  return register;
};

/**
 * CRC-16/X-25, the FCS-16 of RFC 1662 and AX.25; goes to the line low octet first.
 * @param previous the CRC of the octets before these, to compute it in parts
 * @param length how many of the octets
 */
export function crc16X25(octets: Uint8Array, previous = 0, length = octets.length): number {
  return run(X25_TABLE, previous ^ 0xffff, octets, length) ^ 0xffff;
}

/** CRC-16/ARC (SMACK, SeaTrac); low octet first. `previous` as in `crc16X25`. */
export function crc16Arc(octets: Uint8Array, previous = 0): number {
  return run(ARC_TABLE, previous, octets);
}

/** CRC-32 of IEEE 802.3, the FCS-32 of RFC 1662; low octet first; unsigned. `previous` as in `crc16X25`. */
export function crc32(octets: Uint8Array, previous = 0): number {
  return ~run(CRC32_TABLE, ~previous, octets) >>> 0;
}

/** CRC-32C (Castagnoli, RFC 3720 appendix B.4); unsigned. `previous` and `length` as in `crc16X25`. */
export function crc32c(octets: Uint8Array, previous = 0, length = octets.length): number {
  const native = nativeLoops(length);
  if (native !== undefined) return native.crc32c(octets, length, previous);
  return ~run(CRC32C_TABLE, ~previous, octets, length) >>> 0;
}

/**
 * What each function returns for any octets followed by their own CRC, low octet first. RFC 1662 appendix C gives the registers
 * before the final complement (F0B8, DEBB20E3); these are their complements. CRC-32C from its register B798B438.
 */
export const CRC_16_X25_GOOD = 0x0f47;
export const CRC_16_ARC_GOOD = 0;
export const CRC_32_GOOD = 0x2144df1c;
export const CRC_32C_GOOD = 0x48674bc7;
