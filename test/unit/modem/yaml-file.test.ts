/** Files of settings: any that end, pipes too, and none that does not. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readYamlMapping } from '../../../src/modem/yaml-file.js';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a file of settings', () => {
  it('is read whole, up to 1 MiB', () => {
    const file = join(folder, 'long.yaml');
    writeFileSync(file, `# ${'ü'.repeat(500_000)}\nprofile: kiss-1200\n`);
    expect(readYamlMapping(file)).toEqual({ profile: 'kiss-1200' });
    expect(readYamlMapping('/dev/null')).toEqual({});
  });

  it.each(['/dev/zero', '/proc/self/x', '/tmp'])('%s is refused, with what to do', (path) => {
    const refusal = { code: 'configuration', details: expect.objectContaining({ remedy: expect.any(String) }) };
    expect(() => readYamlMapping(path)).toThrow(expect.objectContaining(refusal));
  });
});
