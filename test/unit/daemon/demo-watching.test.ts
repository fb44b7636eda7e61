/** What the demonstration says of how to watch it, where programs are missing; and the folder for its logs. */
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isSluiceError } from '../../../src/base/errors.js';
import { howToWatch, makeLogFolder, missingPackages } from '../../../src/daemon/demo-watching.js';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the commands that watch the demonstration', () => {
  const watch = (missing: string[]): string =>
    howToWatch({ control: '/x/station-1.sock', pid: 7 }, 2, { folder: '/x', kept: true }, missing).join('\n');

  it('name the packages that they need and that are missing, and no others', () => {
    writeFileSync(join(folder, 'curl'), '');
    writeFileSync(join(folder, 'nsenter'), '');
    chmodSync(join(folder, 'nsenter'), 0o755);
    // curl is there, but cannot be run.
    expect(missingPackages(`/nowhere:${folder}`)).toEqual(['tshark', 'curl']);
    expect(watch(['tshark', 'curl'])).toContain('not installed here: tshark, curl; apt-get install tshark curl');
    expect(watch([])).not.toContain('install');
  });
});

describe("the folder for the demonstration's logs", () => {
  it('is made, and left as it is', () => {
    makeLogFolder(join(folder, 'a/b'));
    makeLogFolder(join(folder, 'a/b'));
    expect(readdirSync(join(folder, 'a/b'))).toEqual([]);
  });

  it.each([
    ['a file', () => writeFileSync(join(folder, 'f'), ''), () => join(folder, 'f')],
    ['where nobody can write', () => undefined, () => '/proc'],
    ['where nothing can be made', () => undefined, () => '/proc/self/x'],
  ])('is refused as %s, with --logs as the remedy', (_what, prepare, path) => {
    prepare();
    let thrown: unknown;
    try {
      makeLogFolder(path());
    } catch (error) {
      thrown = error;
    }
    expect(isSluiceError(thrown) && [thrown.exitCode, thrown.message, thrown.details.remedy]).toEqual([
      2,
      expect.stringContaining(`--logs ${path()}`),
      expect.stringContaining('--logs'),
    ]);
  });
});
