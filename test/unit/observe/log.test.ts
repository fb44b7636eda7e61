/** The log itself: what a line looks like, how repeats are held back, where lines go. */
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isSluiceError } from '../../../src/base/errors.js';
import type { LogEvents } from '../../../src/observe/events.js';
import { isJournal, withPriorities } from '../../../src/observe/journal.js';
import { createLog, type Log, type LogLevel } from '../../../src/observe/log.js';
import { type LineStream, openLogFile } from '../../../src/observe/log-file.js';

const BASE = { interface: 'sluice0', station: 7 };

/** A log whose lines, and the timers that it asks for, are at hand. */
function logged(level: LogLevel = 'info', output?: (stream: LineStream) => LineStream) {
  const texts: string[] = [];
  const timers: (() => void)[] = [];
  const stream: LineStream = { write: (line) => void texts.push(line) };
  const log = createLog({
    level,
    format: 'json',
    base: BASE,
    output: output?.(stream) ?? stream,
    later: (_ms, callback) => {
      timers.push(callback);
      return () => void timers.splice(timers.indexOf(callback), 1);
    },
  });
  return { log, texts, timers, lines: () => texts.map((text) => JSON.parse(text) as Record<string, unknown>) };
}

const conflict = { type: 'ip', destination: 3, sequence: 4, bodyBytes: 5 };
const lost = (log: Log, cause: string): void => log.warn('line-lost', { line: '/dev/x', cause });
const open = (log: Log, reopens: number): void => log.info('line-open', { line: '/dev/x', reopens });

describe('a line of the log', () => {
  it('is JSON with level, time, interface, station and event', () => {
    const { log, lines, texts } = logged();
    log.rebase({ interface: 'radio0' });
    open(log, 0);
    expect(texts[0]).toMatch(/^\{"level":30,.*\}\n$/);
    expect(lines()).toMatchObject([{ level: 30, interface: 'radio0', station: 7, event: 'line-open', reopens: 0 }]);
    expect(Math.abs(Number(lines()[0]?.time) - Date.now())).toBeLessThan(60_000);
  });

  it('has a priority in front where the journal reads it', () => {
    const { log, texts } = logged('debug', withPriorities);
    log.error('address-conflict', { ...conflict, remedy: 'r' });
    lost(log, 'c');
    open(log, 1);
    log.debug('line-retry', { line: 'x', cause: 'c', nextMs: 1 });
    const heads = texts.map((text) => text.slice(0, '<0>{"level":00'.length));
    expect(heads).toEqual(['<3>{"level":50', '<4>{"level":40', '<6>{"level":30', '<7>{"level":20']);
  });
});

describe('isJournal', () => {
  it('compares device and inode, as systemd says', () => {
    const fd = openSync(process.execPath, 'r');
    try {
      const { dev, ino } = statSync(process.execPath);
      expect(isJournal(fd, {})).toBe(false);
      expect(isJournal(fd, { JOURNAL_STREAM: `${dev}:${ino}` })).toBe(true);
      expect(isJournal(fd, { JOURNAL_STREAM: `${dev}:${ino}1` })).toBe(false);
    } finally {
      closeSync(fd);
    }
  });
});

