/** A line in memory, with a far end that a test holds. Octets pass in later turns of the event loop, as through a kernel. */
import { SluiceError } from '../../src/base/errors.js';
import type { Line, LineListener, LineStatistics } from '../../src/serial/line.js';
import { WriteQueue } from '../../src/serial/write-queue.js';

/** The other end of the fake, and what it can be told to do. */
export interface FakeFarEnd {
  /** Set to make the next openings fail. */
  absent: boolean;
  /** While false, octets pile up: first in the fake kernel, then in the line. */
  reading: boolean;
  /** All that has come out here. */
  received(): Uint8Array;
  send(octets: Uint8Array): void;
  hangUp(): void;
}

/** As much as the fake kernel takes from a line whose far end does not read. */
const KERNEL_BYTES = 4096;

export class FakeLine implements Line {
  readonly path: string;
  readonly far: FakeFarEnd;
  readonly #waiting = new WriteQueue();
  readonly #kernel = new WriteQueue();
  readonly #input: Uint8Array[] = [];
  readonly #received: Uint8Array[];
  #listener: LineListener | undefined;
  #opening = false;
  #abandoned = false;
  #bytesIn = 0;
  #bytesOut = 0;
  #bytesDropped = 0;

  constructor(path = '/dev/fake') {
    this.path = path;
    this.#received = [];
    let reading = true;
    const move = (): void => this.#move();
    this.far = {
      absent: false,
      get reading() {
        return reading;
      },
      set reading(value: boolean) {
        reading = value;
        setImmediate(move);
      },
      received: () => Buffer.concat(this.#received),
      send: (octets) => {
        this.#input.push(new Uint8Array(octets));
        setImmediate(() => this.#deliver());
      },
      hangUp: () => setImmediate(() => this.#hangUp()),
    };
  }

  get unwrittenBytes(): number {
    return this.#waiting.bytes;
  }

  get statistics(): LineStatistics {
    return { bytesIn: this.#bytesIn, bytesOut: this.#bytesOut, bytesDropped: this.#bytesDropped };
  }

  async open(listener: LineListener): Promise<void> {
    if (this.#listener !== undefined || this.#opening)
      throw new SluiceError('internal', `${this.path} is open already`);
    this.#opening = true;
    this.#abandoned = false;
    await new Promise((resolve) => setImmediate(resolve));
    this.#opening = false;
    if (this.far.absent || this.#abandoned) {
      throw new SluiceError('line', `cannot open ${this.path}`, { subject: this.path, remedy: 'Plug the fake in.' });
    }
    this.#listener = listener;
    this.#deliver();
  }

  write(octets: Uint8Array): void {
    if (this.#listener === undefined) {
      this.#bytesDropped += octets.length;
      return;
    }
    this.#waiting.add(octets);
    this.#move();
  }

  pendingInputBytes(): number {
    return this.#input.reduce((sum, octets) => sum + octets.length, 0);
  }

  async close(): Promise<void> {
    this.#abandoned = true;
    this.#end();
  }

  #deliver(): void {
    while (this.#listener !== undefined) {
      const octets = this.#input.shift();
      if (octets === undefined) return;
      this.#bytesIn += octets.length;
      this.#listener.data(octets);
    }
  }

  #move(): void {
    for (let first = this.#waiting.first; first && this.#listener && this.#kernel.bytes < KERNEL_BYTES; ) {
      const taken = first.subarray(0, KERNEL_BYTES - this.#kernel.bytes);
      this.#kernel.add(taken);
      this.#waiting.taken(taken.length);
      this.#bytesOut += taken.length;
      first = this.#waiting.first;
    }
    if (!this.far.reading || this.#kernel.bytes === 0) return;
    for (let first = this.#kernel.first; first; first = this.#kernel.first) {
      this.#received.push(first);
      this.#kernel.taken(first.length);
    }
    if (this.#waiting.bytes > 0) setImmediate(() => this.#move());
  }

  #hangUp(): void {
    const listener = this.#listener;
    this.#end();
    listener?.lost(new SluiceError('line', `lost ${this.path}`, { subject: this.path, remedy: 'Open it again.' }));
  }

  #end(): void {
    this.#listener = undefined;
    this.#bytesDropped += this.#waiting.clear();
  }
}
