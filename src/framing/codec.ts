/**
 * The bounded codec interface: what a host and its modem share to mark where a frame starts and ends.
 * Decoders take octets in any split, never hold more than one frame of the greatest length, resynchronise by themselves,
 * and account for every octet: each went into a frame, was a delimiter or escape of one, or is reported as discarded.
 */

/** Why octets became no frame. */
export type DiscardCause =
  /** Octets before the first delimiter, or between frames where none may be. */
  | 'noise'
  /** A broken escape sequence, or a frame that contradicts itself. */
  | 'malformed'
  /** A frame longer than the decoder accepts. */
  | 'too-long'
  /** A frame check of the line framing itself failed. */
  | 'check'
  /** A frame aborted by its sender, or unfinished when the decoder was reset. */
  | 'aborted';

export interface FrameSink {
  /** One decoded frame; the octets are the receiver's to keep. */
  frame(octets: Uint8Array): void;
  /** So many octets of the line (as they came, delimiters and escapes included) were thrown away. */
  discard(cause: DiscardCause, octets: number): void;
}

export interface Decoder {
  push(octets: Uint8Array): void;
  /** Forgets a half-received frame (reported as `aborted`), for a line that was lost and is back. */
  reset(): void;
  /** Octets of a frame that has begun and not ended. */
  readonly heldOctets: number;
}

export interface Codec {
  /** The frame as it goes to the line, delimiters included. */
  encode(frame: Uint8Array): Uint8Array;
  /** The same, written to `target` from `at` on, where there is room for the worst case. @returns the position after */
  encodeInto?(frame: Uint8Array, target: Uint8Array, at: number): number;
  decoder(sink: FrameSink): Decoder;
  /** The most octets that `encode` makes of a frame of this length. */
  maxEncodedBytes(frameBytes: number): number;
}
