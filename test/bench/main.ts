/**
 * `npm run bench -- [SUITE] [--part PART [--times N]] [--json]`: runs one suite, one part of the suite `bridge` or `mac`, or all,
 * and prints each figure beside its target.
 */
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { isSluiceError, SluiceError } from '../../src/base/errors.js';
import { BRIDGE_PARTS, runBridgeBench } from './bridge.js';
import { MAC_PARTS, runMacBench } from './mac.js';
import type { MacRow } from './mac-rows.js';
import { runModemBench } from './modem.js';
import type { BenchChoice, BenchRow, BenchSuite } from './rows.js';

const SUITES: Readonly<Record<string, BenchSuite>> = {
  bridge: runBridgeBench,
  modem: runModemBench,
  mac: runMacBench,
};

const MAC_HEAD = ['+-', 'of the channel', 'bound', 'Jain', 'seeds'];

function asTable(rows: readonly BenchRow[]): string {
  const withMac = rows.some(isMacRow);
  const table = new Table({
    head: ['suite', 'measure', 'value', 'unit', 'target', 'met', ...(withMac ? MAC_HEAD : [])],
    style: { head: [], border: [] },
    // No lines between rows.
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  for (const row of rows) {
    const { suite, measure, value, unit, target, met } = row;
    table.push([
      suite,
      measure,
      value === null ? '-' : String(Number(value.toPrecision(5))),
      unit,
      target ?? '',
      met === null ? '' : met ? 'yes' : 'NO',
      ...(withMac ? macCells(row) : []),
    ]);
  }
  return table.toString();
}

function isMacRow(row: BenchRow): row is MacRow {
  return row.suite === 'mac';
}

function macCells(row: BenchRow): string[] {
  if (!isMacRow(row)) return MAC_HEAD.map(() => '');
  const { plusMinus, utilisation, bound, jain, seed, seeds } = row;
  const figures = [plusMinus, utilisation, bound, jain].map((figure) => figure?.toFixed(4) ?? '');
  return [...figures, seed === null ? 'live' : `${seed}..${seed + seeds - 1}`];
}

const OPTIONS = { json: { type: 'boolean' }, part: { type: 'string' }, times: { type: 'string' } } as const;

interface Order extends BenchChoice {
  readonly json: boolean;
  readonly suites: readonly string[];
}

/** @throws SluiceError `usage` */
function orderOf(args: string[]): Order {
  const usage = (what: string, choices: readonly string[]): SluiceError =>
    new SluiceError('usage', what, { remedy: `There are ${choices.join(', ')}.` });
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (failure) {
    throw usage(failure instanceof Error ? failure.message : String(failure), Object.keys(OPTIONS));
  }
  const { values, positionals: suites } = parsed;
  const { json = false, part, times } = values;
  const unknown = suites.filter((name) => !Object.hasOwn(SUITES, name));
  if (unknown.length > 0) throw usage(`no such suite: ${unknown.join(', ')}`, Object.keys(SUITES));
  const parts = suites.join() === 'mac' ? MAC_PARTS : suites.join() === 'bridge' ? BRIDGE_PARTS : [];
  if (part !== undefined && !parts.includes(part)) {
    throw usage(
      `not a part of the suite ${suites.join()}: ${part}`,
      parts.length > 0 ? parts : ['parts of bridge and mac'],
    );
  }
  if (times !== undefined && (part === undefined || !/^[1-9]\d*$/.test(times))) {
    throw usage('--times wants a positive number, and a --part that repeats something', BRIDGE_PARTS);
  }
  return { json, suites, ...(part !== undefined && { part }), ...(times !== undefined && { times: Number(times) }) };
}

function parse(args: string[]) {
  return parseArgs({ args, options: OPTIONS, allowPositionals: true });
}

async function main(args: string[]): Promise<void> {
  const { json, suites, ...choice } = orderOf(args);
  const rows: BenchRow[] = [];
  for (const [name, suite] of Object.entries(SUITES)) {
    if (suites.length > 0 && !suites.includes(name)) continue;
    rows.push(...(await suite((line) => process.stderr.write(`${name}: ${line}\n`), choice)));
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
