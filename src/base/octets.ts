/**
 * Room for frames, cut from larger pieces. A buffer of its own for each frame costs more than copying the frame does: an
 * allocation outside of V8's heap, which its garbage collector has to look after one by one.
 */

/** Ten full frames of Ethernet. Whoever keeps one frame keeps the whole piece, so not more. */
const PIECE_BYTES = 16_384;
/** What is longer gets a buffer of its own, so that little of a piece is left over. */
const LONGEST_CUT_BYTES = PIECE_BYTES / 4;

let piece = new ArrayBuffer(PIECE_BYTES);
let usedBytes = 0;

/** So many octets, all zero, the caller's to keep. The buffer behind them is shared with others: mind `byteOffset`. */
export function roomFor(bytes: number): Uint8Array {
  if (bytes > LONGEST_CUT_BYTES) return new Uint8Array(bytes);
  if (usedBytes + bytes > PIECE_BYTES) {
    piece = new ArrayBuffer(PIECE_BYTES);
    usedBytes = 0;
  }
  const room = new Uint8Array(piece, usedBytes, bytes);
  usedBytes += bytes;
  return room;
}

/** A copy of these octets, in such room. */
export function copyOf(octets: Uint8Array): Uint8Array {
  const copy = roomFor(octets.length);
  copy.set(octets);
  return copy;
}

/** Whether both have the same octets, and equally many. */
export function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