describe('repeats', () => {
  it('are held back, and told of with their number when the window is over', () => {
    const { log, lines, timers } = logged();
    for (let round = 0; round < 8; round++) {
      lost(log, `loss ${round}`);
      open(log, round);
    }
    expect(lines()).toHaveLength(10);
    expect(timers).toHaveLength(1);
    timers.shift()?.();
    // Sixteen events: ten passed, the newest comes now, the five between are left out.
    expect(lines()).toHaveLength(11);
    expect(lines()[10]).toMatchObject({ event: 'line-open', reopens: 7, repeats: 5 });
    // Still at it: one line a window.
    lost(log, 'again');
    expect(lines()).toHaveLength(11);
    timers.shift()?.();
    expect(lines()[11]).toMatchObject({ event: 'line-lost', cause: 'again' });
    expect(lines()[11]).not.toHaveProperty('repeats');
    // A quiet window opens it again.
    timers.shift()?.();
    expect(timers).toHaveLength(0);
    open(log, 9);
    expect(lines()).toHaveLength(13);
  });

  it('are told of before the log ends', () => {
    const { log, lines, timers } = logged();
    for (let i = 0; i < 4; i++) log.error('address-conflict', { ...conflict, remedy: `${i}` });
    log.info('stopped', { reason: 'SIGTERM', drops: {}, queue: { kept: 0, lost: 0 } });
    expect(lines().map(({ event, repeats, remedy }) => [event, remedy, repeats])).toEqual([
      ['address-conflict', '0', undefined],
      ['address-conflict', '3', 2],
      ['stopped', undefined, undefined],
    ]);
    expect(timers).toHaveLength(0);
  });

  it('count by neighbour, so that one that flaps does not hide another', () => {
    const { log, lines } = logged();
    for (let i = 0; i < 10; i++) log.info('neighbour', { neighbour: 3, change: i % 2 === 0 ? 'seen' : 'lost' });
    log.info('neighbour', { neighbour: 4, change: 'seen' });
    expect(lines().map(({ neighbour }) => neighbour)).toEqual([3, 3, 3, 3, 4]);
  });

  it('below the level of the log are nobody’s concern', () => {
    const { log, lines, timers } = logged();
    for (let i = 0; i < 100; i++) log.debug('line-retry', { line: 'x', cause: 'c', nextMs: 1 });
    expect(lines()).toEqual([]);
    expect(timers).toEqual([]);
  });
});

describe('the log file', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const failed = (cause: Error): void => {
    throw cause;
  };
  const drop: LogEvents['drop'] = { cause: 'deadline', frames: 1, total: 1, meaning: 'm'.repeat(500) };

  it('gets what standard output gets', async () => {
    const file = await openLogFile({ file: join(folder, 'log/a.log'), fileBytes: 4096, filesKept: 1, failed });
    const texts: string[] = [];
    const log = createLog({
      level: 'info',
      format: 'json',
      base: BASE,
      file,
      output: { write: (text) => void texts.push(text) },
    });
    open(log, 0);
    lost(log, 'c');
    expect(readFileSync(join(folder, 'log/a.1.log'), 'utf8')).toBe(texts.join(''));
    expect(texts).toHaveLength(2);
  });

  it('is followed by the next one when it is full, and only so many are kept, those of earlier runs included', async () => {
    writeFileSync(join(folder, 'a.7.log'), 'an earlier run\n');
    writeFileSync(join(folder, 'a.8.log'), 'an earlier run\n');
    const file = await openLogFile({ file: join(folder, 'a.log'), fileBytes: 4096, filesKept: 2, failed });
    const log = createLog({ level: 'info', format: 'json', base: BASE, file, output: { write: () => undefined } });
    for (let i = 0; i < 60; i++) {
      log.warn('drop', { ...drop, total: i });
      await sleep(1);
    }
    const until = Date.now() + 5000;
    while (readdirSync(folder).length > 3 && Date.now() < until) await sleep(10);
    const names = readdirSync(folder).sort((left, right) => Number(left.slice(2, -4)) - Number(right.slice(2, -4)));
    expect(names).toHaveLength(3);
    expect(Number(names[2]?.slice(2, -4))).toBeGreaterThan(12);
    const kept = names.map((name) => readFileSync(join(folder, name), 'utf8'));
    for (const text of kept) expect(text.length).toBeLessThan(4096 + 2000);
    // Nothing between two files is lost, and no line is torn.
    const totals = kept.flatMap((text) => text.trim().split('\n')).map((line) => Number(JSON.parse(line).total));
    expect(totals).toEqual(Array.from({ length: totals.length }, (_, index) => 60 - totals.length + index));
  });

  it('that cannot be opened is a failure with a remedy', async () => {
    writeFileSync(join(folder, 'a'), '');
    const error = await openLogFile({ file: join(folder, 'a/b.log'), fileBytes: 4096, filesKept: 1, failed }).catch(
      (caught: unknown) => caught,
    );
    expect(isSluiceError(error) && [error.exitCode, error.message, error.details.remedy]).toEqual([
      2,
      expect.stringMatching(/--log-file.*a\/b\.log cannot be written: E[A-Z]+/),
      expect.stringContaining('folder'),
    ]);
  });
});
