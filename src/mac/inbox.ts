/**
 * The receiver's half of the ARQ from one station: gives frames upwards in order and once, holds back what came too early,
 * and knows what to acknowledge.
 */

import { SEQUENCES, WINDOW } from '../wire/link-frame.js';
import type { Acknowledgement } from './outbox.js';
import { sequenceAfter, sequenceDistance } from './sequence.js';

export interface Arrival {
  readonly sequence: number;
  /** The sender's oldest open frame lies so far behind this one. */
  readonly behind: number;
  readonly retry: boolean;
}

export interface Taken<Item> {
  /** What can go upwards now, in order. */
  readonly ready: readonly Item[];
  /** False for a duplicate, which may settle others all the same. */
  readonly isNew: boolean;
}

export class Inbox<Item> {
  /** The number that comes next; undefined before the first frame. */
  #next: number | undefined;
  readonly #held = new Map<number, Item>();

  /** What to answer now. */
  get acknowledgement(): Acknowledgement {
    const next = this.#next ?? 0;
    let bitmap = 0;
    for (const sequence of this.#held.keys()) bitmap |= 1 << sequenceDistance(next, sequence);
    return { next, bitmap };
  }

  /** Items held back because an earlier one is missing. */
  get held(): number {
    return this.#held.size;
  }

  /** Before the first frame: what to expect. Afterwards it says nothing new. */
  startAt(sequence: number): void {
    this.#next ??= sequence;
  }

  /**
   * Takes a frame.
   * A first transmission can never be older than what was expected, or held; if it is, the sender has started anew.
   */
  take({ sequence, behind, retry }: Arrival, item: Item): Taken<Item> {
    const oldest = sequenceAfter(sequence, SEQUENCES - behind);
    if (this.#next === undefined || (!retry && !this.#isNewest(sequence))) {
      const flushed = this.flush();
      this.#next = oldest;
      return { ready: [...flushed, ...(this.#accept(sequence, item) ?? [])], isNew: true };
    }
    // Everything before the sender's oldest open frame is settled: it will not come any more.
    const skipped = this.#isAhead(oldest) ? this.#skipTo(oldest) : [];
    const accepted = this.#isAhead(sequence) ? this.#accept(sequence, item) : null;
    return { ready: [...skipped, ...(accepted ?? [])], isNew: accepted !== null };
  }

  #isAhead(sequence: number): boolean {
    return this.#next !== undefined && sequenceDistance(this.#next, sequence) < SEQUENCES / 2;
  }

  #isNewest(sequence: number): boolean {
    const next = this.#next ?? 0;
    const held = [...this.#held.keys()];
    const distance = sequenceDistance(next, sequence);
    return this.#isAhead(sequence) && held.every((each) => sequenceDistance(next, each) < distance);
  }

  #accept(sequence: number, item: Item): Item[] | null {
    if (this.#held.has(sequence)) return null;
    const next = this.#next ?? sequence;
    if (sequenceDistance(next, sequence) >= WINDOW) return null;
    this.#held.set(sequence, item);
    return this.#inOrder();
  }

  #inOrder(): Item[] {
    const ready: Item[] = [];
    while (this.#next !== undefined) {
      const item = this.#held.get(this.#next);
      if (item === undefined) break;
      ready.push(item);
      this.#held.delete(this.#next);
      this.#next = sequenceAfter(this.#next);
    }
    return ready;
  }

  #skipTo(oldest: number): Item[] {
    const ready: Item[] = [];
    while (this.#next !== undefined && this.#next !== oldest) {
      const item = this.#held.get(this.#next);
      if (item !== undefined) ready.push(item);
      this.#held.delete(this.#next);
      this.#next = sequenceAfter(this.#next);
    }
    return [...ready, ...this.#inOrder()];
  }

  /** Waits no longer for what is missing: gives all that is held, in order. */
  flush(): Item[] {
    const next = this.#next ?? 0;
    const furthest = Math.max(...[...this.#held.keys()].map((sequence) => sequenceDistance(next, sequence)), -1);
    this.#next = sequenceAfter(next, furthest + 1);
    const items = [...this.#held.entries()]
      .sort(([left], [right]) => sequenceDistance(next, left) - sequenceDistance(next, right))
      .map(([, item]) => item);
    this.#held.clear();
    return items;
  }
}
