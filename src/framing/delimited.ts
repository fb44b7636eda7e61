/**
 * Finds what lies between delimiters that never occur inside a frame: the common part of SLIP, KISS, HDLC, COBS and text.
 *
 * Every octet pushed is a delimiter, part of a body handed out, reported as discarded, or held. Bodies that came whole in
 * one push are handed out without a copy; only unfinished ones are kept, in one buffer that grows up to a bound.
 */
import { SluiceError } from '../base/errors.js';
import type { DiscardCause } from './codec.js';

export interface DelimitedOptions {
  /** Where the next delimiter stands at or after `from`, or -1. */
  find(octets: Uint8Array, from: number): number;
  /** The longest body that can still be a frame, in octets of the line (escapes included). */
  readonly maxBodyBytes: number;
  /** Whether octets before the first delimiter are noise; otherwise they begin a frame. */
  readonly startsWithDelimiter: boolean;
  /** Takes bodies that came whole: see `WholeBodies`. */
  readonly whole?: WholeBodies;
}

/** What may take well-formed bodies several at a time, and leave the rest to the reader. */
export interface WholeBodies {
  /**
   * Looks at what begins at `from`, behind a delimiter. @returns where it stopped, behind a delimiter or at `from`; -1 less
   * that position where no delimiter follows
   */
  take(octets: Uint8Array, from: number): number;
  /** Hands out one of those that it took. @returns the position behind its delimiter, or -1 when there is none left */
  next(): number;
}

export interface DelimitedSink {
  /** A body of at least one octet, without its delimiters; the view is only good during the call. */
  body(octets: Uint8Array): void;
  discard(cause: DiscardCause, octets: number): void;
}

/** Finds one delimiting octet; `indexOf` is native code. */
export function finder(delimiter: number): DelimitedOptions['find'] {
  return (octets, from) => octets.indexOf(delimiter, from);
}

/** First size of the buffer for unfinished frames; it doubles as needed. */
const FIRST_BUFFER_BYTES = 256;

export class DelimitedReader {
  readonly #options: DelimitedOptions;
  readonly #sink: DelimitedSink;
  #held: Uint8Array;
  #heldBytes = 0;
  /** Why the octets that come until the next delimiter are thrown away, if they are. */
  #skipCause: DiscardCause | undefined;
  #skippedBytes = 0;
  #resets = 0;

  constructor(options: DelimitedOptions, sink: DelimitedSink) {
    this.#options = options;
    this.#sink = sink;
    this.#held = new Uint8Array(Math.min(FIRST_BUFFER_BYTES, options.maxBodyBytes));
    this.#skipCause = options.startsWithDelimiter ? 'noise' : undefined;
  }

  /** Octets since the last delimiter: kept for a frame, or not yet reported as discarded. */
  get heldOctets(): number {
    return this.#heldBytes + this.#skippedBytes;
  }

  push(octets: Uint8Array): void {
    let start = 0;
    while (start < octets.length) {
      const stop = this.#takeWhole(octets, start);
      start = stop < 0 ? -1 - stop : stop;
      if (start === octets.length) return;
      const end = stop < 0 ? -1 : this.#options.find(octets, start);
      if (end < 0) {
        this.#keep(octets.subarray(start));
        return;
      }
      if (this.#skipCause !== undefined || end > start || this.#heldBytes > 0) this.#finish(octets, start, end);
      start = end + 1;
    }
  }

  /** Starts afresh; an unfinished frame is reported as `aborted`. */
  reset(): void {
    this.#resets++;
    const cause = this.#skipCause ?? 'aborted';
    const bytes = this.heldOctets;
    this.#heldBytes = 0;
    this.#skippedBytes = 0;
    this.#skipCause = this.#options.startsWithDelimiter ? 'noise' : undefined;
    if (bytes > 0) this.#sink.discard(cause, bytes);
  }

  /** Gives where it stopped; -1 less that position where no delimiter follows. */
  #takeWhole(octets: Uint8Array, from: number): number {
    const { whole } = this.#options;
    if (whole === undefined || this.#heldBytes > 0 || this.#skipCause !== undefined) return from;
    const stop = whole.take(octets, from);
    const resets = this.#resets;
    for (let behind = whole.next(); behind >= 0; behind = whole.next()) {
      // Whoever took the frame started us afresh: what follows is not for those that wait.
      if (this.#resets !== resets) return behind;
    }
    return stop;
  }

  /** The delimiter at `end` closes what is held and what stands at `start`. */
  #finish(octets: Uint8Array, start: number, end: number): void {
    const bytes = this.heldOctets + end - start;
    const cause = this.#skipCause ?? (bytes > this.#options.maxBodyBytes ? 'too-long' : undefined);
    if (cause !== undefined) {
      this.#heldBytes = 0;
      this.#skippedBytes = 0;
      this.#skipCause = undefined;
      if (bytes > 0) this.#sink.discard(cause, bytes);
      return;
    }
    if (this.#heldBytes === 0) {
      this.#sink.body(octets.subarray(start, end));
      return;
    }
    this.#append(octets.subarray(start, end));
    this.#heldBytes = 0;
    this.#sink.body(this.#held.subarray(0, bytes));
  }

  /** Octets without a delimiter: kept, or counted when they can become no frame. */
  #keep(octets: Uint8Array): void {
    const { maxBodyBytes } = this.#options;
    if (this.#skipCause === undefined && this.#heldBytes + octets.length <= maxBodyBytes) {
      this.#append(octets);
      return;
    }
    const cause = this.#skipCause ?? 'too-long';
    const bytes = this.heldOctets + octets.length;
    this.#skipCause = cause;
    this.#heldBytes = 0;
    // One report per broken frame, but an endless stream is reported as it goes.
    this.#skippedBytes = bytes > maxBodyBytes ? 0 : bytes;
    if (bytes > maxBodyBytes) this.#sink.discard(cause, bytes);
  }

  #append(octets: Uint8Array): void {
    const bytes = this.#heldBytes + octets.length;
    if (bytes > this.#held.length) {
      const grown = new Uint8Array(Math.min(Math.max(2 * this.#held.length, bytes), this.#options.maxBodyBytes));
      grown.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = grown;
    }
    this.#held.set(octets, this.#heldBytes);
    this.#heldBytes = bytes;
  }
}

/** @throws SluiceError `internal` for a bound that is not a positive integer. */
export function requireBound(maxFrameBytes: number): number {
  if (Number.isSafeInteger(maxFrameBytes) && maxFrameBytes > 0) return maxFrameBytes;
  throw new SluiceError('internal', `a frame bound must be a positive integer, not ${maxFrameBytes}`);
}
