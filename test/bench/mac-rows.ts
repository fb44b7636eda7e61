/** Rows of the suite `mac`, and what seeds make of a figure. */
import type { BenchRow } from './rows.js';

/** One figure; what belongs to a cell of the table is null elsewhere. */
export interface MacRow extends BenchRow {
  /** `sluice`, or the name of what it is compared with. */
  readonly mac: string;
  readonly stations: number | null;
  readonly a: number | null;
  readonly utilisation: number | null;
  readonly bound: number | null;
  readonly jain: number | null;
  /** The first of the seeds, which follow one another; null where chance is not ours. */
  readonly seed: number | null;
  readonly seeds: number;
  /** Half the 95 % confidence interval of `value`; null where there is one run. */
  readonly plusMinus: number | null;
}

export const SEEDS = 5;
export const FIRST_SEED = 1;
export const STATIONS = [2, 5, 10, 20, 50];
export const SLOTS = [0.003, 0.01, 0.03, 0.1, 0.3];

type Given = Pick<MacRow, 'measure' | 'value' | 'unit' | 'target' | 'met'> & Partial<MacRow>;

export function macRow(given: Given): MacRow {
  const empty = { stations: null, a: null, utilisation: null, bound: null, jain: null, plusMinus: null };
  return { suite: 'mac', mac: 'sluice', ...empty, seed: FIRST_SEED, seeds: SEEDS, ...given };
}

/** A figure that is to be at least so much. */
export function atLeast(target: number, value: number): Pick<MacRow, 'value' | 'target' | 'met'> {
  return { value, target: `>= ${target}`, met: value >= target };
}

export function seedsOf<T>(run: (seed: number) => T, seeds = SEEDS): T[] {
  return Array.from({ length: seeds }, (_, index) => run(FIRST_SEED + index));
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Student's t for 95 %, two-sided, by degrees of freedom from 1. */
const STUDENT_T = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];

export function estimate(values: readonly number[]): { mean: number; plusMinus: number } {
  const centre = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  const t = STUDENT_T[values.length - 2] ?? 1.96;
  return { mean: centre, plusMinus: t * Math.sqrt(squares / (values.length - 1) / values.length) };
}
