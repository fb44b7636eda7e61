/**
 * What comes along with data in one frame: acknowledgements for those who sent to its sender, and that its own may wait.
 * Layout in link-frame.md.
 */
import type { Station } from './packet.js';

/** An acknowledgement for one station. */
export interface CarriedAck {
  /** 1 to 254. */
  readonly to: Station;
  /** The sequence that is expected next, 0 to 31. */
  readonly next: number;
  /** Bit i: `next` + i has arrived. Bit 0 is never set. */
  readonly bitmap: number;
}

export interface Piggyback {
  /** Nobody answers this frame: its acknowledgement comes along with what its receiver sends next. */
  readonly later: boolean;
  /** At most `CARRIED_MAX`. */
  readonly acks: readonly CarriedAck[];
}

export const CARRIED_MAX = 7;
export const PIGGYBACK_MIN_BYTES = 1;

const CODE_SHIFT = 4;
const LATER_BIT = 0x08;
const COUNT_MASK = 0x07;
const NEXT_SHIFT = 3;
const BITMAP_BIT = 0x01;
const SPARE_BITS = 0x06;

/** Octets that it takes before the body, `PIGGYBACK_MIN_BYTES` without acknowledgements. */
export function piggybackBytes({ acks }: Piggyback): number {
  return acks.reduce((sum, ack) => sum + carriedAckBytes(ack), PIGGYBACK_MIN_BYTES);
}

export function carriedAckBytes({ bitmap }: Pick<CarriedAck, 'bitmap'>): number {
  return bitmap === 0 ? 2 : 3;
}

/** Writes it to the start of `octets`. @param code the type of the body */
export function encodePiggyback({ later, acks }: Piggyback, code: number, octets: Uint8Array): void {
  octets[0] = (code << CODE_SHIFT) | (later ? LATER_BIT : 0) | acks.length;
  let at = 1;
  for (const { to, next, bitmap } of acks) {
    octets[at++] = to;
    octets[at++] = (next << NEXT_SHIFT) | (bitmap === 0 ? 0 : BITMAP_BIT);
    if (bitmap !== 0) octets[at++] = bitmap;
  }
}

/** What came along, the type of the body, and the body as a view; null when it contradicts itself. */
export function decodePiggyback(octets: Uint8Array): { piggyback: Piggyback; code: number; body: Uint8Array } | null {
  const first = octets[0];
  if (first === undefined) return null;
  const acks: CarriedAck[] = [];
  let at = 1;
  for (let left = first & COUNT_MASK; left > 0; left--) {
    const to = octets[at++] ?? 0;
    const order = octets[at++];
    if (order === undefined || (order & SPARE_BITS) !== 0) return null;
    let bitmap = 0;
    if ((order & BITMAP_BIT) !== 0) {
      bitmap = octets[at++] ?? 0;
      // An octet that says nothing is left out.
      if (bitmap === 0) return null;
    }
    acks.push({ to, next: order >> NEXT_SHIFT, bitmap });
  }
  const later = (first & LATER_BIT) !== 0;
  return { piggyback: { later, acks }, code: first >> CODE_SHIFT, body: octets.subarray(at) };
}
