/** The charts that have time from left to right. */
import type { ChannelRecord } from './channel-record.js';
import { type ChartSpec, draw } from './draw.js';
import { type Figures, understoodMs } from './figures.js';
import type { Html } from './html.js';
import type { Palette } from './palette.js';
import { airtimeMs, coveredMs, type Stretch, senders, strangeMs } from './stretch.js';
import type { WorstMinute } from './worst-minute.js';

const MAX_BINS = 120;
const WIDTH = 860;
/** More rows than this would make the page a roll. */
const MAX_ROWS = 16;

export interface TimeCharts {
  readonly occupancy: Html;
  readonly sensed: Html;
  readonly window: Html;
  readonly queue: Html;
  /** Stations without a row of their own in `sensed`. */
  readonly rowsLeftOut: number;
}

export async function drawTimeCharts(record: ChannelRecord, palette: Palette, worst: WorstMinute): Promise<TimeCharts> {
  const bins = cut(record);
  const band = worstBand(record, worst);
  const stations = record.timeline.stations;
  return {
    occupancy: await draw(occupancy(bins, palette, band)),
    sensed: await draw(sensed(bins, stations.slice(0, MAX_ROWS), record)),
    window: await draw(lines(bins, palette, band, 'contention window (slots)', 'log', meanWindow)),
    queue: await draw(lines(bins, palette, band, 'packets in the queue', 'sqrt', ({ queueMax }) => queueMax)),
    rowsLeftOut: Math.max(0, stations.length - MAX_ROWS),
  };
}

/** The whole record in at most `MAX_BINS` stretches of equal length. */
function cut(record: ChannelRecord): Stretch[] {
  const { fromMs, untilMs, timeline } = record;
  const binMs = Math.ceil((untilMs - fromMs) / timeline.cellMs / MAX_BINS) * timeline.cellMs;
  const bins: Stretch[] = [];
  for (let startMs = fromMs; startMs < untilMs; startMs += binMs) {
    bins.push(record.stretch(startMs, Math.min(startMs + binMs, untilMs)));
  }
  return bins;
}

function xAxis(fromMs: number, untilMs: number): Record<string, unknown> {
  const spanMs = untilMs - fromMs;
  const format = spanMs < 1_800_000 ? '%H:%M:%S' : spanMs < 2 * 86_400_000 ? '%H:%M' : '%m-%d %H:%M';
  return {
    type: 'temporal',
    scale: { type: 'utc', domain: [fromMs, untilMs], nice: false },
    axis: { format, title: 'time (UTC)', grid: false, labelOverlap: true, tickCount: 8 },
  };
}

interface Band {
  readonly whole: readonly [number, number];
  readonly worst: readonly [number, number];
}

function worstBand(record: ChannelRecord, { stretch }: WorstMinute): Band {
  return { whole: [record.fromMs, record.untilMs], worst: [stretch.fromMs, stretch.untilMs] };
}

/** Marks the worst minute behind what is drawn. */
function bandLayer({ whole, worst: [from, until] }: Band, x: Record<string, unknown>): Record<string, unknown> {
  return {
    // Where it is everything there is nothing to mark.
    data: { values: from === whole[0] && until === whole[1] ? [] : [{ from, until }] },
    mark: { type: 'rect', fill: 'var(--worst)', aria: false },
    encoding: { x: { field: 'from', ...x }, x2: { field: 'until' } },
  };
}

interface OverTime {
  readonly height: number;
  readonly rows: readonly object[];
  readonly mark: Record<string, unknown>;
  /** Field of the time. */
  readonly from: string;
  readonly encoding: Record<string, unknown>;
}

/** A chart of all the time, in which the worst minute is marked. */
function overTime(band: Band, { height, rows, mark, from, encoding }: OverTime): ChartSpec {
  const x = xAxis(...band.whole);
  const shown = { data: { values: rows }, mark: { ...mark, aria: false } };
  return spec({
    width: WIDTH,
    height,
    layer: [bandLayer(band, x), { ...shown, encoding: { x: { field: from, ...x }, ...encoding } }],
  });
}

function byLabel(title: string | null, labels: readonly string[], range: readonly unknown[]): Record<string, unknown> {
  return { field: 'label', type: 'nominal', title, scale: { domain: labels, range } };
}

