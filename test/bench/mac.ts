/**
 * The suite `mac`: the production MAC in virtual time, cell by cell beside the bound of memoryless CSMA, and the same cells
 * for what others do. Several seeds each; 95 % confidence intervals. The bound is computed, see src/sim/bound.ts. At the
 * end real bridges, beside what virtual time says of them.
 */
import { LIVE_PARTS } from './mac-live.js';
import { runJobs } from './mac-pool.js';
import type { MacRow } from './mac-rows.js';
import { speedRow } from './mac-speed.js';
import type { BenchChoice, Say } from './rows.js';

const PARTS: Readonly<Record<string, (say: Say) => Promise<MacRow[]>>> = {
  virtual: runJobs,
  speed: async () => [await speedRow()],
  ...LIVE_PARTS,
};

export const MAC_PARTS: readonly string[] = Object.keys(PARTS);

/** Runs the part chosen, or everything: some ten minutes. */
export async function runMacBench(say: Say, { part }: BenchChoice): Promise<readonly MacRow[]> {
  const rows: MacRow[] = [];
  for (const [name, measure] of Object.entries(PARTS)) {
    if (part !== undefined && part !== name) continue;
    if (Object.hasOwn(LIVE_PARTS, name) && process.getuid?.() !== 0) {
      say(`${name} left out: it needs root`);
      continue;
    }
    const startedMs = performance.now();
    rows.push(...(await measure(say)));
    say(`${name}: ${Math.round((performance.now() - startedMs) / 1000)} s`);
  }
  return rows;
}
