/**
 * Captures of what passes between MAC and modem, one for each reader. While nobody reads, the MAC has no tap, and nothing
 * is copied. A reader that does not keep up loses frames of its capture, counted, and holds back nobody.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Mac } from '../mac/mac.js';
import type { AirFormat } from './air-formats.js';
import { type AirRecord, AirRecorder } from './air-recorder.js';

/** Frames that wait for one reader; with what the socket holds, about a second of the fastest line. */
const WAITING_MAX = 4096;
const WAITING_MAX_BYTES = 4 << 20;

/** How long the end of the daemon waits for readers. */
const LAST_WRITE_MS = 500;
const LAST_WRITE_LOOK_MS = 5;

const US = 1000;

export interface CaptureStatus {
  readonly readers: number;
  /** Frames that passed while somebody captured, counted for each reader. */
  readonly frames: number;
  /** Those of them that a reader was too slow for. */
  readonly dropped: number;
}

export class AirCapture {
  readonly #mac: Pick<Mac, 'tap'>;
  readonly #readers = new Set<Reader>();
  readonly #gone = { frames: 0, dropped: 0 };
  #recorder: AirRecorder | undefined;
  /** Captures whose file is not at its end yet. */
  #writing = 0;

  constructor(mac: Pick<Mac, 'tap'>) {
    this.#mac = mac;
  }

  status(): CaptureStatus {
    let { frames, dropped } = this.#gone;
    for (const reader of this.#readers) {
      frames += reader.seen;
      dropped += reader.dropped;
    }
    return { readers: this.#readers.size, frames, dropped };
  }

  /**
   * A capture as it comes about: the items of its format.
   * @param finish aborted: complete it
   * @param gone aborted: nobody reads any more
   */
  async *read<Item>(
    format: AirFormat<Item>,
    finish: AbortSignal,
    gone: AbortSignal,
  ): AsyncGenerator<Item, void, undefined> {
    const reader = new Reader();
    const end = (): void => this.#end(reader);
    for (const signal of [finish, gone]) signal.addEventListener('abort', end);
    this.#begin(reader);
    this.#writing++;
    try {
      if (finish.aborted || gone.aborted) end();
      yield* format.start();
      for (;;) {
        const next = await reader.next();
        if (next === undefined) break;
        yield format.frame(next.record, next.droppedBefore);
      }
      yield format.end({ frames: reader.seen, dropped: reader.dropped, startUs: reader.startUs });
    } finally {
      for (const signal of [finish, gone]) signal.removeEventListener('abort', end);
      this.#end(reader);
      this.#writing--;
    }
  }

  /** Ends every capture in order: readers get what there is, and the end of their file, if they take it soon. */
  async close(): Promise<void> {
    this.#recorder?.end();
    for (const reader of this.#readers) this.#end(reader);
    const untilMs = performance.now() + LAST_WRITE_MS;
    while (this.#writing > 0 && performance.now() < untilMs) await sleep(LAST_WRITE_LOOK_MS);
  }

  #begin(reader: Reader): void {
    this.#readers.add(reader);
    if (this.#recorder !== undefined) return;
    // Once for as long as anybody reads: the clock that only grows, set to the time of day.
    const originMs = Date.now() - performance.now();
    this.#recorder = new AirRecorder({
      clockUs: () => Math.round((originMs + performance.now()) * US),
      record: (record) => {
        for (const each of this.#readers) each.take(record);
      },
    });
    this.#mac.tap = this.#recorder;
  }

  #end(reader: Reader): void {
    if (!this.#readers.has(reader)) return;
    // The last one takes what is held back along; the others see it when it is decided.
    if (this.#readers.size === 1) this.#recorder?.end();
    this.#readers.delete(reader);
    reader.end();
    this.#gone.frames += reader.seen;
    this.#gone.dropped += reader.dropped;
    if (this.#readers.size > 0) return;
    this.#mac.tap = null;
    this.#recorder = undefined;
  }
}

interface Waiting {
  readonly record: AirRecord;
  readonly droppedBefore: number;
}

/** One capture: a bounded queue of records, made into what the reader gets only when it is written. */
class Reader {
  seen = 0;
  dropped = 0;
  readonly startUs = Date.now() * US;
  readonly #queue: Waiting[] = [];
  #queuedBytes = 0;
  #droppedSince = 0;
  #ended = false;
  #wake: (() => void) | undefined;

  take(record: AirRecord): void {
    this.seen++;
    if (this.#queue.length >= WAITING_MAX || this.#queuedBytes > WAITING_MAX_BYTES) {
      this.dropped++;
      this.#droppedSince++;
      return;
    }
    this.#queue.push({ record, droppedBefore: this.#droppedSince });
    this.#queuedBytes += record.octets.length;
    this.#droppedSince = 0;
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** The oldest that waits, as soon as there is one; undefined after the last. */
  async next(): Promise<Waiting | undefined> {
    while (this.#queue.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const oldest = this.#queue.shift();
    this.#queuedBytes -= oldest?.record.octets.length ?? 0;
    return oldest;
  }
}
