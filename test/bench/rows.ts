/** What every benchmark suite gives: one row for each thing measured. */

export interface BenchRow {
  readonly suite: string;
  readonly measure: string;
  readonly value: number | null;
  readonly unit: string;
  /** What was promised, as text; null where the figure only stands for comparison. */
  readonly target: string | null;
  /** Null without a target. */
  readonly met: boolean | null;
}

/** A suite: measures, says on the way what it is doing. */
export type BenchSuite = (say: (line: string) => void) => Promise<readonly BenchRow[]>;
