/** Logs made up for the tests of the report: lines as `sluice up` writes them, from what a test says of a station's interval. */
import type { ChannelFields, EventName, LogEvents } from '../../../../src/observe/events.js';
import { ChannelRecord } from '../../../../src/observe/report/channel-record.js';
import { LogBook } from '../../../../src/observe/report/log-book.js';

export const T0_MS = Date.parse('2026-11-21T07:00:00Z');

const QUIET: Omit<ChannelFields, 'startUnixMs' | 'endUnixMs'> = {
  busyRatio: 0,
  txRatio: 0,
  heardMs: {},
  garbled: 0,
  attempts: 0,
  acked: 0,
  unacked: 0,
  unconfirmed: 0,
  retries: [],
  backoffs: 0,
  backoffSlots: 0,
  contentionWindow: 8,
  queue: 0,
  queueBytes: 0,
  drops: {},
};

export function line<Name extends EventName>(
  station: number,
  timeMs: number,
  event: Name,
  fields: LogEvents[Name],
): string {
  return JSON.stringify({ level: 30, time: timeMs, interface: 'sluice0', station, event, ...fields });
}

/** The channel line of an interval that begins `fromS` seconds after `T0_MS`. */
export function channel(station: number, fromS: number, fields: Partial<ChannelFields> = {}, lengthS = 10): string {
  const startUnixMs = T0_MS + 1000 * fromS;
  const endUnixMs = startUnixMs + 1000 * lengthS;
  return line(station, endUnixMs, 'channel', { startUnixMs, endUnixMs, ...QUIET, ...fields });
}

/** Channel lines one after the other; `fields` says what each interval, by its first second, was like. */
export function channels(
  station: number,
  fromS: number,
  untilS: number,
  fields: (atS: number) => Partial<ChannelFields> = () => ({}),
): string[] {
  const lines: string[] = [];
  for (let atS = fromS; atS < untilS; atS += 10) lines.push(channel(station, atS, fields(atS)));
  return lines;
}

/** What a station with little to do says of an interval in which it exchanges some frames with `peer`. */
export function modest(peer: number, extra: Partial<ChannelFields> = {}): Partial<ChannelFields> {
  return {
    busyRatio: 0.05,
    txRatio: 0.06,
    heardMs: { [peer]: 500 },
    attempts: 5,
    acked: 5,
    retries: [5],
    answered: { [peer]: 5 },
    delayHistogramMs: { '64': 3, '128': 2 },
    ...extra,
  };
}

/** What the report makes of such lines. */
export function recordOf(...logs: readonly string[][]): ChannelRecord {
  const book = new LogBook();
  for (const [index, lines] of logs.entries()) {
    const sink = book.file(`log ${index}`);
    for (const each of lines) sink.line(each);
  }
  return new ChannelRecord(book);
}
