/** `npm run bench -- [SUITE] [--json]`: runs one suite, or all, and prints each figure beside its target. */
import Table from 'cli-table3';
import { isSluiceError } from '../../src/base/errors.js';
import { runBridgeBench } from './bridge.js';
import { runMacBench } from './mac.js';
import { runModemBench } from './modem.js';
import type { BenchRow, BenchSuite } from './rows.js';

const SUITES: Readonly<Record<string, BenchSuite>> = {
  bridge: runBridgeBench,
  modem: runModemBench,
  mac: runMacBench,
};

function asTable(rows: readonly BenchRow[]): string {
  const table = new Table({
    head: ['suite', 'measure', 'value', 'unit', 'target', 'met'],
    style: { head: [], border: [] },
    // No lines between rows.
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  for (const { suite, measure, value, unit, target, met } of rows) {
    table.push([
      suite,
      measure,
      value === null ? '-' : String(Number(value.toPrecision(5))),
      unit,
      target ?? '',
      met === null ? '' : met ? 'yes' : 'NO',
    ]);
  }
  return table.toString();
}

async function main(args: readonly string[]): Promise<void> {
  const json = args.includes('--json');
  const names = args.filter((each) => each !== '--json');
  const unknown = names.filter((name) => !Object.hasOwn(SUITES, name));
  if (unknown.length > 0) {
    process.stderr.write(`no such suite: ${unknown.join(', ')}; there are ${Object.keys(SUITES).join(', ')}\n`);
    process.exitCode = 2;
    return;
  }
  const rows: BenchRow[] = [];
  for (const [name, suite] of Object.entries(SUITES)) {
    if (names.length > 0 && !names.includes(name)) continue;
    rows.push(...(await suite((line) => process.stderr.write(`${name}: ${line}\n`))));
  }
  process.stdout.write(json ? `${JSON.stringify(rows, null, 2)}\n` : `${asTable(rows)}\n`);
  if (rows.some(({ met }) => met === false)) process.exitCode = 1;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!isSluiceError(error)) throw error;
  process.stderr.write(`bench: ${error.message}\n  ${error.details.remedy ?? ''}\n`);
  process.exitCode = error.exitCode;
}
