/** The tables of the page: stations, who hears whom, drops, events, files. */
import { DROP_CAUSES } from '../../base/drops.js';
import type { ChannelRecord } from './channel-record.js';
import { boundLabel } from './charts-count.js';
import { type Figures, sumOf, understoodMs } from './figures.js';
import { type Html, html } from './html.js';
import type { FileCount, LogBook, StationLog } from './log-book.js';
import { everyone } from './palette.js';
import { type NoteLine, SKIP_REASONS } from './parse-line.js';
import { airtimeMs, hears, strangeMs } from './stretch.js';
import { count, dateTime, duration, percent } from './words.js';

const MAX_EVENTS = 40;
/** A square of more stations is not read by anybody. */
const MAX_SQUARE = 20;
const NOTHING = '–';

export function stationTable(logs: readonly StationLog[]): Html {
  const rows = logs.map(({ station, totals, retries, delays }) => {
    const share = (ms: number): string => (totals.coveredMs > 0 ? percent(ms / totals.coveredMs) : NOTHING);
    return html`<tr><td>${station}</td><td>${duration(totals.coveredMs)}</td><td>${share(totals.txMs)}</td>
<td>${share(understoodMs(totals))}</td><td>${share(strangeMs(totals))}</td><td>${share(totals.stuckMs)}</td>
<td>${count(totals.attempts)}</td><td>${lost(totals)}</td><td>${meanRetries(retries)}</td>
<td>${percentile(delays, 0.5)}</td><td>${percentile(delays, 0.99)}</td><td>${count(totals.queueMax)}</td>
<td>${count(sumOf(totals.drops.values()))}</td></tr>`;
  });
  return html`<div class="scroll"><table id="stations"><thead><tr><th>station</th><th>log covers</th><th>sent</th><th>heard</th>
<th>not under&shy;stood</th><th>stuck carrier</th><th>attempts</th><th>unac&shy;knowl&shy;edged</th><th>repe&shy;titions, mean</th><th>delay, median</th>
<th>delay, 99 %</th><th>longest queue</th><th>dropped</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

function lost({ attempts, unacked }: Figures): string {
  return attempts > 0 ? percent(unacked / attempts) : NOTHING;
}

function meanRetries(retries: readonly number[]): string {
  const frames = sumOf(retries);
  return frames > 0 ? (sumOf(retries.map((each, times) => each * times)) / frames).toFixed(2) : NOTHING;
}

/** The upper bound of the bucket that holds this quantile. */
function percentile(delays: ReadonlyMap<number, number>, quantile: number): string {
  const buckets = [...delays].sort(([left], [right]) => left - right);
  const wanted = quantile * sumOf(delays.values());
  let below = 0;
  for (const [boundMs, frames] of buckets) {
    below += frames;
    if (below >= wanted && frames > 0) return Number.isFinite(boundMs) ? `≤ ${boundLabel(boundMs)}` : 'more';
  }
  return NOTHING;
}

export function hearingTable(record: ChannelRecord): Html {
  const { whole } = record;
  const all = everyone(whole).slice(0, MAX_SQUARE);
  const cell = (listener: number, sender: number): Html => {
    if (listener === sender) return html`<td>sent ${duration(airtimeMs(whole, sender))}</td>`;
    const ms = whole.figures.get(listener)?.heardMs.get(sender) ?? 0;
    const heard = hears(whole, listener, sender);
    if (heard === false) return html`<td class="no">never</td>`;
    return html`<td>${ms > 0 ? duration(ms) : heard === true ? 'answers' : NOTHING}</td>`;
  };
  const rows = all.map(
    (listener) => html`<tr><th>${listener} heard</th>${all.map((sender) => cell(listener, sender))}</tr>`,
  );
  return html`<div class="scroll"><table id="hearing"><thead><tr><th></th>${all.map((sender) => html`<th>from ${sender}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

export function dropTable(logs: readonly StationLog[]): Html {
  const causes = new Map<string, number>();
  for (const { totals } of logs) {
    for (const [cause, frames] of totals.drops) if (frames > 0) causes.set(cause, (causes.get(cause) ?? 0) + frames);
  }
  const meanings: Readonly<Record<string, string>> = DROP_CAUSES;
  const rows = [...causes]
    .sort(([, left], [, right]) => right - left)
    .map(([cause, frames]) => {
      const meaning = Object.hasOwn(meanings, cause) ? meanings[cause] : undefined;
      return html`<tr><td>${cause}</td><td>${count(frames)}</td><td class="text">${meaning ?? 'not told by the log, or unknown to this version'}</td></tr>`;
    });
  if (rows.length === 0) return html`<p>Nothing was dropped.</p>`;
  return html`<div class="scroll"><table id="drops"><thead><tr><th>cause</th><th>frames</th><th class="text">meaning</th></tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

export function eventTable(record: ChannelRecord, book: LogBook): Html {
  const { whole } = record;
  const all = [...whole.notes].flatMap(([station, notes]) => notes.map((each) => ({ ...each, station })));
  all.sort((left, right) => left.atMs - right.atMs);
  const rows = all
    .slice(0, MAX_EVENTS)
    .map(
      ({ atMs, station, note }) =>
        html`<tr><td>${dateTime(atMs)}</td><td>${station}</td><td class="text">${note.kind}</td><td class="text">${about(note)}</td></tr>`,
    );
  if (rows.length === 0) return html`<p>None.</p>`;
  const leftOut = sumOf(book.stations.map(({ notesLeftOut }) => notesLeftOut)) + Math.max(0, all.length - MAX_EVENTS);
  const more = leftOut > 0 ? html`<p class="soft">${count(leftOut)} more are not shown.</p>` : html``;
  return html`<div class="scroll"><table id="events"><thead><tr><th>time (UTC)</th><th>station</th><th class="text">event</th><th class="text"></th></tr></thead>
<tbody>${rows}</tbody></table></div>${more}`;
}

function about(note: NoteLine): string {
  switch (note.kind) {
    case 'line-lost':
      return note.cause;
    case 'back-pressure':
      return note.mode;
    case 'back-pressure-leak':
      return `dropped since the start: ${count(note.tapDropped)} by the TAP, ${count(note.qdiscDropped)} by the queue`;
    case 'stuck-busy':
      return note.begins ? 'a carrier is no longer believed' : 'it ended';
    case 'hung':
      return `did not run for ${duration(note.forMs)}`;
    case 'stopped':
      return note.queueLost > 0 ? `${count(note.queueLost)} packets of the queue were lost` : '';
    case 'ready':
    case 'line-open':
    case 'address-conflict':
    case 'other':
      return '';
  }
}

export function fileTable(book: LogBook): Html {
  const rows = book.files.map(
    (file) =>
      html`<tr><td>${file.name}</td><td>${count(file.lines)}</td><td>${count(file.used)}</td><td class="text">${remarks(file)}</td></tr>`,
  );
  return html`<div class="scroll"><table id="files"><thead><tr><th>file</th><th>lines</th><th>used</th><th class="text">not used</th></tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

export function remarks(file: FileCount): string {
  const skipped = [...file.skipped].map(
    ([reason, { lines, firstLine }]) => `${count(lines)} ${SKIP_REASONS[reason]} (first in line ${firstLine})`,
  );
  if (file.failure !== undefined) skipped.push(`not read beyond line ${file.lines}: ${file.failure}`);
  return skipped.join('; ');
}
