/** Between a producer that must not wait and a reader that may be slow: holds a bounded number of items, counts the rest. */

export interface FeedOptions {
  /** Items that wait for the reader; what comes on top is dropped. */
  readonly capacity: number;
  /** The reader has gone, or `end` was called: stop producing. Called once. */
  onClose?(): void;
}

/**
 * For the reader an async iterable, to be iterated once; it ends after `end`, when what waits has been read. A reader
 * that breaks off closes it.
 */
export class Feed<Item> implements AsyncIterableIterator<Item, undefined> {
  readonly #options: FeedOptions;
  readonly #items: Item[] = [];
  #waiting: ((result: IteratorResult<Item, undefined>) => void) | undefined;
  #closed = false;
  #dropped = 0;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /** Items that found no room, since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** False when it was dropped: no room, or nobody reads any more. */
  push(item: Item): boolean {
    if (this.#closed) return false;
    if (this.#waiting !== undefined) this.#answer({ done: false, value: item });
    else if (this.#items.length < this.#options.capacity) this.#items.push(item);
    else {
      this.#dropped++;
      return false;
    }
    return true;
  }

  /** No more will come. Idempotent. */
  end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#answer({ done: true, value: undefined });
    this.#options.onClose?.();
  }

  next(): Promise<IteratorResult<Item, undefined>> {
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve({ done: false, value: item });
    if (this.#closed) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  /** The reader needs no more. */
  return(): Promise<IteratorResult<Item, undefined>> {
    this.#items.length = 0;
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #answer(result: IteratorResult<Item, undefined>): void {
    this.#waiting?.(result);
    this.#waiting = undefined;
  }
}