function occupancy(bins: readonly Stretch[], palette: Palette, band: Band): ChartSpec {
  const rows: object[] = [];
  let highest = 1;
  for (const bin of bins) {
    const lengthMs = coveredMs(bin);
    const shares = new Map<string, number>();
    for (const station of lengthMs > 0 ? senders(bin) : []) {
      const label = palette.label(station);
      shares.set(label, (shares.get(label) ?? 0) + airtimeMs(bin, station) / lengthMs);
    }
    let base = 0;
    for (const label of palette.labels) {
      const share = shares.get(label) ?? 0;
      if (share > 0) rows.push({ from: bin.fromMs, until: bin.untilMs, label, base, top: base + share });
      base += share;
    }
    highest = Math.max(highest, base);
  }
  return overTime(band, {
    height: 200,
    rows,
    mark: { type: 'rect', stroke: 'var(--paper)', strokeWidth: 0.4 },
    from: 'from',
    encoding: {
      x2: { field: 'until' },
      y: {
        field: 'base',
        type: 'quantitative',
        scale: { domain: [0, highest] },
        axis: { format: '.0%', title: 'share of time' },
      },
      y2: { field: 'top' },
      color: byLabel('sent by', palette.labels, palette.colours),
    },
  });
}

const SENSED: readonly { label: string; colour: string; ms(figures: Figures): number }[] = [
  { label: 'sent itself', colour: 'var(--s0)', ms: ({ txMs }) => txMs },
  {
    label: 'others, understood',
    colour: 'var(--s2)',
    ms: (figures) => Math.min(figures.busyMs, understoodMs(figures)),
  },
  { label: 'carrier, not understood', colour: 'var(--s1)', ms: strangeMs },
  { label: 'stuck carrier, ignored', colour: 'var(--s3)', ms: ({ stuckMs }) => stuckMs },
];

function sensed(bins: readonly Stretch[], stations: readonly number[], record: ChannelRecord): ChartSpec {
  const rows: object[] = [];
  for (const bin of bins) {
    for (const station of stations) {
      const figures = bin.figures.get(station);
      if (figures === undefined) continue;
      let base = 0;
      for (const { label, ms } of SENSED) {
        const top = Math.min(1, base + ms(figures) / figures.coveredMs);
        if (top > base) rows.push({ from: bin.fromMs, until: bin.untilMs, station, label, base, top });
        base = top;
      }
    }
  }
  const x = xAxis(record.fromMs, record.untilMs);
  return spec({
    data: { values: rows },
    facet: {
      row: {
        field: 'station',
        type: 'ordinal',
        title: null,
        sort: 'ascending',
        header: { labelExpr: "'station ' + datum.value", labelAngle: 0, labelAlign: 'left', labelPadding: 4 },
      },
    },
    spacing: 14,
    spec: {
      width: WIDTH - 40,
      height: 44,
      mark: { type: 'rect', aria: false },
      encoding: {
        x: { field: 'from', ...x },
        x2: { field: 'until' },
        y: {
          field: 'base',
          type: 'quantitative',
          scale: { domain: [0, 1] },
          axis: { format: '.0%', title: null, values: [0, 1] },
        },
        y2: { field: 'top' },
        color: byLabel(
          'share of time',
          SENSED.map(({ label }) => label),
          SENSED.map(({ colour }) => colour),
        ),
      },
    },
  });
}

function meanWindow(figures: Figures): number {
  // A logarithmic axis has no zero.
  return Math.max(1, figures.windowMs / figures.coveredMs);
}

function lines(
  bins: readonly Stretch[],
  palette: Palette,
  band: Band,
  title: string,
  scale: 'log' | 'sqrt',
  read: (figures: Figures) => number,
): ChartSpec {
  const stations = new Set(bins.flatMap((bin) => [...bin.figures.keys()]));
  const rows: object[] = [];
  for (const station of stations) {
    const label = palette.label(station);
    for (const { fromMs, untilMs, figures } of bins) {
      const there = figures.get(station);
      const value = there === undefined ? null : read(there);
      rows.push({ at: fromMs, station, label, value }, { at: untilMs, station, label, value });
    }
  }
  return overTime(band, {
    height: 150,
    rows,
    mark: { type: 'line', strokeWidth: 2 },
    from: 'at',
    encoding: {
      y: {
        field: 'value',
        type: 'quantitative',
        scale: scale === 'log' ? { type: 'log', base: 2 } : { type: 'sqrt', zero: true },
        axis: { title, format: 'd', tickCount: 5 },
      },
      detail: { field: 'station' },
      color: byLabel(null, palette.labels, palette.colours),
      strokeDash: byLabel(null, palette.labels, palette.dashes),
    },
  });
}

/** The types of Vega-Lite are too deep for parts that are put together; a wrong one is refused when it is compiled. */
function spec(parts: object): ChartSpec {
  return parts as ChartSpec;
}
