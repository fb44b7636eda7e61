/** Table-driven cyclic redundancy checks, all in reflected (least significant bit first) form. */

const reflectedTable = (polynomial: number): Int32Array => {
  const table = new Int32Array(256);
  for (let octet = 0; octet < 256; octet++) {
    let register = octet;
    for (let bit = 0; bit < 8; bit++) register = register & 1 ? (register >>> 1) ^ polynomial : register >>> 1;
    table[octet] = register;
  }
  return table;
};

// Polynomials are written bit-reversed: 1021 -> 8408, 8005 -> A001, 04C11DB7 -> EDB88320, 1EDC6F41 -> 82F63B78.
const X25_TABLE = reflectedTable(0x8408); // RFC 1662 appendix C
const ARC_TABLE = reflectedTable(0xa001); // SMACK 1.0
const CRC32_TABLE = reflectedTable(0xedb88320); // IEEE 802.3
const CRC32C_TABLE = reflectedTable(0x82f63b78); // RFC 3720 appendix B.4

const run = (table: Int32Array, start: number, octets: Uint8Array): number => {
  let register = start;
  for (let i = 0; i < octets.length; i++) {
    register = (register >>> 8) ^ ((table[(register ^ (octets[i] as number)) & 0xff] as number) | 0);
  }
  return register;
};

/**
 * CRC-16/X-25, the FCS-16 of RFC 1662 and AX.25; goes to the line low octet first.
 * @param previous the CRC of the octets before these, to compute it in parts
 */
export function crc16X25(octets: Uint8Array, previous = 0): number {
  return run(X25_TABLE, previous ^ 0xffff, octets) ^ 0xffff;
}

/** CRC-16/ARC (SMACK, SeaTrac); low octet first. `previous` as in `crc16X25`. */
export function crc16Arc(octets: Uint8Array, previous = 0): number {
  return run(ARC_TABLE, previous, octets);
}

/** CRC-32 of IEEE 802.3, the FCS-32 of RFC 1662; low octet first; unsigned. `previous` as in `crc16X25`. */
export function crc32(octets: Uint8Array, previous = 0): number {
  return ~run(CRC32_TABLE, ~previous, octets) >>> 0;
}

/** CRC-32C (Castagnoli, RFC 3720 appendix B.4); unsigned. `previous` as in `crc16X25`. */
export function crc32c(octets: Uint8Array, previous = 0): number {
  return ~run(CRC32C_TABLE, ~previous, octets) >>> 0;
}

/**
 * What each function returns for any octets followed by their own CRC, low octet first. RFC 1662 appendix C gives the registers
 * before the final complement (F0B8, DEBB20E3); these are their complements. CRC-32C from its register B798B438.
 */
export const CRC_16_X25_GOOD = 0x0f47;
export const CRC_16_ARC_GOOD = 0;
export const CRC_32_GOOD = 0x2144df1c;
export const CRC_32C_GOOD = 0x48674bc7;
