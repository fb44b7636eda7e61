/**
 * One decoder under streams of chance. What is not accounted for yet is kept here a second time: each frame must stand at
 * its front, as a reference reads it, each discard takes octets from its front, delimiters between them go by themselves, and
 * what is left must be what the decoder says it holds. A frame that came unharmed must come out. The same streams in two pieces, cut anywhere, must give the same.
 */
import type { Random } from '../../src/base/random.js';
import type { Decoder } from '../../src/framing/codec.js';
import { StreamMaker } from './fuzz-streams.js';
import { MAX_FRAME_BYTES, type Subject } from './fuzz-subjects.js';

/** More than any decoder holds and a stream brings. */
const OPEN_BYTES = 8192;
/** Every decoder takes a frame of so many octets; that of counted lines no more, whose count is one octet. */
const SURE_BYTES = 255;
/** Streams between two resets of the decoders. */
const RESET_EVERY = 1024;

export interface FuzzCount {
  streams: number;
  octets: number;
  frames: number;
  discarded: number;
  /** Octets that became neither frame nor discard nor delimiter, or did so twice; frames that are none, or too long. */
  wrong: number;
  mostHeld: number;
}

/** @param progress told the number of streams done, ten times on the way */
export function fuzzDecoder(
  subject: Subject,
  streams: number,
  random: Random,
  progress: (streams: number) => void = () => undefined,
): FuzzCount {
  const count: FuzzCount = { streams, octets: 0, frames: 0, discarded: 0, wrong: 0, mostHeld: 0 };
  const maker = new StreamMaker(random, subject.specials);
  const [whole, pieces] = [new Watched(subject), new Watched(subject)];
  const encode = (frame: Uint8Array): Uint8Array => subject.encode(frame);
  const tenth = Math.ceil(streams / 10);
  for (let i = 1; i <= streams; i++) {
    const stream = maker.stream(encode);
    const cut = stream.length === 0 ? 0 : random.uint32() % stream.length;
    const { frames } = whole;
    const isFree = whole.isFree;
    whole.push(stream);
    // What nothing stands in front of, and nobody has harmed, is a frame.
    if (isFree && maker.wholeBytes > 0 && maker.wholeBytes <= SURE_BYTES && whole.frames === frames) count.wrong++;
    pieces.push(stream.subarray(0, cut));
    pieces.push(stream.subarray(cut));
    count.octets += stream.length;
    count.mostHeld = Math.max(count.mostHeld, whole.decoder.heldOctets);
    if (!whole.agrees(pieces)) count.wrong++;
    if (i % RESET_EVERY === 0) {
      whole.reset();
      pieces.reset();
    }
    if (i % tenth === 0) progress(i);
  }
  whole.reset();
  pieces.reset();
  count.frames = whole.frames;
  count.discarded = whole.discarded;
  count.wrong += whole.wrong + pieces.wrong;
  return count;
}

class Watched {
  readonly decoder: Decoder;
  frames = 0;
  frameOctets = 0;
  discarded = 0;
  wrong = 0;
  readonly #isDelimiter = new Uint8Array(256);
  readonly #hasDelimiters: boolean;
  readonly #open = new Uint8Array(OPEN_BYTES);
  #start = 0;
  #end = 0;

  constructor({ decoder, delimiters, reference }: Subject) {
    this.#hasDelimiters = delimiters.length > 0;
    for (const delimiter of delimiters) this.#isDelimiter[delimiter] = 1;
    this.decoder = decoder({
      frame: (content, type) => {
        this.frames++;
        this.frameOctets += content.length;
        this.#skipDelimiters(0);
        const next = reference(this.#open, this.#start, this.#end, content, type);
        if (next < 0 || content.length > MAX_FRAME_BYTES) this.wrong++;
        else this.#start = next;
      },
      discard: (octets) => {
        this.discarded += octets;
        this.#skipDelimiters(0);
        this.#start += octets;
        if (octets <= 0 || this.#start > this.#end) this.wrong++;
      },
      wrong: () => {
        this.wrong++;
      },
    });
  }

  /** The last octet ended something: what comes now begins something. */
  get isFree(): boolean {
    const last = this.#open[this.#end - 1];
    const hasEnded = !this.#hasDelimiters || last === undefined || this.#isDelimiter[last] === 1;
    return hasEnded && this.decoder.heldOctets === 0;
  }

  push(octets: Uint8Array): void {
    if (this.#end + octets.length > OPEN_BYTES) {
      this.#open.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    this.#open.set(octets, this.#end);
    this.#end += octets.length;
    this.decoder.push(octets);
    this.#settle();
  }

  reset(): void {
    this.decoder.reset();
    if (this.decoder.heldOctets !== 0) this.wrong++;
    this.#settle();
  }

  agrees(other: Watched): boolean {
    const same = this.frames === other.frames && this.frameOctets === other.frameOctets;
    // What is too long is reported as it comes: earlier or later, by the pieces.
    return same && this.#gone === other.#gone;
  }

  get #gone(): number {
    return this.discarded + this.decoder.heldOctets;
  }

  /** What is left must be what is held; after a fault it is made so, so that one is counted as one. */
  #settle(): void {
    const { heldOctets } = this.decoder;
    this.#skipDelimiters(heldOctets);
    if (this.#end - this.#start === heldOctets) return;
    this.wrong++;
    this.#start = Math.max(0, this.#end - heldOctets);
  }

  #skipDelimiters(keep: number): void {
    while (this.#end - this.#start > keep && this.#isDelimiter[this.#open[this.#start] ?? 0] === 1) this.#start++;
  }
}
