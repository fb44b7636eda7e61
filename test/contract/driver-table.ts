/** Driver x case, as the contract suite printed it to whoever reads its output. */
import { CASES, type CaseName } from './driver-bench.js';

export type CaseResult = 'ok' | 'FAILED' | '-';

export class DriverTable {
  readonly #rows = new Map<string, Map<CaseName, CaseResult>>();
  readonly #reasons = new Map<string, string[]>();

  add(row: string): void {
    this.#rows.set(row, new Map());
  }

  set(row: string, name: CaseName, result: CaseResult): void {
    const cells = this.#rows.get(row) ?? new Map<CaseName, CaseResult>();
    this.#rows.set(row, cells.set(name, result));
  }

  /** Why a case means nothing for this driver. */
  skip(row: string, name: CaseName, reason: string): void {
    this.set(row, name, '-');
    const text = `${name}: ${reason}`;
    this.#reasons.set(text, [...(this.#reasons.get(text) ?? []), row]);
  }

  toString(): string {
    const width = Math.max(6, ...[...this.#rows.keys()].map((row) => row.length)) + 2;
    const head = 'driver'.padEnd(width) + CASES.map((name) => `${name}  `).join('');
    const lines = [...this.#rows].map(
      ([row, cells]) =>
        row.padEnd(width) + CASES.map((name) => `${(cells.get(name) ?? '').padEnd(name.length)}  `).join(''),
    );
    const reasons = [...this.#reasons].map(([reason, rows]) => `  - ${reason} (${rows.join(', ')})`);
    return [head, ...lines, ...reasons].map((line) => line.trimEnd()).join('\n');
  }
}
