/** The configuration file that comes with the service unit: it is one, also with what is commented out in it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { mergeConfiguration } from '../../../src/modem/configuration.js';

const EXAMPLE = join(import.meta.dirname, '../../../hardware/example.yaml');

it('the example is a configuration, with its settings of the log', () => {
  const {
    interface: { name },
    log,
  } = mergeConfiguration({ file: EXAMPLE, settings: [] });
  expect([name, log.intervalS, log.file]).toEqual(['sluice0', 10, undefined]);
});

it('so it is with the settings that it only mentions', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  try {
    const file = join(folder, 'example.yaml');
    writeFileSync(file, readFileSync(EXAMPLE, 'utf8').replace(/^ {2}# (\w+: )/gm, '  $1'));
    const { log } = mergeConfiguration({ file, settings: [] });
    expect(log).toMatchObject({ file: '/var/log/sluice/sluice0.log', fileBytes: 10 * 2 ** 20, filesKept: 9 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
