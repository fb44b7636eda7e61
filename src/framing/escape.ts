/** The octet stuffing that SLIP and KISS share (RFC 1055; KA9Q/K3MC KISS): C0 delimits, DB escapes. */
import type { DiscardCause } from './codec.js';

/** Frame delimiter: END in RFC 1055, FEND in KISS. */
export const END = 0xc0;
/** Escape: ESC in RFC 1055, FESC in KISS. */
export const ESC = 0xdb;
/** After ESC: an END of the data (ESC_END, TFEND). */
export const ESC_END = 0xdc;
/** After ESC: an ESC of the data (ESC_ESC, TFESC). */
export const ESC_ESC = 0xdd;

/** How many octets of these need an escape. */
export function countEscapes(octets: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < octets.length; i++) {
    const octet = octets[i];
    if (octet === END || octet === ESC) count++;
  }
  return count;
}

/** Writes `octets` escaped into `target` from `at` on, which has room for twice as many. Returns the position after. */
export function escapeInto(octets: Uint8Array, target: Uint8Array, at: number): number {
  const { length } = octets;
  let to = at;
  for (let i = 0; i < length; i++) {
    const octet = octets[i] as number;
    // Both lie above all of ASCII, so one comparison decides for most octets of text.
    if (octet >= END && (octet === END || octet === ESC)) {
      target[to++] = ESC;
      target[to++] = octet === END ? ESC_END : ESC_ESC;
    } else {
      target[to++] = octet;
    }
  }
  return to;
}

/** Writes `octets` escaped into `target` from `at` on; `escapes` is their `countEscapes`. Returns the position after. */
export function writeEscaped(octets: Uint8Array, escapes: number, target: Uint8Array, at: number): number {
  if (escapes === 0) {
    target.set(octets, at);
    return at + octets.length;
  }
  let to = at;
  for (let i = 0; i < octets.length; i++) {
    const octet = octets[i] as number;
    if (octet === END || octet === ESC) {
      target[to++] = ESC;
      target[to++] = octet === END ? ESC_END : ESC_ESC;
    } else {
      target[to++] = octet;
    }
  }
  return to;
}

/** The octets that `body` stands for, in a buffer of their own; or why it is none. */
export function undoEscapes(body: Uint8Array, maxBytes: number): Uint8Array | DiscardCause {
  const first = body.indexOf(ESC);
  if (first < 0) return body.length > maxBytes ? 'too-long' : new Uint8Array(body);
  // One pass into room enough; what the escapes have saved is left over.
  const frame = new Uint8Array(body);
  const { length } = body;
  let to = first;
  for (let i = first; i < length; i++) {
    const octet = body[i] as number;
    if (octet !== ESC) {
      frame[to++] = octet;
      continue;
    }
    const next = body[++i];
    if (next === ESC_END) frame[to++] = END;
    else if (next === ESC_ESC) frame[to++] = ESC;
    else return body.length - countEscapeOctets(body) > maxBytes ? 'too-long' : 'malformed';
  }
  return to > maxBytes ? 'too-long' : frame.subarray(0, to);
}

/** Octets that the escapes of a body cost, as far as they are any. */
function countEscapeOctets(body: Uint8Array): number {
  let escapes = 0;
  for (let i = 0; i < body.length; i++) {
    if (body[i] !== ESC) continue;
    escapes++;
    i++;
  }
  return escapes;
}
