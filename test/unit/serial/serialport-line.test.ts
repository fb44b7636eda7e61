/** What only a tty has: settings, locks, what is no tty. Everything on real ptys; the contract is in test/contract. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SluiceError } from '../../../src/base/errors.js';
import { setModemLines, writeOctets } from '../../../src/native/descriptors.js';
import type { TtyExtras } from '../../../src/serial/tty-settings.js';
import { ptyBench, ttyExtras, ttyLine } from '../../contract/pty-bench.js';
import { delay, until } from '../../contract/timer-scheduler.js';

/** asm-generic/errno-base.h */
const EIO = 5;

const quiet = { data: () => undefined, lost: () => undefined };

const openFailure = async (line: ReturnType<typeof ttyLine>): Promise<SluiceError> => {
  const failure = await line.open(quiet).catch((error: unknown) => error);
  await line.close();
  if (failure instanceof SluiceError) return failure;
  throw new Error(`opened, or failed otherwise: ${failure}`);
};

/** What stty says of a tty. */
const stty = (path: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn('stty', ['-a', '-F', path], { env: { LC_ALL: 'C', PATH: process.env.PATH } });
    let out = '';
    child.stdout.on('data', (text) => {
      out += text;
    });
    child.on('error', reject).on('close', () => resolve(out));
  });

