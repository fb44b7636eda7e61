/** The octet stuffing that SLIP and KISS share (RFC 1055; KA9Q/K3MC KISS): C0 delimits, DB escapes. */
import { nativeLoops } from '../base/octet-loops.js';
import { copyOf, roomFor } from '../base/octets.js';
import type { DiscardCause } from './codec.js';

/** Frame delimiter: END in RFC 1055, FEND in KISS. */
export const END = 0xc0;
/** Escape: ESC in RFC 1055, FESC in KISS. */
export const ESC = 0xdb;
/** After ESC: an END of the data (ESC_END, TFEND). */
export const ESC_END = 0xdc;
/** After ESC: an ESC of the data (ESC_ESC, TFESC). */
export const ESC_ESC = 0xdd;

/**
 * Writes `octets` escaped into `target` from `at` on, which has room for twice as many. Returns the position after.
 * They are laid behind the room that escapes may need and moved forward run by run: native code finds and moves the runs.
 */
export function escapeInto(octets: Uint8Array, target: Uint8Array, at: number): number {
  const { length } = octets;
  const native = nativeLoops(length);
  if (native !== undefined) return native.escapeInto(octets, target, at);
  let end = indexOrLength(octets, END, 0);
  let esc = indexOrLength(octets, ESC, 0);
  if (end === esc) {
    target.set(octets, at);
    return at + length;
  }
  const source = at + length;
  target.set(octets, source);
  let to = at;
  let from = 0;
  for (;;) {
    const next = Math.min(end, esc);
    target.copyWithin(to, source + from, source + next);
    to += next - from;
    if (next === length) return to;
    from = next + 1;
    target[to++] = ESC;
    if (next === end) {
      target[to++] = ESC_END;
      end = indexOrLength(octets, END, from);
    } else {
      target[to++] = ESC_ESC;
      esc = indexOrLength(octets, ESC, from);
    }
  }
}

function indexOrLength(octets: Uint8Array, octet: number, from: number): number {
  const at = octets.indexOf(octet, from);
  return at < 0 ? octets.length : at;
}

/** The octets that `body` stands for, in a buffer of their own; or why it is none. */
export function undoEscapes(body: Uint8Array, maxBytes: number): Uint8Array | DiscardCause {
  const native = nativeLoops(body.length);
  if (native !== undefined) {
    const room = roomFor(body.length);
    const bytes = native.unescapeInto(body, room);
    if (bytes >= 0) return bytes > maxBytes ? 'too-long' : room.subarray(0, bytes);
  }
  let escapeAt = body.indexOf(ESC);
  if (escapeAt < 0) return body.length > maxBytes ? 'too-long' : copyOf(body);
  // A copy in which the runs after each escape move to the front; what the escapes have saved is left over.
  const frame = copyOf(body);
  let to = escapeAt;
  while (escapeAt >= 0) {
    const escaped = body[escapeAt + 1];
    if (escaped !== ESC_END && escaped !== ESC_ESC) {
      return body.length - countEscapeOctets(body) > maxBytes ? 'too-long' : 'malformed';
    }
    frame[to++] = escaped === ESC_END ? END : ESC;
    const from = escapeAt + 2;
    escapeAt = body.indexOf(ESC, from);
    const runEnd = escapeAt < 0 ? body.length : escapeAt;
    frame.copyWithin(to, from, runEnd);
    to += runEnd - from;
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
