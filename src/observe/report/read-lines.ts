/** Lines of a log file or stream, one after the other, in bounded memory whatever it holds. Compressed rotated files too. */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** Ours have a kilobyte or so. */
export const MAX_LINE_BYTES = 65_536;
const NEWLINE = 10;

export interface LineSink {
  line(text: string): void;
  /** What follows the last newline, if anything. */
  rest(text: string): void;
  /** A line of more than `MAX_LINE_BYTES`, which is not kept. */
  tooLong(): void;
}

/** Cuts octets into lines; UTF-8 that is broken becomes replacement characters. */
export class LineCutter {
  readonly #sink: LineSink;
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #tooLong = false;

  constructor(sink: LineSink) {
    this.#sink = sink;
  }

  push(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      this.#keep(chunk.subarray(from, end));
      if (this.#tooLong) this.#sink.tooLong();
      else this.#sink.line(this.#text());
      this.#clear();
      from = end + 1;
    }
    this.#keep(chunk.subarray(from));
  }

  end(): void {
    if (this.#tooLong) this.#sink.tooLong();
    else if (this.#keptBytes > 0) this.#sink.rest(this.#text());
    this.#clear();
  }

  #keep(part: Buffer): void {
    if (this.#tooLong || part.length === 0) return;
    this.#keptBytes += part.length;
    if (this.#keptBytes > MAX_LINE_BYTES) {
      this.#clear();
      this.#tooLong = true;
    } else {
      this.#kept.push(part);
    }
  }

  #text(): string {
    const [only, ...others] = this.#kept;
    if (only === undefined) return '';
    return (others.length === 0 ? only : Buffer.concat(this.#kept)).toString('utf8');
  }

  #clear(): void {
    this.#kept = [];
    this.#keptBytes = 0;
    this.#tooLong = false;
  }
}

/**
 * Reads a file to its end; one whose name ends in `.gz` is unpacked, `-` is standard input.
 * @throws Error when it cannot be read, or what is packed is broken; the lines before that have been handed over
 */
export async function readLines(path: string, sink: LineSink): Promise<void> {
  const cutter = new LineCutter(sink);
  try {
    for await (const chunk of open(path)) cutter.push(chunk as Buffer);
  } finally {
    cutter.end();
  }
}

function open(path: string): Readable {
  if (path === '-') return process.stdin;
  const file = createReadStream(path, { highWaterMark: 1 << 18 });
  if (!path.endsWith('.gz')) return file;
  const unpacked = createGunzip();
  file.on('error', (error) => unpacked.destroy(error));
  return file.pipe(unpacked);
}
