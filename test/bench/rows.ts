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

/** Says what is being done, a line at a time. */
export type Say = (line: string) => void;

export interface BenchChoice {
  /** One part of the suite, instead of all. */
  readonly part?: string;
  /** How often parts that do something many times do it; as often as the target says unless given. */
  readonly times?: number;
}

/** A suite: measures, says on the way what it is doing. */
export type BenchSuite = (say: Say, choice: BenchChoice) => Promise<readonly BenchRow[]>;
