/** hardware/add-your-modem.md: the three files that it shows are all that a new modem needs. Tried in a copy of the project. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
/** What has to be there for compiler, linter, command line and contract suite. */
const COPIED = ['src', 'test', 'dist', 'profiles', 'package.json', 'tsconfig.json', 'biome.json'];
const FILE = /^`([^`\n]+)`\n```(?:ts|yaml)\n(.*?)^```$/gms;

const page = readFileSync(join(PROJECT, 'hardware/add-your-modem.md'), 'utf8');
const files = [...page.matchAll(FILE)].map(([, path = '', text = '']) => ({ path, text }));
let copy = '';

function run(program: string, ...args: string[]): string {
  // A test that runs in a test: the inner one must not take the outer one's place.
  const {
    VITEST: _vitest,
    VITEST_POOL_ID: _pool,
    VITEST_WORKER_ID: _worker,
    SLUICE_TABLE: _table,
    ...env
  } = process.env;
  const path = join('node_modules', program);
  const options = { cwd: copy, env: { ...env, SLUICE_DRIVER: 'telegraph' }, stdio: 'pipe', encoding: 'utf8' } as const;
  try {
    return execFileSync(process.execPath, [path, ...args], options);
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${program} ${args.join(' ')}:\n${stdout}${stderr}`);
  }
}

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'sluice-add-modem-'));
  for (const name of COPIED) {
    // Without what was built before, the compiler builds all.
    if (existsSync(join(PROJECT, name))) cpSync(join(PROJECT, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(PROJECT, 'node_modules'), join(copy, 'node_modules'));
  for (const { path, text } of files) writeFileSync(join(copy, path), text, { flag: 'wx' });
  run('typescript/bin/tsc', '-p', '.');
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

it('shows a driver, an emulator and a profile, and nothing else', () => {
  expect(files.map(({ path }) => path)).toEqual([
    'src/modem/drivers/telegraph.ts',
    'src/sim/emulators/telegraph.ts',
    'profiles/telegraph-2400.yaml',
  ]);
});

it('is in the list of profiles, in the schema for editors, and in the style of the house', () => {
  const sluice = '../dist/src/cli/main.js';
  const list = JSON.parse(run(sluice, 'profiles', '--json')) as { id: string; driver: string }[];
  expect(list).toContainEqual(expect.objectContaining({ id: 'telegraph-2400', driver: 'telegraph', rateBps: 2400 }));
  expect(run(sluice, 'profiles', 'schema')).toContain('"patienceMs"');
  expect(run(sluice, 'profiles', 'show', 'telegraph-2400')).toContain('patienceMs: 500');
  run(
    '@biomejs/biome/bin/biome',
    'check',
    '--vcs-enabled=false',
    ...files.map(({ path }) => path).filter((path) => path.endsWith('.ts')),
  );
  expect(run('../dist/test/architecture/check.js')).toContain(' 0 violations');
});

it('passes the contract suite', () => {
  const output = run(
    'vitest/vitest.mjs',
    ...['run', '--config', 'test/vitest.config.ts', '--project', 'unit', 'test/contract/driver-contract.test.ts'],
  );
  const row = output.split('\n').find((line) => /^telegraph +ok/.test(line)) ?? output;
  expect(row.match(/\bok\b/g)?.length).toBeGreaterThanOrEqual(11);
  expect(row).not.toContain('FAILED');
});
