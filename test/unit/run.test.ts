/** How the runner of `npm test` counts: what did not run has not passed, and what could not be loaded has failed. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

const RUNNER = new URL('../run.mjs', import.meta.url);
const { count } = (await import(RUNNER.href)) as {
  count: (report: Report) => { passed: number; failed: number; notes: string[] };
};

function file(status: string, ...tests: string[]): Report['testResults'][number] {
  return { name: 'a.test.ts', status, assertionResults: tests.map((test) => ({ status: test, fullName: test })) };
}

test('passed and failed tests are counted one by one, over all files', () => {
  const report = { testResults: [file('passed', 'passed', 'passed'), file('failed', 'passed', 'failed')] };
  expect(count(report)).toMatchObject({ passed: 3, failed: 1 });
});

test.each(['pending', 'skipped', 'todo', 'disabled'])('a test that is %s counts as failed and is named', (status) => {
  expect(count({ testResults: [file('passed', 'passed', status)] })).toEqual({
    passed: 1,
    failed: 1,
    notes: [`${status}: ${status}`],
  });
});

test('a file that could not be loaded counts as failed and is named', () => {
  expect(count({ testResults: [file('failed')] })).toEqual({ passed: 0, failed: 1, notes: ['failed: a.test.ts'] });
});

test('a stage that does not exist is refused', () => {
  const { status, stderr } = spawnSync(process.execPath, [fileURLToPath(RUNNER), 'unti'], { encoding: 'utf8' });
  expect(status).toBe(2);
  expect(stderr).toContain('unti');
});
