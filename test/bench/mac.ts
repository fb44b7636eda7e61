/**
 * The suite `mac`: the production MAC in virtual time, cell by cell beside the bound of memoryless CSMA, and the same cells
 * for what others do. Several seeds each; 95 % confidence intervals. The bound is computed, see src/sim/bound.ts. At the
 * end real bridges, beside what virtual time says of them.
 */
import { cellRows } from './mac-cells.js';
import { acousticRows, arqRows, broadcastRows, hiddenRows, loneRows, noiseRows, stepRows } from './mac-conditions.js';
import { LIVE_PARTS } from './mac-live.js';
import type { MacRow } from './mac-rows.js';
import { speedRow } from './mac-speed.js';
import type { Say } from './rows.js';

/** Runs everything; some minutes. */
export async function runMacBench(say: Say): Promise<readonly MacRow[]> {
  const rows = cellRows(say);
  for (const [name, measure] of [
    ['lone sender', loneRows],
    ['changing populations', stepRows],
    ['hidden terminals', hiddenRows],
    ['sound', acousticRows],
    ['noise', noiseRows],
    ['broadcasts', broadcastRows],
    ['ARQ', arqRows],
  ] as const) {
    const measured = measure();
    rows.push(...measured);
    say(
      `${name}: ${measured.map(({ value, met }) => `${value?.toPrecision(3)}${met === false ? ' (short)' : ''}`).join(' ')}`,
    );
  }
  rows.push(await speedRow());
  for (const measure of Object.values(LIVE_PARTS)) rows.push(...(await measure(say)));
  return rows;
}
