/** The octet streams that the fuzzer feeds to decoders: made cheaply, since there are ten million for each. */
import type { Random } from '../../src/base/random.js';

const SHORT_BYTES = 48;
/** Longer than any frame that the decoders here accept. */
const LONG_BYTES = 360;
/** One stream in so many is long. */
const LONG_EVERY = 64;
/** One octet in so many is special, but for every other long stream, which has neither specials nor zeros. */
const SPECIAL_EVERY = 32;

export class StreamMaker {
  readonly #random: Random;
  readonly #specials: Uint8Array;
  readonly #room = new Uint8Array(LONG_BYTES + 4);
  /** Octets that the last stream is the frame of, unharmed; 0 when it is anything else. */
  wholeBytes = 0;

  /** @param specials octets that mean something to the framing: more of them than chance would give */
  constructor(random: Random, specials: readonly number[]) {
    this.#random = random;
    this.#specials = Uint8Array.from(specials);
  }

  /** Octets of chance, good until the next call. */
  octets(): Uint8Array {
    const word = this.#random.uint32();
    const isLong = (word & (LONG_EVERY - 1)) === 0;
    const octets = this.exactly((word >>> 8) % (isLong ? LONG_BYTES : SHORT_BYTES));
    if (isLong && word >>> 31 === 0) for (let at = 0; at < octets.length; at++) octets[at] = 0x61 + (at % 16);
    return octets;
  }

  /** So many octets of chance, LONG_BYTES at the most, good until the next call. */
  exactly(bytes: number): Uint8Array {
    const room = this.#room;
    for (let at = 0; at < bytes; at += 4) {
      const word = this.#random.uint32();
      room[at] = word;
      room[at + 1] = word >>> 8;
      room[at + 2] = word >>> 16;
      room[at + 3] = word >>> 24;
      // The bits have been used: what the octets are says nothing about whether another one is made special.
      const choice = this.#random.uint32();
      if (choice % (SPECIAL_EVERY / 4) === 0) {
        room[at + ((choice >>> 8) & 3)] = this.#specials[(choice >>> 16) % this.#specials.length] ?? 0;
      }
    }
    return room.subarray(0, bytes);
  }

  /** A stream: pure chance, or a frame as it should be, with some octets changed or lost or none. Good until the next call. */
  stream(encode: (frame: Uint8Array) => Uint8Array): Uint8Array {
    const word = this.#random.uint32();
    const octets = this.octets();
    this.wholeBytes = 0;
    if ((word & 3) === 0) return octets;
    const changes = (word >>> 2) & 3;
    if (changes === 0) this.wholeBytes = octets.length;
    const line = encode(octets);
    this.mutate(line, changes);
    return line;
  }

  /** Changes some octets, or moves what stands behind over them. */
  mutate(line: Uint8Array, changes: number): void {
    for (let left = line.length === 0 ? 0 : changes; left > 0; left--) {
      const word = this.#random.uint32();
      const at = (word >>> 9) % line.length;
      if ((word & 1) === 0) line[at] = word >>> 1;
      else line.copyWithin(at, this.#random.uint32() % line.length);
    }
  }
}
