/** What starting took is given back: seen from outside, in a process of its own. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const MODULE = fileURLToPath(new URL('../../../dist/src/daemon/lean-memory.js', import.meta.url));

const PROGRAM = `
import { forgetStart, stayLean } from ${JSON.stringify(MODULE)};
if (process.argv[1] === 'lean') stayLean();
let start = Array.from({ length: 300_000 }, (_, i) => ({ i, text: String(i) }));
start = null;
if (process.argv[1] === 'lean') forgetStart();
setTimeout(() => process.stdout.write(String(process.memoryUsage.rss() / 1e6)), 3500);
`;

function rssMb(how: 'lean' | 'as-it-is'): number {
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', PROGRAM, how], { encoding: 'utf8' });
  return Number(stdout);
}

it('gives back what the start left', () => {
  expect(rssMb('lean')).toBeLessThan(rssMb('as-it-is') - 10);
}, 30_000);
