/** The charts that count frames: delays, repetitions, drops. */
import { DROP_CAUSES } from '../../base/drops.js';
import { type ChartSpec, draw } from './draw.js';
import { addTo, sumOf } from './figures.js';
import type { Html } from './html.js';
import type { StationLog } from './log-book.js';
import type { Palette } from './palette.js';

const WIDTH = 360;
const WIDE = 700;
const MAX_CAUSES = 20;

/** Each is undefined where there is nothing to count. */
export interface CountCharts {
  readonly delays: Html | undefined;
  readonly retries: Html | undefined;
  readonly drops: Html | undefined;
}

interface Row {
  readonly key: string;
  readonly label: string;
  readonly frames: number;
}

export async function drawCountCharts(logs: readonly StationLog[], palette: Palette): Promise<CountCharts> {
  const delayRows = logs.flatMap(({ station, delays }) =>
    [...delays].map(([boundMs, frames]) => ({ key: boundLabel(boundMs), label: palette.label(station), frames })),
  );
  const bounds = boundsBetween(logs.flatMap(({ delays }) => [...delays.keys()]));
  const retryRows = logs.flatMap(({ station, retries }) =>
    retries.map((frames, times) => ({ key: String(times), label: palette.label(station), frames })),
  );
  const most = Math.max(0, ...logs.map(({ retries }) => retries.length));
  const retryKeys = Array.from({ length: most }, (_, times) => String(times));
  const drops = logs.map(knownDrops);
  const causes = topCauses(drops);
  const dropRows = logs.flatMap(({ station }, index) =>
    causes.map((key) => ({ key, label: palette.label(station), frames: drops[index]?.get(key) ?? 0 })),
  );
  return {
    delays: await drawIf(delayRows, columns(delayRows, bounds.map(boundLabel), 'at most', palette)),
    retries: await drawIf(retryRows, columns(retryRows, retryKeys, 'repetitions', palette)),
    drops: await drawIf(dropRows, bars(dropRows, causes, palette)),
  };
}

async function drawIf(rows: readonly Row[], spec: ChartSpec): Promise<Html | undefined> {
  return sumOf(rows.map(({ frames }) => frames)) > 0 ? await draw(spec) : undefined;
}

/** Those of all columns, the empty ones in between too: each is twice the one before, the last one may be infinite. */
function boundsBetween(met: readonly number[]): number[] {
  const finite = met.filter(Number.isFinite);
  const bounds = finite.length < met.length ? [Number.POSITIVE_INFINITY] : [];
  for (let boundMs = Math.max(...finite); boundMs >= Math.min(...finite); boundMs /= 2) bounds.unshift(boundMs);
  return bounds;
}

export function boundLabel(boundMs: number): string {
  if (!Number.isFinite(boundMs)) return 'more';
  return boundMs < 1000 ? `${boundMs} ms` : `${(boundMs / 1000).toFixed(boundMs < 10_000 ? 1 : 0)} s`;
}

/** What no drop of ours is called is drawn as one: no text out of a log goes into a chart. */
const UNKNOWN = 'unknown causes';

function knownDrops({ totals }: StationLog): Map<string, number> {
  const known = new Map<string, number>();
  for (const [cause, frames] of totals.drops) addTo(known, Object.hasOwn(DROP_CAUSES, cause) ? cause : UNKNOWN, frames);
  return known;
}

function topCauses(drops: readonly ReadonlyMap<string, number>[]): string[] {
  const sums = new Map<string, number>();
  for (const counts of drops) for (const [cause, frames] of counts) addTo(sums, cause, frames);
  const sorted = [...sums].filter(([, frames]) => frames > 0).sort(([, left], [, right]) => right - left);
  return sorted.slice(0, MAX_CAUSES).map(([cause]) => cause);
}

function colour(palette: Palette): Record<string, unknown> {
  return {
    field: 'label',
    type: 'nominal',
    title: null,
    scale: { domain: palette.labels, range: palette.colours },
  };
}

/** Width of a character of a label, and what must be between two labels. */
const CHARACTER = 7;
const GAP = 8;

/** Slanting where there is no room beside each other. */
function labelAngle(labels: readonly string[]): number {
  const widest = Math.max(0, ...labels.map(({ length }) => length));
  return labels.length * (widest * CHARACTER + GAP) > WIDTH ? -60 : 0;
}

const MARK = { type: 'bar', aria: false, stroke: 'var(--paper)', strokeWidth: 0.5 };

function columns(rows: readonly Row[], keys: readonly string[], title: string, palette: Palette): ChartSpec {
  return {
    width: WIDTH,
    height: 180,
    data: { values: rows },
    mark: MARK,
    encoding: {
      x: { field: 'key', type: 'ordinal', scale: { domain: keys }, axis: { title, labelAngle: labelAngle(keys) } },
      y: { field: 'frames', type: 'quantitative', aggregate: 'sum', axis: { title: 'frames', tickMinStep: 1 } },
      // A legend wider than the chart would make all of it small.
      color: { ...colour(palette), legend: { columns: 3 } },
    },
  } as ChartSpec;
}

function bars(rows: readonly Row[], causes: readonly string[], palette: Palette): ChartSpec {
  return {
    width: WIDE,
    height: { step: 22 },
    data: { values: rows },
    mark: MARK,
    encoding: {
      y: { field: 'key', type: 'nominal', sort: causes, axis: { title: null, labelLimit: 220 } },
      x: { field: 'frames', type: 'quantitative', aggregate: 'sum', axis: { title: 'dropped', tickMinStep: 1 } },
      color: colour(palette),
    },
  } as ChartSpec;
}
