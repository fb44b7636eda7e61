/** A first-in first-out queue of octets. */

export class OctetQueue {
  readonly #chunks: Uint8Array[] = [];
  /** Octets of the first chunk that are gone already. */
  #offset = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Takes a copy: the caller may use its buffer again. */
  push(octets: Uint8Array): void {
    if (octets.length === 0) return;
    this.#chunks.push(octets.slice());
    this.#length += octets.length;
  }

  peek(): number | undefined {
    return this.#chunks[0]?.[this.#offset];
  }

  shift(): number | undefined {
    const octet = this.peek();
    if (octet === undefined) return undefined;
    this.#length--;
    this.#offset++;
    if (this.#offset === this.#chunks[0]?.length) {
      this.#chunks.shift();
      this.#offset = 0;
    }
    return octet;
  }

  /** Everything, as one piece; the queue is empty afterwards. */
  takeAll(): Uint8Array {
    const all = new Uint8Array(this.#length);
    let at = 0;
    for (const [index, chunk] of this.#chunks.entries()) {
      const rest = index === 0 ? chunk.subarray(this.#offset) : chunk;
      all.set(rest, at);
      at += rest.length;
    }
    this.#chunks.length = 0;
    this.#offset = 0;
    this.#length = 0;
    return all;
  }
}
