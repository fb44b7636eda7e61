/** The log in files that take turns, by pino's own transport. The only file that knows pino-roll. */
import { dirname } from 'node:path';
import roll from 'pino-roll';
import { SluiceError } from '../base/errors.js';
import { makeFolder } from './folder.js';
import { tellFailures, WAITING_MAX_BYTES } from './log-failures.js';

/** Where lines go; each ends with a line break. */
export interface LineStream {
  write(line: string): void;
}

export interface LogFileOptions {
  /** With a number before the extension, which grows: sluice.log stands for sluice.1.log, sluice.2.log and so on. */
  readonly file: string;
  /** A file that has grown to this is followed by the next one. */
  readonly fileBytes: number;
  /** Files kept beside the one that is written to. */
  readonly filesKept: number;
  /** Called once for each series of failures, such as a full disk. Lines are lost then, and nothing waits. */
  failed(cause: Error): void;
}

/** @throws SluiceError `configuration` when it cannot be opened */
export async function openLogFile({ file, fileBytes, filesKept, failed }: LogFileOptions): Promise<LineStream> {
  try {
    makeFolder(dirname(file));
    const stream = await roll({
      file,
      size: `${Math.ceil(fileBytes / 1024)}k`,
      // Where those of earlier runs count, too, so does the present one.
      limit: { count: filesKept + 1, removeOtherLogFiles: true },
      mkdir: true,
      sync: true,
      maxLength: WAITING_MAX_BYTES,
    });
    tellFailures(stream, failed);
    return stream;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError('configuration', `log.file (--log-file): ${file} cannot be written: ${why}`, {
      subject: file,
      remedy: 'Name one in a folder that can be written.',
      cause,
    });
  }
}
