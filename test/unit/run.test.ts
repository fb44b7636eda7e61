/** How the runner of `npm test` counts: what did not run has not passed, and what could not be loaded has failed. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

const RUNNER = new URL('../run.mjs', import.meta.url);
const { count, told } = (await import(RUNNER.href)) as {
  count: (report: Report) => { passed: number; failed: number; notes: string[]; messages: string[] };
  told: (messages: readonly string[]) => string;
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
    messages: [],
  });
});

test('a file that could not be loaded counts as failed, is named, and says why', () => {
  expect(count({ testResults: [{ ...file('failed'), message: 'no such module' }] })).toEqual({
    passed: 0,
    failed: 1,
    notes: ['failed: a.test.ts'],
    messages: ['a.test.ts\n    no such module'],
  });
});

test('what all tests of a file have in common says why it failed, though none of them ran', () => {
  const report = { testResults: [{ ...file('failed', 'skipped'), message: 'no modem' }] };
  expect(count(report)).toMatchObject({
    failed: 1,
    notes: ['skipped: skipped'],
    messages: ['a.test.ts\n    no modem'],
  });
});

test('a failed test is told with the beginning of its message, without colours', () => {
  const message = `\u001b[31mexpected 3\u001b[39m ${'x'.repeat(1000)}\n    at new Promise\n    at file:///x/node_modules/y.js:1\n${'at somewhere\n'.repeat(100)}`;
  const test = { status: 'failed', fullName: 'adds up', failureMessages: [message] };
  const { messages } = count({ testResults: [{ ...file('failed'), assertionResults: [test] }] });
  expect(messages).toHaveLength(1);
  const lines = told(messages).split('\n');
  expect(lines.slice(0, 2)).toEqual(['', 'adds up']);
  expect(lines[2]).toMatch(/^ {4}expected 3 x{100,300}$/);
  expect(lines.slice(3)).toEqual([...Array.from({ length: 14 }, () => '    at somewhere'), '    ...']);
});

test('what many failed tests say leaves room for the sums', () => {
  const text = told(Array.from({ length: 300 }, (_, i) => `test ${i}\n${'    at somewhere\n'.repeat(15)}`));
  expect(text.length).toBeLessThan(21_000);
  expect(text).toMatch(/more in the output of the stages above$/);
});

test('a stage that does not exist is refused', () => {
  const { status, stderr } = spawnSync(process.execPath, [fileURLToPath(RUNNER), 'unti'], { encoding: 'utf8' });
  expect(status).toBe(2);
  expect(stderr).toContain('unti');
});
