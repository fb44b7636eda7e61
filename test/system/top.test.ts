/** `sluice top` on a terminal, on none, and while its bridge goes away. */
import { spawn, spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Neighbourhood, type Station } from '../../src/daemon/stations.js';
import { arrivals, FAST_RADIO, MAIN, SINK, sendDatagrams } from './bridge-support.js';
import { nextTurns } from './native-support.js';
import { PtyTerminal } from './pty-terminal.js';

const place = new Neighbourhood();
let first: Station;

function up(station: Station, number: number): Promise<unknown> {
  const { profile, settings = [] } = FAST_RADIO;
  return station.up({ number, profile, port: place.medium.port(number), settings });
}

beforeAll(async () => {
  await place.startMedium(`${FAST_RADIO.medium}\nstations: [{ id: 1 }, { id: 2 }]\n`, 1);
  first = await place.open();
  const second = await place.open();
  await up(first, 1);
  await up(second, 2);
  await second.call('receive', { port: SINK });
  await sendDatagrams(first, 2, 1, 3);
  await arrivals(second, 1, 3);
});
afterAll(() => place.close());

function command(intervalS = 1): string[] {
  return [process.execPath, MAIN, 'top', '--control', first.control, '--interval', String(intervalS)];
}

async function onTerminal(
  run: (terminal: PtyTerminal) => Promise<void>,
  { env = {}, intervalS = 1 }: { env?: NodeJS.ProcessEnv; intervalS?: number } = {},
): Promise<void> {
  const terminal = new PtyTerminal(command(intervalS), env);
  try {
    await run(terminal);
  } finally {
    await terminal.close();
  }
}

const whole = (lines: string[]): boolean => lines.at(-1)?.startsWith('q quits') === true;

describe('sluice top on a terminal', () => {
  it('shows the bridge on 80x24, and looks again', async () => {
    await onTerminal(async (terminal) => {
      const lines = await terminal.until(whole, 'a whole screen');
      expect(terminal.emulator.buffer.active.type).toBe('alternate');
      expect(lines[0]).toMatch(/^sluice top {2}sluice0, station 1, radio-9600, up 0:00:\d\d +\d\d:\d\d:\d\d$/);
      expect(lines[1]).toMatch(/^line open, .*station-1; back pressure (gate|native)$/);
      for (const kind of ['# own', '= others', '. idle']) {
        expect(lines.some((line) => line.startsWith(kind) && / \d+\.\d % .*\[.*\]$/.test(line))).toBe(true);
      }
      // On a busy machine the answers may have come too late, which top remarks on at the end of the line.
      expect(lines.find((line) => line.startsWith('2  '))).toMatch(
        /^2 +\S+ m?s ago +\d+\.\d % .*\d+\.\d % +- +\d+( +! deaf to us\?)?$/,
      );
      expect(lines.join('\n')).toMatch(/^window \d+ slots of .* delay p50 .*\nqueue 0 packets, 0 octets/m);
      await terminal.until((now) => now[0] !== lines[0] && whole(now), 'another look');
      // Nothing of it is told by colour alone, so there may be some.
      expect(terminal.written).toContain('\u001b[32m');
      terminal.press('q');
      expect(await terminal.exit()).toBe(0);
      expect(terminal.asFound()).toBe(true);
    });
  });

  it('follows the size of the terminal at once', async () => {
    const run = async (terminal: PtyTerminal) => {
      const small = await terminal.until(whole, 'a whole screen');
      terminal.resize(120, 40);
      const large = await terminal.until(
        (lines) => lines[39]?.startsWith('q quits') === true && lines[0]?.length === 120,
        'a larger screen',
      );
      expect(small[0]).toHaveLength(80);
      expect(large.filter((line) => line.startsWith('q quits'))).toHaveLength(1);
      terminal.resize(60, 15);
      await terminal.until((lines) => whole(lines) && lines[0]?.startsWith('sluice top') === true, 'a smaller one');
      terminal.press('q');
      expect(await terminal.exit()).toBe(0);
    };
    await onTerminal(run, { intervalS: 60 });
  });

  it('uses no colour where none is wanted', async () => {
    await onTerminal(
      async (terminal) => {
        await terminal.until(whole, 'a whole screen');
        // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
        expect(terminal.written).not.toMatch(/\u001b\[[\d;]*m/);
        terminal.press('q');
        expect(await terminal.exit()).toBe(0);
      },
      { env: { NO_COLOR: '1' } },
    );
  });

  it.each([
    ['Ctrl-C', (terminal: PtyTerminal) => terminal.press('\u0003')],
    ['SIGTERM', (terminal: PtyTerminal) => terminal.process.kill('SIGTERM')],
    ['SIGINT', (terminal: PtyTerminal) => terminal.process.kill('SIGINT')],
  ])('gives the terminal back after %s', async (_what, end) => {
    await onTerminal(async (terminal) => {
      await terminal.until(whole, 'a whole screen');
      expect(terminal.asFound()).toBe(false);
      end(terminal);
      expect(await terminal.exit()).toBe(0);
      expect(terminal.asFound()).toBe(true);
    });
  });

  it('says that no bridge runs, and leaves the terminal alone', async () => {
    const terminal = new PtyTerminal([process.execPath, MAIN, 'top', '--control', '/nowhere/sluice.sock']);
    try {
      expect(await terminal.exit()).toBe(4);
      expect(terminal.screen().slice(0, 2)).toEqual([
        'sluice: no daemon answers on /nowhere/sluice.sock',
        '  Start one with "sluice up", or name its socket with --control.',
      ]);
      expect(terminal.asFound()).toBe(true);
    } finally {
      await terminal.close();
    }
  });
});

describe('sluice top without a terminal', () => {
  it('writes a line at each look, until SIGTERM', async () => {
    const [program = '', ...args] = command();
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    const exit = new Promise((resolve) => child.once('exit', resolve));
    try {
      for (let i = 0; i < 500 && text.split('\n').length < 3; i++) await nextTurns(20);
    } finally {
      child.kill('SIGTERM');
    }
    expect(await exit).toBe(0);
    const lines = text.trimEnd().split('\n');
    expect(lines.length).toBeGreaterThanOrEqual(2);
    for (const line of lines) {
      expect(line).toMatch(
        /^\d\d:\d\d:\d\d sluice0 last \d+ s; own \d+\.\d %, others \d+\.\d %, idle \d+\.\d %; window \d+; .*; station 2 airtime/,
      );
    }
  });

  it('is content with a reader that has seen enough', async () => {
    const all = `set -o pipefail; ${command().join(' ')} | head -n 1`;
    const { status, stdout, stderr } = spawnSync('bash', ['-c', all], { encoding: 'utf8', timeout: 30_000 });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.split('\n')).toHaveLength(2);
  });
});

describe('a bridge that goes away', () => {
  it('is waited for', async () => {
    await onTerminal(async (terminal) => {
      await terminal.until(whole, 'a whole screen');
      await first.call('down', { signal: 'SIGTERM' });
      await terminal.until((lines) => lines[2]?.startsWith('! no answer from the bridge for ') === true, 'no answer');
      await up(first, 1);
      const lines = await terminal.until((now) => now[2] === '' && whole(now), 'the bridge that came back');
      expect(lines[0]).toMatch(/up 0:00:0\d /);
      terminal.press('q');
      expect(await terminal.exit()).toBe(0);
      expect(terminal.asFound()).toBe(true);
    });
  });
});
