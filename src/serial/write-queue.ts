/** Octets that wait for the kernel, in order, with partial writes continued where they stopped. */
export class WriteQueue {
  readonly #chunks: Uint8Array[] = [];
  /** Chunks before this one are gone; they are cut off now and then. */
  #head = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a copy: the caller may use its buffer again. */
  add(octets: Uint8Array): void {
    if (octets.length === 0) return;
    this.#chunks.push(new Uint8Array(octets));
    this.#bytes += octets.length;
  }

  /** What is to be written next; undefined when nothing waits. */
  get first(): Uint8Array | undefined {
    return this.#chunks[this.#head];
  }

  /** The kernel took so many octets of `first`. */
  taken(bytes: number): void {
    const first = this.first;
    if (first === undefined) return;
    this.#bytes -= bytes;
    if (bytes < first.length) {
      this.#chunks[this.#head] = first.subarray(bytes);
      return;
    }
    this.#head++;
    if (this.#head >= 64 || this.#head === this.#chunks.length) {
      this.#chunks.splice(0, this.#head);
      this.#head = 0;
    }
  }

  /** Forgets everything; returns how many octets that were. */
  clear(): number {
    const bytes = this.#bytes;
    this.#chunks.length = 0;
    this.#head = 0;
    this.#bytes = 0;
    return bytes;
  }
}
