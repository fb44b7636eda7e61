/** The part of the screen that tells of each neighbour. */
import type { NeighbourRow } from './figures.js';
import { duration, percent } from './words.js';

const BAR_COLUMNS = 10;
const COLUMNS = [8, 12, 9, BAR_COLUMNS + 1, 9, 9, 9] as const;

function inColumns(...cells: readonly string[]): string {
  return cells
    .map((cell, i) => cell.padEnd(COLUMNS[i] ?? 0))
    .join('')
    .trimEnd();
}

export const NEIGHBOUR_HEADER = inColumns('station', 'heard', 'airtime', '', 'loss', 'RSSI', 'attempts');

/** What is wrong with a neighbour, if something seems to be, stands at the end of its line, behind a "!". */
export function neighbourLines(rows: readonly NeighbourRow[], room: number): { text: string; alert: boolean }[] {
  if (rows.length === 0) return [{ text: 'nobody heard yet', alert: false }];
  // Where not all have room, those with something to tell stay, and those who talk most.
  const importance = ({ note, longShare }: NeighbourRow): number => (note === '' ? 0 : 1) + longShare;
  const shown =
    rows.length <= room
      ? rows
      : [...rows].sort((left, right) => importance(right) - importance(left)).slice(0, Math.max(1, room - 1));
  const lines = [...shown]
    .sort((left, right) => left.station - right.station)
    .map((row) => ({ text: lineOf(row), alert: row.note !== '' }));
  if (shown.length < rows.length) lines.push({ text: `and ${rows.length - shown.length} more`, alert: false });
  return lines;
}

function lineOf({ station, lastHeardMs, longShare, lossRatio, rssiDbm, attempts, note }: NeighbourRow): string {
  return inColumns(
    String(station),
    lastHeardMs === null ? 'never' : `${duration(lastHeardMs)} ago`,
    percent(longShare),
    '='.repeat(Math.round(longShare * BAR_COLUMNS)),
    lossRatio === null ? '-' : percent(lossRatio),
    rssiDbm === undefined ? '-' : `${rssiDbm} dBm`,
    String(attempts),
    note === '' ? '' : `! ${note}`,
  );
}
