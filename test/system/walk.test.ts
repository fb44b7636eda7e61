/**
 * The walk of hardware/walk.md: what is wrong with a channel of five stations is found from their logs alone, from what
 * `sluice top` shows, and from the report. SLUICE_PICTURES names a folder for the picture of top and the logs.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LogLine } from '../../src/observe/events.js';
import { MAIN, sluice } from './bridge-support.js';
import { open, picture, startBrowser } from './browser.js';
import { PtyTerminal } from './pty-terminal.js';
import { svgOf } from './terminal-picture.js';
import { DEAF, FLOODED, FLOODER, STUCK, UNHEARD_BY_DEAF, Walk } from './walk-scenario.js';

type Channel = Extract<LogLine, { event: 'channel' }>;

const HEALTHY = 1;

const walk = new Walk();
const folder = process.env.SLUICE_PICTURES ?? mkdtempSync(join(tmpdir(), 'sluice-walk-'));
const screens = new Map<number, string[]>();
const logs = new Map<number, LogLine[]>();

const tops = new Map<number, PtyTerminal>();

/** Top, beside a station from now on. */
function watch(number: number): void {
  tops.set(number, new PtyTerminal([process.execPath, MAIN, 'top', '--control', walk.station(number).control]));
}

/** What top shows at last, when what it should find may be some seconds old. */
const TELLING: Readonly<Record<number, RegExp>> = {
  [FLOODED]: /takes most/,
  [DEAF]: /never heard/,
  [STUCK]: /stuck carrier/,
};

async function look(number: number, terminal: PtyTerminal): Promise<void> {
  const telling = (lines: string[]): boolean =>
    lines.at(-1)?.startsWith('q quits') === true && TELLING[number]?.test(lines.join('\n')) === true;
  screens.set(number, await terminal.until(telling, `what is wrong, at station ${number}`));
  writeFileSync(join(folder, `top-${number}.svg`), svgOf(terminal.emulator));
}

function logFile(number: number): string {
  return join(folder, `station-${number}.ndjson`);
}

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  await walk.start();
  for (const number of [FLOODED, DEAF, STUCK]) watch(number);
  await walk.found();
  for (const [number, terminal] of tops) await look(number, terminal);
  await walk.close();
  for (const [number, text] of walk.logs()) {
    writeFileSync(logFile(number), text);
    logs.set(
      number,
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as LogLine),
    );
  }
}, 240_000);
afterAll(async () => {
  for (const terminal of tops.values()) await terminal.close();
  await walk.close();
  if (process.env.SLUICE_PICTURES === undefined) rmSync(folder, { recursive: true, force: true });
});

function channels(number: number): Channel[] {
  return (logs.get(number) ?? []).filter((line): line is Channel => line.event === 'channel');
}

/** Sums of a field that counts by station. */
function byStation(number: number, field: 'heardMs' | 'answered' | 'unanswered'): Map<number, number> {
  const sums = new Map<number, number>();
  for (const line of channels(number)) {
    for (const [station, value] of Object.entries(line[field] ?? {})) {
      sums.set(Number(station), (sums.get(Number(station)) ?? 0) + value);
    }
  }
  return sums;
}

function greatest(sums: ReadonlyMap<number, number>): number | undefined {
  return [...sums].sort(([, left], [, right]) => right - left)[0]?.[0];
}

/** The line of top that is about a neighbour. */
function row(of: number, neighbour: number): string | undefined {
  return screens.get(of)?.find((line) => line.startsWith(`${neighbour}  `));
}

describe('who floods the channel', () => {
  it('is in every log that hears it: the greatest airtime by far, and in its own, with a queue that does not empty', () => {
    for (const number of [HEALTHY, FLOODED, DEAF]) {
      const heard = byStation(number, 'heardMs');
      expect(greatest(heard)).toBe(FLOODER);
    }
    const own = (number: number): number =>
      channels(number).reduce((sum, line) => sum + line.txRatio * (line.endUnixMs - line.startUnixMs), 0);
    for (const number of [HEALTHY, FLOODED, DEAF, STUCK]) expect(own(FLOODER)).toBeGreaterThan(2 * own(number));
    expect(
      Math.min(
        ...channels(FLOODER)
          .slice(2)
          .map(({ queue }) => queue),
      ),
    ).toBeGreaterThan(20);
  });

  it('is on the screen of top', () => {
    expect(row(FLOODED, FLOODER)).toMatch(/! takes most$/);
  });
});

describe('who is deaf, and to whom', () => {
  it('is in the logs: heard by those whom it never hears, and never answers them', () => {
    for (const number of UNHEARD_BY_DEAF) {
      expect(byStation(DEAF, 'heardMs').has(number)).toBe(false);
      expect(byStation(number, 'heardMs').get(DEAF)).toBeGreaterThan(0);
      expect(byStation(number, 'unanswered').get(DEAF)).toBeGreaterThanOrEqual(3);
      expect(byStation(number, 'answered').has(DEAF)).toBe(false);
    }
    expect(byStation(DEAF, 'heardMs').get(FLOODER)).toBeGreaterThan(0);
  });

  it('is on the screen of top, on both sides', () => {
    expect(row(FLOODED, DEAF)).toMatch(/ 100\.0 % .*! deaf to us\?$/);
    expect(row(DEAF, HEALTHY)).toMatch(/^1 +never .*! never heard$/);
  });
});

describe('whose carrier is stuck', () => {
  it('is in its log, and in no other', () => {
    for (const [number, lines] of logs) {
      const begun = lines.filter((line) => line.event === 'stuck-busy' && line.change === 'begin');
      expect({ number, begun: begun.length > 0 }).toEqual({ number, begun: number === STUCK });
    }
    expect(channels(STUCK).reduce((sum, { stuckMs = 0 }) => sum + stuckMs, 0)).toBeGreaterThan(0);
    // Before it is told, the interval shows it: busy all the time, and nobody heard.
    expect(channels(STUCK).some((line) => line.busyRatio > 0.95 && Object.keys(line.heardMs).length === 0)).toBe(true);
  });

  it('is on the screen of its top, and of no other', () => {
    const stuck = [...screens].filter(([, lines]) => lines.some((line) => line.startsWith('! stuck carrier')));
    expect(stuck.map(([number]) => number)).toEqual([STUCK]);
  });
});

describe('the report', () => {
  it('names each cause', async () => {
    const { status, stdout, stderr } = await sluice([
      'report',
      ...[...logs.keys()].map(logFile),
      '-o',
      join(folder, 'report.html'),
    ]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    writeFileSync(join(folder, 'report.txt'), stdout);
    expect(stdout).toContain(`Station ${FLOODER} floods the channel`);
    expect(stdout).toContain(`Station ${DEAF} is deaf to stations ${UNHEARD_BY_DEAF.join(' and ')}`);
    expect(stdout).toContain(`Station ${STUCK} has a stuck carrier`);
    const browser = await startBrowser();
    try {
      const { page, requests, complaints } = await open(browser, join(folder, 'report.html'));
      expect({ requests: requests.length, complaints }).toEqual({ requests: 1, complaints: [] });
      await picture(page, 'report', 'window');
      await picture(page, 'report-sensed', '#sensed');
    } finally {
      await browser.close();
    }
  });
});
