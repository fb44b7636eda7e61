/**
 * The sender's half of the ARQ towards one station: frames that were pulled and are not settled yet, in order. Each burst
 * offers all that are open; the answer settles some; what was offered too often is given up, and the window moves on
 * without it.
 */
import { WINDOW } from '../wire/link-frame.js';
import { sequenceAfter, sequenceDistance } from './sequence.js';

/** What the outbox needs to know of an item; the rest is its owner's. */
export interface OpenFrame<Item> {
  readonly item: Item;
  readonly sequence: number;
  attempts: number;
  acknowledged: boolean;
}

/** An acknowledgement: everything before `next` has arrived, and those of `next` and after whose bit is set. */
export interface Acknowledgement {
  readonly next: number;
  /** Bit i: `next` + i has arrived. Bit 0 is never set. */
  readonly bitmap: number;
}

/** Whether an acknowledgement says of this frame that it has arrived. */
export function saysArrived({ next, bitmap }: Acknowledgement, sequence: number): boolean {
  const before = sequenceDistance(sequence, next);
  return (before > 0 && before <= WINDOW) || ((bitmap >> sequenceDistance(next, sequence)) & 1) === 1;
}

export class Outbox<Item> {
  readonly #open: OpenFrame<Item>[] = [];
  #nextSequence: number;

  constructor(firstSequence: number) {
    this.#nextSequence = firstSequence;
  }

  get size(): number {
    return this.#open.length;
  }

  get isFull(): boolean {
    const oldest = this.#open[0];
    return oldest !== undefined && sequenceDistance(oldest.sequence, this.#nextSequence) >= WINDOW;
  }

  /** Frames that still wait for their acknowledgement, oldest first. */
  get unacknowledged(): readonly OpenFrame<Item>[] {
    return this.#open.filter((frame) => !frame.acknowledged);
  }

  /** Opens a frame. Only while not full. */
  add(item: Item): OpenFrame<Item> {
    const frame = { item, sequence: this.#nextSequence, attempts: 0, acknowledged: false };
    this.#nextSequence = sequenceAfter(this.#nextSequence);
    this.#open.push(frame);
    return frame;
  }

  /** How far the oldest open frame lies behind this one: tells the receiver that everything older is settled. */
  behind(frame: OpenFrame<Item>): number {
    return sequenceDistance(this.#open[0]?.sequence ?? frame.sequence, frame.sequence);
  }

  /** Takes an answer. Gives the frames that it acknowledged for the first time; an answer that makes no sense gives none. */
  acknowledge({ next, bitmap }: Acknowledgement): OpenFrame<Item>[] {
    const oldest = this.#open[0];
    if (oldest === undefined) return [];
    const upToNext = sequenceDistance(oldest.sequence, next);
    // An old answer, or one to somebody who had our number before.
    if (upToNext > sequenceDistance(oldest.sequence, this.#nextSequence)) return [];
    const fresh: OpenFrame<Item>[] = [];
    for (const frame of this.#open) {
      const position = sequenceDistance(oldest.sequence, frame.sequence);
      const arrived = position < upToNext || ((bitmap >> (position - upToNext)) & 1) === 1;
      if (!arrived || frame.acknowledged) continue;
      frame.acknowledged = true;
      fresh.push(frame);
    }
    this.#settle();
    return fresh;
  }

  /** Gives up those that `hopeless` says of; they are out, whatever comes. */
  giveUp(hopeless: (frame: OpenFrame<Item>) => boolean): OpenFrame<Item>[] {
    const gone = this.unacknowledged.filter(hopeless);
    for (const frame of gone) this.#open.splice(this.#open.indexOf(frame), 1);
    this.#settle();
    return gone;
  }

  /** What stands before the first unacknowledged frame is history. */
  #settle(): void {
    while (this.#open[0]?.acknowledged === true) this.#open.shift();
  }
}