describe('SerialPortLine on a pty', () => {
  let bench: Awaited<ReturnType<typeof ptyBench>>;

  beforeEach(async () => {
    bench = await ptyBench();
  });

  afterEach(async () => {
    await bench.line.close();
    await bench.dispose();
  });

  it.each([
    [{}, 'speed 115200 baud', ['-parenb', 'cs8', '-cstopb', '-crtscts', '-ixon', '-ixoff']],
    [{ baudRate: 300 }, 'speed 300 baud', []],
    [{ baudRate: 9600, stopBits: 2 }, 'speed 9600 baud', ['cstopb']],
    [{ flowControl: 'xonxoff' }, 'speed 115200 baud', ['ixon', 'ixoff', '-ixany']],
    [{ flowControl: 'rtscts' }, 'speed 115200 baud', ['crtscts']],
  ] as const)('sets the port up raw, with %j', async (settings, speed, expected) => {
    const line = ttyLine(bench.pty.path, settings);
    await line.open(quiet);
    const state = await stty(bench.pty.path);
    const words = state.split(/\s+/);
    expect(state).toContain(speed);
    expect(words).toEqual(expect.arrayContaining([...expected, '-icrnl', '-opost', '-icanon', '-isig', '-echo']));
    await line.close();
  });

  it('sets a rate that termios has no constant for (it reads back what the port runs at, and refuses another)', async () => {
    const line = ttyLine(bench.pty.path, { baudRate: 31_250 });
    await line.open(quiet);
    // stty knows the traditional rates only, and shows none of them.
    expect(await stty(bench.pty.path)).toMatch(/speed (0|31250) baud/);
    await line.close();
  });

  it('bears that a pty has no DTR and RTS', async () => {
    const line = ttyLine(bench.pty.path, { dtr: true, rts: false, lowLatency: true });
    await line.open(quiet);
    await line.close();
  });

  it('runs at another rate from then on, and has no lines to set on a pty', async () => {
    const line = ttyLine(bench.pty.path, { baudRate: 9600 }, { ...ttyExtras, setModemLines });
    expect(line.setBaudRate(1200)).toBe(false);
    await line.open(quiet);
    expect(line.setBaudRate(1200)).toBe(true);
    expect(line.setOutputs({ rts: true })).toBe(false);
    let state = '';
    for (let looks = 0; looks < 100 && !state.includes('speed 1200 baud'); looks++) state = await stty(bench.pty.path);
    expect(state).toContain('speed 1200 baud');
    await line.close();
    expect(line.setBaudRate(9600)).toBe(false);
  });

  it('raises and drops what is named, and nothing else', async () => {
    const calls: number[][] = [];
    const extras: TtyExtras = { ...ttyExtras, setModemLines: (_, raise, drop) => calls.push([raise, drop]) && 0 };
    const line = ttyLine(bench.pty.path, {}, extras);
    await line.open(quiet);
    expect(line.setOutputs({ rts: true })).toBe(true);
    expect(line.setOutputs({ rts: false, dtr: true })).toBe(true);
    expect(calls).toEqual([
      [4, 0],
      [2, 4],
    ]);
    await line.close();
  });

  it('asks for low latency, waits for a drain and reads the inputs by the calls it was given', async () => {
    const calls: unknown[] = [];
    const extras: TtyExtras = {
      ...ttyExtras,
      setLowLatency: (_, on) => calls.push(['low latency', on]) && 0,
      modemLines: () => 0x20,
      drain: (_, done) => {
        queueMicrotask(() => done(0));
        return () => calls.push('drain ended');
      },
    };
    const plain = ttyLine(bench.pty.path, {}, extras);
    await plain.open(quiet);
    await plain.close();
    expect(calls).toEqual([]);
    const line = ttyLine(bench.pty.path, { lowLatency: true }, extras);
    await line.open(quiet);
    expect(calls).toEqual([['low latency', true]]);
    expect(line.inputs()).toEqual({ cts: true, dsr: false, dcd: false, ring: false });
    await new Promise<void>((resolve) => {
      expect(line.drain(resolve)).toBe(true);
    });
    expect(calls.at(-1)).toBe('drain ended');
    await line.close();
    expect(line.drain(() => undefined)).toBe(false);
  });

  it.each([
    ['with our lock', ttyExtras],
    ['with serialport’s lock', undefined],
  ])(
    'refuses a port that another line has open (%s), leaves its settings alone, and gets it afterwards',
    async (_, extras) => {
      const first = ttyLine(bench.pty.path, { baudRate: 1200 });
      await first.open(quiet);
      const second = ttyLine(bench.pty.path, { baudRate: 9600 }, extras);
      const failure = await openFailure(second);
      expect(failure.message).toMatch(/another program/);
      expect(failure.details.remedy).toMatch(/fuser/);
      expect(await stty(bench.pty.path)).toMatch(/speed 1200 baud/);
      await first.close();
      await second.open(quiet);
      await second.close();
    },
  );

  it('marks the port exclusive while it is open, by flock first', async () => {
    const calls: string[] = [];
    const extras: TtyExtras = {
      ...ttyExtras,
      lockExclusive: (fd) => {
        calls.push('flock');
        return ttyExtras.lockExclusive(fd);
      },
      setExclusive: (fd, exclusive) => {
        calls.push(`exclusive ${exclusive}`);
        return ttyExtras.setExclusive(fd, exclusive);
      },
    };
    const line = ttyLine(bench.pty.path, {}, extras);
    await line.open(quiet);
    expect(calls).toEqual(['flock', 'exclusive true']);
    await line.close();
    expect(calls).toEqual(['flock', 'exclusive true', 'exclusive false']);
  });

  it('waits while it settles, and then delivers what came meanwhile', async () => {
    const line = ttyLine(bench.pty.path, { settleUs: 150_000 });
    const octets: number[] = [];
    const startMs = performance.now();
    const opening = line.open({ ...quiet, data: (arrived) => octets.push(...arrived) });
    await delay(60);
    bench.send(Uint8Array.of(1, 2, 3));
    await delay(20);
    expect(octets).toEqual([]);
    await opening;
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(149);
    await until('data', () => octets.length === 3);
    await line.close();
  });

  it('ends a pause to settle when it is closed', async () => {
    const line = ttyLine(bench.pty.path, { settleUs: 60_000_000 });
    const opening = line.open(quiet).catch((error: unknown) => error);
    await delay(50);
    await line.close();
    expect(await opening).toBeInstanceOf(SluiceError);
  });

  it('knows the input that waits in the kernel', async () => {
    await bench.line.open(quiet);
    expect(bench.line.pendingInputBytes()).toBe(0);
    bench.pty.write(Uint8Array.of(1, 2, 3, 4));
    // The event loop has no turn here, so nobody has read; the kernel passes octets on by a worker of its own.
    const endMs = performance.now() + 5000;
    while (bench.line.pendingInputBytes() < 4 && performance.now() < endMs);
    expect(bench.line.pendingInputBytes()).toBe(4);
    await until('they are read', () => bench.line.pendingInputBytes() === 0);
  });

  it('can be opened again after a loss', async () => {
    let losses = 0;
    await bench.line.open({ ...quiet, lost: () => losses++ });
    bench.hangUp();
    await until('the loss', () => losses === 1);
    expect((await bench.line.open(quiet).catch((error: unknown) => error)) instanceof SluiceError).toBe(true);
    await bench.line.close();
  });

  it('looks full from a loss until it is reported, so that nobody takes it for a line with room', async () => {
    let gone = false;
    const write: TtyExtras['write'] = (fd, octets) => (gone ? -EIO : writeOctets(fd, octets));
    const line = ttyLine(bench.pty.path, {}, { ...ttyExtras, write });
    let losses = 0;
    await line.open({ ...quiet, lost: () => losses++ });
    gone = true;
    line.write(new Uint8Array(100));
    expect(losses).toBe(0);
    expect(line.unwrittenBytes).toBeGreaterThan(1_000_000);
    await until('the loss', () => losses === 1);
    expect(line.unwrittenBytes).toBe(0);
    expect(line.statistics).toMatchObject({ bytesOut: 0, bytesDropped: 100 });
    await line.close();
  });

  it('does not lose what was written just before it was closed', async () => {
    await bench.line.open(quiet);
    bench.line.write(new Uint8Array(2000).fill(7));
    await bench.line.close();
    await until('everything', () => bench.receivedBytes() === 2000);
  });

  it('hands an error of its listener on to the process, and goes on', async () => {
    const caught: unknown[] = [];
    const catcher = (error: unknown): void => void caught.push(error);
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', catcher);
    try {
      let calls = 0;
      const failing = () => {
        if (++calls === 1) throw new Error('a bug above');
      };
      await bench.line.open({ ...quiet, data: failing });
      bench.send(Uint8Array.of(1));
      await until('the error', () => caught.length === 1);
      bench.send(Uint8Array.of(2));
      await until('the next data', () => calls === 2);
    } finally {
      process.off('uncaughtException', catcher);
      for (const other of others) process.on('uncaughtException', other);
    }
  });
});

describe('SerialPortLine', () => {
  it.each(['/dev/null', '/etc/passwd'])('refuses %s, which is no tty', async (path) => {
    const failure = await openFailure(ttyLine(path));
    expect(failure.message).toMatch(/not a serial port/);
    expect(failure.details.errno).toBe('ENOTTY');
  });

  it('refuses a folder', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-line-'));
    try {
      expect((await openFailure(ttyLine(folder))).message).toMatch(/not a serial port/);
    } finally {
      rmdirSync(folder);
    }
  });
});
