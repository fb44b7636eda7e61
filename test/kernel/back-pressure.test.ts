/**
 * Back pressure on the kernels it is made for: floods and pairs by in-lab.ts, on each of Debian's kernels in the lab, one boot a kernel.
 * Native mode can be tested nowhere else than on 7.3 and later. The build must be there: the lab runs what is in dist/.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { availableKernels } from './available.js';
import type { Kernel, KernelName } from './kernels.js';
import { runInLab } from './lab.js';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const IN_LAB = 'dist/test/kernel/in-lab.js';
const IN_LAB_CONTROL = 'dist/test/kernel/in-lab-control.js';
/** Debian's kernels have fq_codel built in. */
const MODULES = ['tun', 'sch_tbf', 'sch_prio', 'sch_cake'];
/** A boot takes 10 s, a mode about as long; the machine may be busy with other tests. */
const LAB_TIMEOUT_MS = 240_000;
/** Each emulated machine has two processors; more machines at a time than this only wait for each other. */
const LABS_AT_A_TIME = 2;

type Mode = 'gate' | 'native';

/** The control experiment: this kernel also runs without back pressure, where the same program must see drops. */
const CONTROL: KernelName = '6.12';

const MODES: Readonly<Record<KernelName, readonly Mode[]>> = {
  '6.1': ['gate'],
  '6.12': ['gate'],
  '7.3': ['gate', 'native'],
};
/** Of all reads, those of high priority. Stock kernels reach 11 to 50 %; native mode has two frames ahead in the ring. */
const LEAST_HIGH_SHARE: Readonly<Record<Mode, number>> = { gate: 0.9, native: 0.85 };

/** A line of in-lab.ts: what the scenario measured. */
type Row = Readonly<Record<string, unknown>> & { readonly scenario: string };

interface ModeRun {
  readonly status: number;
  readonly rows: readonly Row[];
  readonly output: string;
}

function script(name: KernelName): string {
  const runs = MODES[name].map((mode) => `echo MODE ${mode}; node ${IN_LAB} ${mode}; echo STATUS $?`);
  if (name === CONTROL) runs.push(`echo MODE none; node ${IN_LAB_CONTROL}; echo STATUS $?`);
  return runs.join('\n');
}

/** The part of the output that belongs to one mode. */
function modeRun(output: string, mode: string): ModeRun {
  const part = new RegExp(`^MODE ${mode}$(.*?)^STATUS (\\d+)$`, 'ms').exec(output);
  if (!part) throw new Error(`the lab said nothing about ${mode}:\n${output}`);
  const lines = (part[1] ?? '').split('\n').filter((line) => line.startsWith('{'));
  return { status: Number(part[2]), rows: lines.map((line) => JSON.parse(line) as Row), output: part[1] ?? '' };
}

async function startLabs(
  kernels: ReadonlyMap<KernelName, Kernel>,
): Promise<Map<KernelName, PromiseSettledResult<string>>> {
  const waiting = [...kernels];
  const results = new Map<KernelName, PromiseSettledResult<string>>();
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [name, kernel] = next;
      const entries = [IN_LAB, IN_LAB_CONTROL];
      const job = { kernel, projectDir: PROJECT, entries, modules: MODULES, timeoutMs: LAB_TIMEOUT_MS };
      const [result] = await Promise.allSettled([runInLab({ ...job, script: script(name) })]);
      results.set(name, result.status === 'fulfilled' ? { ...result, value: result.value.output } : result);
    }
  };
  await Promise.all(Array.from({ length: LABS_AT_A_TIME }, worker));
  return results;
}

const kernels = await availableKernels(['6.1', '6.12', '7.3']);
let outputs: Map<KernelName, PromiseSettledResult<string>>;

beforeAll(async () => {
  outputs = await startLabs(kernels);
});

function outputOf(name: KernelName): string {
  const result = outputs.get(name);
  if (result?.status === 'fulfilled') return result.value;
  throw result?.reason ?? new Error(`kernel ${name} was not run`);
}

test.each([IN_LAB, IN_LAB_CONTROL])('the program for the lab is built: %s', (program) => {
  expect(existsSync(`${PROJECT}/${program}`)).toBe(true);
});

for (const [name, { release }] of kernels) {
  describe(`linux ${release}`, () => {
    test.each(MODES[name])('%s: senders feel the channel, nothing is dropped, priorities count', (mode) => {
      const { status, rows, output } = modeRun(outputOf(name), mode);
      const floods = rows.filter((row) => row.scenario === 'flood');
      const pairs = rows.filter((row) => row.scenario === 'pairs');
      for (const row of [...floods, ...pairs]) console.log(`${release}: ${JSON.stringify(row)}`);
      expect(floods.length, output).toBeGreaterThan(0);
      expect(pairs.length, output).toBe(1);
      for (const flood of floods) {
        expect(flood, output).toMatchObject({ mode, tapDropped: 0, qdiscDropped: 0, refused: 0, gaps: 0 });
        expect(flood.blocked).toBeGreaterThan(0);
        expect(flood.sent).toBeGreaterThan(0);
        expect(flood.received).toBe(flood.sent);
      }
      for (const row of pairs) {
        expect(row, output).toMatchObject({ mode, tapDropped: 0, qdiscDropped: 0 });
        expect(row.reads).toBeGreaterThan(0);
        expect(row.highShare).toBeGreaterThanOrEqual(LEAST_HIGH_SHARE[mode]);
      }
      expect(status, output).toBe(0);
    });

    if (name === CONTROL) {
      test('none: without back pressure the same floods and pairs lose packets', () => {
        const { rows, output } = modeRun(outputOf(name), 'none');
        const [flood] = rows.filter((row) => row.scenario === 'flood');
        const [pairs] = rows.filter((row) => row.scenario === 'pairs');
        console.log(`${release}: ${JSON.stringify(flood)}\n${release}: ${JSON.stringify(pairs)}`);
        expect(flood?.blocked, output).toBe(0);
        expect(flood?.tapDropped, output).toBeGreaterThan(0);
        expect(pairs?.tapDropped, output).toBeGreaterThan(0);
        expect(pairs?.highShare, output).toBeLessThan(LEAST_HIGH_SHARE.native);
      });
    }

    test('takes every queueing discipline that can be configured', () => {
      const [row] = modeRun(outputOf(name), 'gate').rows.filter(({ scenario }) => scenario === 'qdiscs');
      const nothingWrong = { tbf: null, pfifo_fast: null, pfifo: null, prio: null, fq_codel: null, cake: null };
      expect(row?.qdiscs).toEqual(nothingWrong);
    });
  });
}
