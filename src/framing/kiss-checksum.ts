/**
 * Checks on the line between host and TNC: SMACK and FlexNet mark data frames by a bit of the type octet and add a CRC;
 * XKISS (BPQKISS) adds the exclusive or of all octets to every frame, unmarked.
 */
import { crc16Arc } from '../base/crc.js';

export type KissChecksum = 'none' | 'smack' | 'flexnet' | 'xkiss';

/** Type octet bit 7 (SMACK 1.0, 1992). */
export const SMACK_FLAG = 0x80;
/** Type octet bit 5 (Linux mkiss, FlexNet). */
export const FLEXNET_FLAG = 0x20;
/** The register after a good frame with its CRC (Linux mkiss). */
const FLEXNET_GOOD = 0x7070;
/** Each entry of the table is that of the reflected 0x1021, exclusive or this (Linux mkiss). */
const FLEXNET_TWIST = 0x0f87;

const FLEXNET_TABLE = Int32Array.from({ length: 256 }, (_, octet) => {
  let register = octet;
  for (let bit = 0; bit < 8; bit++) register = register & 1 ? (register >>> 1) ^ 0x8408 : register >>> 1;
  return register ^ FLEXNET_TWIST;
});

/** No textbook CRC: a table of reflected entries, shifted the other way. */
function flexnetCrc(octets: Uint8Array, previous = 0xffff): number {
  let register = previous;
  for (const octet of octets) {
    register = ((register << 8) & 0xffff) ^ (FLEXNET_TABLE[((register >> 8) ^ octet) & 0xff] as number);
  }
  return register;
}

const flagOf = (checksum: KissChecksum): number =>
  checksum === 'smack' ? SMACK_FLAG : checksum === 'flexnet' ? FLEXNET_FLAG : 0;

/** Octets that `addKissChecksum` adds to a data frame. */
export function kissChecksumBytes(checksum: KissChecksum): number {
  return { none: 0, smack: 2, flexnet: 2, xkiss: 1 }[checksum];
}

function concatenated(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A data frame's type and payload with its checksum, before escaping. */
export function addKissChecksum(
  checksum: KissChecksum,
  type: number,
  payload: Uint8Array,
): { readonly type: number; readonly payload: Uint8Array } {
  const flagged = type | flagOf(checksum);
  const head = Uint8Array.of(flagged);
  switch (checksum) {
    case 'none':
      return { type, payload };
    case 'smack': {
      const crc = crc16Arc(payload, crc16Arc(head));
      return { type: flagged, payload: concatenated(payload, Uint8Array.of(crc & 0xff, crc >> 8)) };
    }
    case 'flexnet': {
      const crc = flexnetCrc(payload, flexnetCrc(head));
      return { type: flagged, payload: concatenated(payload, Uint8Array.of(crc >> 8, crc & 0xff)) };
    }
    case 'xkiss': {
      const sum = payload.reduce((x, octet) => x ^ octet, type);
      return { type, payload: concatenated(payload, Uint8Array.of(sum)) };
    }
  }
}

/**
 * A frame from the line without its checksum; `wrong` where it does not fit. `checked` says whether it had one: with
 * SMACK and FlexNet the other side may talk without for a while.
 */
export function takeKissChecksum(
  checksum: KissChecksum,
  type: number,
  payload: Uint8Array,
): { readonly type: number; readonly payload: Uint8Array; readonly checked: boolean } | 'wrong' {
  const head = Uint8Array.of(type);
  switch (checksum) {
    case 'none':
      return { type, payload, checked: false };
    case 'smack':
      if ((type & SMACK_FLAG) === 0 || type === 0xff) return { type, payload, checked: false };
      if (payload.length < 2 || crc16Arc(payload, crc16Arc(head)) !== 0) return 'wrong';
      return { type: type & ~SMACK_FLAG, payload: payload.subarray(0, -2), checked: true };
    case 'flexnet':
      if ((type & FLEXNET_FLAG) === 0 || type === 0xff) return { type, payload, checked: false };
      if (payload.length < 2 || flexnetCrc(payload, flexnetCrc(head)) !== FLEXNET_GOOD) return 'wrong';
      return { type: type & ~FLEXNET_FLAG, payload: payload.subarray(0, -2), checked: true };
    case 'xkiss':
      if (payload.length < 1 || payload.reduce((x, octet) => x ^ octet, type) !== 0) return 'wrong';
      return { type, payload: payload.subarray(0, -1), checked: true };
  }
}
