/** The report as one page that needs nothing but itself: no script, no font, no picture from elsewhere. */
import type { Cause } from './cause.js';
import { causesOf } from './causes.js';
import type { ChannelRecord } from './channel-record.js';
import { drawCountCharts } from './charts-count.js';
import { drawTimeCharts } from './charts-time.js';
import { Html, html } from './html.js';
import { EPOCH_MS, type LogBook } from './log-book.js';
import { Palette } from './palette.js';
import { occupancy } from './stretch.js';
import { STYLE } from './style.js';
import { dropTable, eventTable, fileTable, hearingTable, stationTable } from './tables.js';
import { count, dateTime, duration, percent, stations, timeOfDay, times } from './words.js';
import type { WorstMinute } from './worst-minute.js';

/** Findings that weigh less are told with less colour. */
const SLIGHT = 0.15;
const MAX_CAUSES = 12;
/** Nothing is fetched and nothing runs, whatever a log held. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

export async function makePage(book: LogBook, record: ChannelRecord, worst: WorstMinute): Promise<string> {
  const palette = new Palette(record);
  const logs = book.stations.filter(({ totals }) => totals.coveredMs > 0);
  const time = await drawTimeCharts(record, palette, worst);
  const counts = await drawCountCharts(logs, palette);
  const { whole } = record;
  const causes = causesOf(whole);
  const rowsLeftOut = time.rowsLeftOut > 0 ? ` ${count(time.rowsLeftOut)} more stations are not shown here.` : '';
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>sluice: the channel as ${stations(logs.map(({ station }) => station))} saw it</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<header>
<h1>The channel, from the logs</h1>
<p>Logs of ${stations(logs.map(({ station }) => station))}, ${dateTime(record.fromMs)} to ${dateTime(record.untilMs)} UTC
(${duration(record.untilMs - record.fromMs)}). Somebody was sending for <b>${percent(Math.min(1, occupancy(whole)))}</b> of the time.</p>
${clockRemarks(book, record)}
</header>
<section id="findings"><h2>What is wrong</h2>
${causes.length > 0 ? causeList(causes) : html`<p>Nothing that these logs show.</p>`}
</section>
<section id="worst-minute"><h2>${worstTitle(worst)}: ${timeOfDay(worst.stretch.fromMs)} to ${timeOfDay(worst.stretch.untilMs)}</h2>
<p>${worst.summary}</p>
${worst.causes.length > 0 ? html`<p>Why, the worst first:</p>${causeList(worst.causes)}` : html`<p>No cause for alarm: it is only the busiest one.</p>`}
</section>
<section id="figures"><h2>Stations</h2>${stationTable(logs)}
<p class="soft">Shares are of the time that the station’s log covers. A delay is from beginning to contend until the frame was settled.</p></section>
<section id="occupancy"><h2>Who occupied the channel</h2>
<figure>${time.occupancy}<figcaption>More than 100 % means that stations sent at the same time. The worst minute is marked.</figcaption></figure></section>
<section id="sensed"><h2>What each station sensed</h2>
<figure>${time.sensed}<figcaption>The rest of the time the channel was idle to it.${rowsLeftOut}</figcaption></figure></section>
<section id="hearing"><h2>Who hears whom</h2>${hearingTable(record)}
<p class="soft">Airtime understood. “never”: there was airtime enough, and nothing of it was understood. “–”: these logs do not tell.</p></section>
<section id="contention"><h2>Contention window and queue</h2>
<figure>${time.window}</figure><figure>${time.queue}</figure></section>
<section id="frames"><h2>Delays and repetitions</h2><div class="pair">
<figure><figcaption>Delay of frames</figcaption>${counts.delays ?? html`<p>The logs have none.</p>`}</figure>
<figure><figcaption>Repetitions until acknowledged</figcaption>${counts.retries ?? html`<p>The logs have none.</p>`}</figure></div></section>
<section id="dropped"><h2>Drops by cause</h2>
${counts.drops === undefined ? html`` : html`<figure>${counts.drops}</figure>`}${dropTable(logs)}</section>
<section id="happened"><h2>Events</h2>${eventTable(record, book)}</section>
<section id="read"><h2>Files</h2>${fileTable(book)}</section>
</body>
</html>
`;
  return page.text;
}

/** Long logs are kept by longer stretches than minutes. */
function worstTitle({ stretch: { fromMs, untilMs } }: WorstMinute): string {
  return untilMs - fromMs > 60_000 ? `The worst ${duration(untilMs - fromMs)}` : 'The worst minute';
}

function causeList(causes: readonly Cause[]): Html {
  const items = causes.slice(0, MAX_CAUSES).map(
    ({ kind, weight, title, text, remedy }) =>
      html`<div class="cause${weight < SLIGHT ? ' slight' : ''}" data-kind="${kind}"><h3>${title}</h3><p>${text}</p><p class="soft">${remedy}</p></div>
`,
  );
  const more = causes.length - MAX_CAUSES;
  return html`${items}${more > 0 ? html`<p class="soft">And ${more} more that weigh less.</p>` : html``}`;
}

/** What was done about clocks and about lines met twice. */
function clockRemarks(book: LogBook, record: ChannelRecord): Html {
  const remarks: string[] = [];
  for (const [station, offsetMs] of record.clocks.offsets) {
    const direction = offsetMs < 0 ? 'ahead of' : 'behind';
    remarks.push(
      `The clock of station ${station} is ${duration(Math.abs(offsetMs))} ${direction} that of station ${record.clocks.reference}, judged by what one sent and the other heard; it is put right here.`,
    );
  }
  if (record.fromMs < EPOCH_MS) remarks.push('No clock was set: times count from when the machine started.');
  for (const { station, clockUnset, clockSteps, duplicates, lastMs } of book.stations) {
    if (clockUnset > 0 && lastMs >= EPOCH_MS) {
      remarks.push(
        `Station ${station} wrote ${count(clockUnset)} lines before its clock was set; only the table of stations has them.`,
      );
    }
    if (clockSteps > 0) remarks.push(`The clock of station ${station} was set back ${times(clockSteps)}.`);
    if (duplicates > 0)
      remarks.push(`Of station ${station}, ${count(duplicates)} of the lines came twice and count once.`);
  }
  const missing = book.stations.filter(
    ({ station, totals }) => totals.coveredMs > 0 && record.timeline.count(station) === 0,
  );
  if (missing.length > 0) {
    remarks.push(
      `The log of ${stations(missing.map(({ station }) => station))} lies far from the others in time and is left out, except in the table of stations.`,
    );
  } else if (record.cellsLeftOut > 0) {
    remarks.push('Some lines lie far from all others in time and are left out, except in the table of stations.');
  }
  if (book.filesLeftOut > 0)
    remarks.push(`${count(book.filesLeftOut)} files more than the list below has were read, too.`);
  return html`${remarks.map((remark) => html`<p class="soft">${remark}</p>`)}`;
}
