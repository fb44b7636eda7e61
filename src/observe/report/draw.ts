/** Draws charts as SVG, without a browser. The only file that knows Vega. Colours are the page's, so that it may be light or dark. */
import * as vega from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { Html } from './html.js';

export type ChartSpec = TopLevelSpec;

/** Stations that have a colour; others share one. */
export const STATION_COLOURS = 8;

export function stationColour(index: number): string {
  return index < STATION_COLOURS ? `var(--s${index})` : 'var(--others)';
}

const INK = 'var(--ink)';
const FAINT = 'var(--line)';
const FONT = 'system-ui, sans-serif';

const CONFIG = {
  background: 'transparent',
  font: FONT,
  view: { stroke: null },
  axis: {
    labelColor: INK,
    titleColor: INK,
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    gridColor: FAINT,
    domainColor: FAINT,
    tickColor: FAINT,
  },
  legend: {
    orient: 'top',
    labelLimit: 0,
    symbolStrokeWidth: 3,
    labelColor: INK,
    titleColor: INK,
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 'normal',
  },
  header: { labelColor: INK, titleColor: INK, labelFontSize: 12 },
} as const;

export async function draw(spec: ChartSpec): Promise<Html> {
  const { spec: compiled } = compile({ ...spec, config: CONFIG }, { logger: vega.logger(vega.Error) });
  const view = new vega.View(vega.parse(compiled), { renderer: 'none', logLevel: vega.Error });
  try {
    // Vega escapes what it writes.
    return new Html(await view.toSVG());
  } finally {
    view.finalize();
  }
}
