/**
 * Time for simulations: a scheduler whose clock jumps from one due call to the next. The same calls in the same order
 * give the same run, to the microsecond.
 */
import type { Cancel, Scheduler } from '../base/clock.js';
import { SluiceError } from '../base/errors.js';

/** One scheduled call; without a callback it has run or was cancelled. */
interface Entry {
  callback: (() => void) | undefined;
}

/** Below this many entries, cancelled ones are not worth sweeping out. */
const SWEEP_FROM_ENTRIES = 4096;

/**
 * A binary heap keyed by due time, then by order of scheduling. Keys stand in typed arrays beside the entries, so that a
 * comparison touches no object. Cancelled entries stay until they are due, or until they are most of the heap.
 */
export class VirtualTime implements Scheduler {
  #nowUs: number;
  #sequence = 0;
  #size = 0;
  #cancelled = 0;
  #eventsRun = 0;
  #due = new Float64Array(1024);
  #order = new Float64Array(1024);
  readonly #entries: (Entry | undefined)[] = [];

  constructor(startUs = 0) {
    this.#nowUs = startUs;
  }

  nowUs(): number {
    return this.#nowUs;
  }

  /** Calls that have run so far. */
  get eventsRun(): number {
    return this.#eventsRun;
  }

  /** When the next call is due, or undefined when none is waiting. */
  get nextDueUs(): number | undefined {
    this.#skipCancelled();
    return this.#size === 0 ? undefined : this.#due[0];
  }

  at(atUs: number, callback: () => void): Cancel {
    if (Number.isNaN(atUs)) throw new SluiceError('internal', 'a call was scheduled at a time that is not a number');
    const entry: Entry = { callback };
    this.#push(Math.max(Math.ceil(atUs), this.#nowUs), this.#sequence++, entry);
    return () => {
      if (entry.callback === undefined) return;
      entry.callback = undefined;
      this.#cancelled++;
      if (this.#size > SWEEP_FROM_ENTRIES && this.#cancelled * 2 > this.#size) this.#sweep();
    };
  }

  /** Runs the next call, and moves the clock to it. False when nothing is waiting. */
  step(): boolean {
    this.#skipCancelled();
    if (this.#size === 0) return false;
    this.#runFirst();
    return true;
  }

  /** Runs everything due until and at `untilUs`, then leaves the clock there. A time already past runs nothing. */
  runUntil(untilUs: number): void {
    for (;;) {
      this.#skipCancelled();
      if (this.#size === 0 || (this.#due[0] ?? 0) > untilUs) break;
      this.#runFirst();
    }
    if (untilUs > this.#nowUs) this.#nowUs = Math.floor(untilUs);
  }

  /** Runs everything due within the next `durationUs`. */
  runFor(durationUs: number): void {
    this.runUntil(this.#nowUs + durationUs);
  }

  /**
   * Runs until nothing is waiting.
   * @throws SluiceError `internal` after `maxEvents` calls: something schedules itself for ever.
   */
  runAll(maxEvents = 100_000_000): void {
    for (let events = 0; this.step(); events++) {
      if (events >= maxEvents)
        throw new SluiceError('internal', `virtual time did not come to rest in ${events} events`);
    }
  }

  #runFirst(): void {
    this.#nowUs = this.#due[0] ?? this.#nowUs;
    const entry = this.#pop();
    const callback = entry?.callback;
    // A canceller that comes from now on finds that there is nothing left to cancel.
    if (entry !== undefined) entry.callback = undefined;
    this.#eventsRun++;
    callback?.();
  }

  #skipCancelled(): void {
    while (this.#cancelled > 0 && this.#size > 0 && this.#entries[0]?.callback === undefined) {
      this.#pop();
      this.#cancelled--;
    }
  }

  #push(dueUs: number, order: number, entry: Entry): void {
    if (this.#size === this.#due.length) this.#grow();
    const due = this.#due;
    const orders = this.#order;
    const entries = this.#entries;
    let hole = this.#size++;
    // A new entry has the highest order number, so only an earlier time lets it rise.
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if ((due[parent] as number) <= dueUs) break;
      due[hole] = due[parent] as number;
      orders[hole] = orders[parent] as number;
      entries[hole] = entries[parent];
      hole = parent;
    }
    due[hole] = dueUs;
    orders[hole] = order;
    entries[hole] = entry;
  }

  #pop(): Entry | undefined {
    const entries = this.#entries;
    const first = entries[0];
    const last = --this.#size;
    const moved = entries[last];
    entries[last] = undefined;
    if (last > 0) this.#sink(0, this.#due[last] as number, this.#order[last] as number, moved);
    return first;
  }

  #sink(from: number, dueUs: number, order: number, entry: Entry | undefined): void {
    const due = this.#due;
    const orders = this.#order;
    const entries = this.#entries;
    const size = this.#size;
    let hole = from;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= size) break;
      let childDue = due[child] as number;
      const right = child + 1;
      if (right < size) {
        const rightDue = due[right] as number;
        if (rightDue < childDue || (rightDue === childDue && (orders[right] as number) < (orders[child] as number))) {
          child = right;
          childDue = rightDue;
        }
      }
      if (dueUs < childDue || (dueUs === childDue && order < (orders[child] as number))) break;
      due[hole] = childDue;
      orders[hole] = orders[child] as number;
      entries[hole] = entries[child];
      hole = child;
    }
    due[hole] = dueUs;
    orders[hole] = order;
    entries[hole] = entry;
  }

  #grow(): void {
    const due = new Float64Array(this.#due.length * 2);
    due.set(this.#due);
    this.#due = due;
    const order = new Float64Array(due.length);
    order.set(this.#order);
    this.#order = order;
  }

  /** Removes cancelled entries and rebuilds the heap from its middle down. */
  #sweep(): void {
    let kept = 0;
    for (let i = 0; i < this.#size; i++) {
      const entry = this.#entries[i];
      if (entry?.callback === undefined) continue;
      this.#due[kept] = this.#due[i] as number;
      this.#order[kept] = this.#order[i] as number;
      this.#entries[kept] = entry;
      kept++;
    }
    this.#entries.fill(undefined, kept, this.#size);
    this.#size = kept;
    this.#cancelled = 0;
    for (let i = (kept >> 1) - 1; i >= 0; i--) {
      this.#sink(i, this.#due[i] as number, this.#order[i] as number, this.#entries[i]);
    }
  }
}
