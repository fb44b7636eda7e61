/**
 * Frames on the air as lines of the log, at debug level. A capture like any other: without debug lines there is none, the
 * MAC has no tap, and no frame costs anything.
 */
import type { FrameFields } from '../observe/events.js';
import type { Log } from '../observe/log.js';
import type { AirCapture } from './air-capture.js';
import { type AirFrameLine, type AirParts, lineFormat } from './air-formats.js';

/** Logs until the capture is closed. Never rejects. */
export async function logFrames(
  log: Pick<Log, 'debug' | 'enabled'>,
  capture: AirCapture,
  parts: AirParts,
): Promise<void> {
  if (!log.enabled('debug')) return;
  const never = new AbortController().signal;
  for await (const line of capture.read(lineFormat(parts), never, never)) {
    if ('outcome' in line) log.debug('frame', frameFields(line));
  }
}

function frameFields({ direction, atUs: _atUs, link, ...rest }: AirFrameLine): FrameFields {
  const fields = { direction: direction === 'inbound' ? 'in' : 'out', ...rest } as const;
  if (link === undefined) return fields;
  const { type, source, destination, sequence } = link;
  return { ...fields, type, source, destination, sequence };
}
