/** What the demonstration says of how to watch it: each of those commands, as printed, works while it runs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, MAIN, sluice } from './bridge-support.js';
import { ROOT } from './daemon-support.js';

const PATIENCE_MS = 30_000;
/** Instead of curl, which is not everywhere. */
const FETCH = `${process.execPath} -e "fetch(process.argv[1]).then((r) => r.text()).then(console.log)"`;

let folder = '';
let demo: ChildProcess;
let ended: Promise<unknown>;
let commands: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  const args = ['demo', '--stations', '2', '--seconds', '120', '--logs', join(folder, 'logs')];
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  demo = child;
  ended = new Promise((resolve) => child.once('close', resolve));
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await eventually(
    async () => said,
    (text) => text.includes('5 s: packets carried'),
    'the traffic',
  );
  commands = said.split('\n').flatMap((line) => / s {4}((?:npx|nsenter) .*)/.exec(line)?.[1] ?? []);
}, 60_000);

afterAll(async () => {
  demo?.kill('SIGINT');
  await ended;
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

/** As a user would copy it, until it has printed this. @returns what it printed, and what went wrong */
async function output(command: string, wanted: RegExp): Promise<string> {
  const here = command
    .replace('npx sluice', `${process.execPath} ${MAIN}`)
    .replace('report.html', join(folder, 'report.html'))
    .replace('curl -s', FETCH)
    // A terminal gets its lines at once, a pipe only so.
    .replace('tshark', 'tshark -l');
  const child = spawn('sh', ['-c', here], { cwd: ROOT, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const interrupt = (): void => void process.kill(-(child.pid ?? Number.NaN), 'SIGINT');
  const patience = setTimeout(interrupt, PATIENCE_MS);
  let printed = '';
  let found = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (data: string) => {
      printed += data;
      if (!found && wanted.test(printed)) {
        found = true;
        // All of them, as Ctrl-C does; one that ends by itself may be gone.
        if (child.exitCode === null) interrupt();
      }
    });
  }
  await new Promise((resolve) => child.once('close', resolve));
  clearTimeout(patience);
  return printed;
}

const WANTED = [
  /sluice0 .*own \d/,
  /"interface":"sluice0","station":1/,
  / out 1 > 2 ip \d+, \d+ octets, /,
  /10\.0\.0\.1 → 10\.0\.0\.2 +UDP/,
  /10\.0\.0\.1 → 10\.0\.0\.2 +UDP/,
  /^sluice_\w+\{.*interface="sluice0".*\} \d/m,
  /stations 1 and 2/,
];

describe('sluice demo', () => {
  it('prints commands that show its bridges while it runs, and its logs stay', { timeout: 60_000 }, async () => {
    expect(commands).toHaveLength(WANTED.length);
    const printed = await Promise.all(WANTED.map((wanted, index) => output(commands[index] ?? '', wanted)));
    for (const [index, wanted] of WANTED.entries()) expect(printed[index], commands[index]).toMatch(wanted);

    demo.kill('SIGINT');
    await ended;
    const logs = [1, 2].map((station) => join(folder, `logs/station-${station}.1.log`));
    expect(readFileSync(logs[0] ?? '', 'utf8')).toContain('"event":"stopped"');
    const { stdout } = await sluice(['report', ...logs, '-o', join(folder, 'report.html')]);
    expect(stdout).toContain('stations 1 and 2');
  });
});
