/** Where `sluice capture` writes: a file or standard output, no faster than it is taken. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { SluiceError } from '../base/errors.js';

export class CaptureOutput {
  readonly #path: string;
  readonly #stream: Writable;
  readonly #stop: AbortSignal;
  #failure: SluiceError | undefined;

  /**
   * Standard output, unless a file is named. A reader of it that has gone ends the whole program, see main.ts.
   * @param stop aborted: wait for nobody any more
   */
  constructor(path: string | undefined, stop: AbortSignal) {
    this.#path = path ?? '-';
    this.#stop = stop;
    if (path === '-' && process.stdout.isTTY) {
      throw new SluiceError('usage', '-w -: a capture is no text for a terminal', {
        remedy: 'Pipe it somewhere, name a file, or leave -w out for a line of text a frame.',
      });
    }
    this.#stream = this.#path === '-' ? process.stdout : createWriteStream(this.#path);
    this.#stream.once('error', (cause) => {
      this.#failure = new SluiceError('usage', `-w ${path}: ${cause.message}`, {
        subject: this.#path,
        remedy: 'Name a file in a folder that can be written and has room.',
        cause,
      });
    });
  }

  /** Settles once more may be written. @throws SluiceError `usage` when the file cannot be written */
  async write(data: Uint8Array | string): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (!this.#stream.write(data)) await this.#next('drain');
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Throws as `write` does. */
  async close(): Promise<void> {
    if (this.#path !== '-') {
      this.#stream.end();
      if (!this.#stream.closed) await this.#next('close');
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** A failure comes as an event and is told by the caller. */
  async #next(event: 'drain' | 'close'): Promise<void> {
    try {
      await once(this.#stream, event, { signal: this.#stop });
    } catch (cause) {
      if (!this.#stop.aborted && this.#failure === undefined) throw cause;
    }
  }
}
