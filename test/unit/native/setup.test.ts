/** The set-up program on a machine that lacks what the build needs, and on one where everything is done. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
let clone = '';

beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'sluice-setup-'));
  mkdirSync(join(clone, 'native'));
  mkdirSync(join(clone, 'bin'));
  cpSync(join(ROOT, 'native/setup.mjs'), join(clone, 'native/setup.mjs'));
  cpSync(join(ROOT, 'package.json'), join(clone, 'package.json'));
});

afterEach(() => rmSync(clone, { recursive: true, force: true }));

/** With only `tools` to be found, none of which does anything. */
function setup(tools: readonly string[]) {
  for (const tool of tools) writeFileSync(join(clone, 'bin', tool), '#!/bin/false\n', { mode: 0o755 });
  const env = { PATH: join(clone, 'bin') };
  return spawnSync(process.execPath, [join(clone, 'native/setup.mjs'), '--quiet'], { encoding: 'utf8', env });
}

function pretendInstalled(): void {
  writeFileSync(join(clone, 'package-lock.json'), '{}');
  mkdirSync(join(clone, 'node_modules'));
  symlinkSync(join(ROOT, 'node_modules/node-addon-api'), join(clone, 'node_modules/node-addon-api'));
  writeFileSync(join(clone, 'node_modules/.package-lock.json'), '{}');
}

it('says what to install where there is no compiler', () => {
  pretendInstalled();
  const { status, stderr, stdout } = setup(['make']);
  expect(stderr).toContain('missing: g++, python3.');
  expect(stderr).toContain('apt-get install g++ make python3');
  expect(stdout).toBe('');
  expect(status).toBe(3);
});

it('says so where there is no npm', () => {
  writeFileSync(join(clone, 'package-lock.json'), '{}');
  const { status, stderr } = setup([]);
  expect(stderr).toContain('npm is missing');
  expect(status).toBe(3);
});

it('fails with the output of a step that fails', () => {
  writeFileSync(join(clone, 'package-lock.json'), '{}');
  const { status, stderr } = setup(['npm']);
  expect(stderr).toContain('installing packages');
  expect(status).toBe(1);
});
