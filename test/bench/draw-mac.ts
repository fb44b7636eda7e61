/**
 * Draws utilisation against the number of stations from the rows of the suite `mac`:
 * `npm run bench -- mac --json > rows.json`, then `node dist/test/bench/draw-mac.js < rows.json > test/bench/utilisation.svg`.
 */
import { readFileSync } from 'node:fs';
import type { MacRow } from './mac-rows.js';

/** The slot length that is drawn, as a share of a frame. */
const A = 0.01;
const [WIDTH, HEIGHT] = [760, 420];
const PLOT = { left: 60, right: 540, top: 50, bottom: 360 };
const BOUND = 'bound';
const STYLES: Readonly<Record<string, { readonly label: string; readonly colour: string; readonly dashes?: string }>> =
  {
    sluice: { label: 'sluice', colour: '#0b6bcb' },
    [BOUND]: { label: 'bound of memoryless CSMA', colour: '#555555', dashes: '6 4' },
    'idle-sense': { label: 'Idle Sense', colour: '#2e8540' },
    'exponential-backoff': { label: 'exponential backoff (802.11)', colour: '#b8860b' },
    'kiss-p-persistence': { label: 'KISS p-persistence (p = 0.25)', colour: '#c0392b' },
    'pure-aloha': { label: 'pure ALOHA at its best', colour: '#8e44ad' },
    'no-mac': { label: 'no MAC', colour: '#000000' },
  };
/** Labels at the right end are kept so far apart. */
const LABEL_STEP = 18;

interface Point {
  readonly stations: number;
  readonly utilisation: number;
}

function pointsOf(rows: readonly MacRow[], mac: string): Point[] {
  const cells = rows.filter((row) => row.a === A && row.measure.startsWith('saturated'));
  const chosen = cells.filter((row) => row.mac === (mac === BOUND ? 'sluice' : mac));
  return chosen.flatMap(({ stations, utilisation, bound }) => {
    const value = mac === BOUND ? bound : utilisation;
    return stations === null || value === null ? [] : [{ stations, utilisation: value }];
  });
}

export function drawing(rows: readonly MacRow[]): string {
  const counts = pointsOf(rows, 'sluice').map(({ stations }) => stations);
  const [least = 2, most = 50] = [counts[0], counts.at(-1)];
  const x = (stations: number): number =>
    PLOT.left + ((PLOT.right - PLOT.left) * Math.log(stations / least)) / Math.log(most / least);
  const y = (utilisation: number): number => PLOT.bottom - (PLOT.bottom - PLOT.top) * utilisation;
  const lines: string[] = [];
  for (let share = 0; share <= 1; share += 0.2) {
    lines.push(
      `<path d="M${PLOT.left} ${y(share)}H${PLOT.right}" stroke="#dddddd"/>`,
      `<text x="${PLOT.left - 8}" y="${y(share) + 4}" text-anchor="end">${Math.round(100 * share)} %</text>`,
    );
  }
  for (const count of counts) {
    lines.push(`<text x="${x(count).toFixed(1)}" y="${PLOT.bottom + 20}" text-anchor="middle">${count}</text>`);
  }
  const series = Object.entries(STYLES).map(([mac, style]) => ({ style, points: pointsOf(rows, mac) }));
  for (const { style, points } of series) {
    const path = points.map((point) => `${x(point.stations).toFixed(1)},${y(point.utilisation).toFixed(1)}`).join(' ');
    const dashes = style.dashes === undefined ? '' : ` stroke-dasharray="${style.dashes}"`;
    lines.push(`<polyline points="${path}" fill="none" stroke="${style.colour}" stroke-width="2.5"${dashes}/>`);
  }
  let lowest = Number.NEGATIVE_INFINITY;
  const byHeight = [...series].sort((one, other) => endOf(other.points) - endOf(one.points));
  for (const { style, points } of byHeight) {
    lowest = Math.max(lowest + LABEL_STEP, y(endOf(points)) + 4);
    lines.push(`<text x="${PLOT.right + 10}" y="${lowest.toFixed(1)}" fill="${style.colour}">${style.label}</text>`);
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="13">
<title>Utilisation against the number of stations</title>
<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>
<text x="${PLOT.left}" y="28" font-size="16">Channel carrying data that arrived, saturated stations, slot ${100 * A} % of a frame</text>
${lines.join('\n')}
<text x="${(PLOT.left + PLOT.right) / 2}" y="${PLOT.bottom + 42}" text-anchor="middle">stations</text>
</svg>
`;
}

function endOf(points: readonly Point[]): number {
  return points.at(-1)?.utilisation ?? 0;
}

process.stdout.write(drawing(JSON.parse(readFileSync(0, 'utf8')) as MacRow[]));
