/** Pty pairs, and questions to a tty by its descriptor. */
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Pty } from '../../src/native/addon.js';
import {
  inputBytes,
  lockExclusive,
  outputBytes,
  readOctets,
  setExclusive,
  watchDescriptor,
} from '../../src/native/descriptors.js';
import { nextTurns, openDescriptors, thrownBy, until } from './native-support.js';

const SLAVE_FLAGS = constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK;
const EAGAIN = 11;
const ENOTTY = 25;

function octets(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}

describe('Pty', () => {
  it('carries every octet value both ways unchanged', async () => {
    const pty = new Pty();
    const slave = openSync(pty.path, SLAVE_FLAGS);
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    expect(pty.write(all)).toBe(256);
    await until(() => inputBytes(slave) === 256, 'octets at the slave');
    const down = new Uint8Array(300);
    expect(readSync(slave, down)).toBe(256);
    expect(down.subarray(0, 256)).toEqual(all);

    let readable = false;
    pty.arm(() => {
      readable = true;
    });
    writeSync(slave, all);
    await until(() => readable, 'octets at the master');
    const up = new Uint8Array(300);
    expect(pty.read(up)).toBe(256);
    expect(up.subarray(0, 256)).toEqual(all);
    // No echo, in either direction.
    expect(pty.read(up)).toBe(-1);
    expect(inputBytes(slave)).toBe(0);
    closeSync(slave);
    pty.close();
  });

  it('sees no hang-up while it holds the slave, and one after', async () => {
    const pty = new Pty();
    const buffer = new Uint8Array(16);
    closeSync(openSync(pty.path, SLAVE_FLAGS));
    let woken = false;
    pty.arm(() => {
      woken = true;
    });
    await nextTurns(20);
    expect(woken).toBe(false);
    expect(pty.read(buffer)).toBe(-1);

    const slave = openSync(pty.path, SLAVE_FLAGS);
    pty.releaseSlave();
    pty.releaseSlave();
    expect(pty.read(buffer)).toBe(-1);
    closeSync(slave);
    await until(() => woken, 'hang-up');
    expect(pty.read(buffer)).toBe(0);
    pty.close();
  });

  it('takes part of what does not fit, then nothing', () => {
    const pty = new Pty();
    const much = new Uint8Array(1 << 20);
    const taken = pty.write(much);
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThan(much.length);
    let last = taken;
    for (let i = 0; i < 100 && last > 0; i++) last = pty.write(much);
    expect(last).toBe(-EAGAIN);
    pty.close();
  });

  it('closes twice, leaves nothing open, and refuses after', () => {
    const before = openDescriptors();
    const pty = new Pty();
    expect(openDescriptors()).toBe(before + 2);
    pty.arm(() => undefined);
    pty.close();
    pty.close();
    expect(openDescriptors()).toBe(before);
    expect(thrownBy(() => pty.arm(() => undefined)).details.errno).toBe('EBADF');
    expect(thrownBy(() => pty.read(new Uint8Array(4))).details.errno).toBe('EBADF');
  });
});

describe('questions to a descriptor', () => {
  it('counts octets that wait, and refuses what is no tty', async () => {
    const pty = new Pty();
    const slave = openSync(pty.path, SLAVE_FLAGS);
    expect(inputBytes(slave)).toBe(0);
    pty.write(octets(1, 2, 3));
    await until(() => inputBytes(slave) === 3, 'three octets');
    expect(outputBytes(slave)).toBeGreaterThanOrEqual(0);
    closeSync(slave);
    pty.close();
    const file = openSync('/dev/null', 'r');
    expect(outputBytes(file)).toBe(-ENOTTY);
    expect(setExclusive(file, true)).toBe(-ENOTTY);
    closeSync(file);
  });

  it('locks a tty against a second holder, until the first lets go', () => {
    const pty = new Pty();
    const first = openSync(pty.path, SLAVE_FLAGS);
    const second = openSync(pty.path, SLAVE_FLAGS);
    expect(setExclusive(first, true)).toBe(0);
    expect(setExclusive(first, false)).toBe(0);
    expect(lockExclusive(first)).toBe(0);
    expect(lockExclusive(first)).toBe(0);
    expect(lockExclusive(second)).toBe(-EAGAIN);
    closeSync(first);
    expect(lockExclusive(second)).toBe(0);
    closeSync(second);
    pty.close();
  });
});

describe('watchDescriptor', () => {
  it('calls as long as it is so, with what is so, until it is closed', async () => {
    const pty = new Pty();
    const slave = openSync(pty.path, SLAVE_FLAGS);
    const seen: number[] = [];
    const watch = watchDescriptor(slave, (events) => seen.push(events));
    watch.watch(1);
    await nextTurns(20);
    expect(seen).toEqual([]);
    pty.write(octets(1, 2, 3));
    await until(() => seen.length > 2, 'several calls without being asked again');
    expect(new Set(seen)).toEqual(new Set([1]));
    expect(readOctets(slave, new Uint8Array(16))).toBe(3);
    await nextTurns(20);
    const before = seen.length;
    await nextTurns(20);
    expect(seen).toHaveLength(before);
    watch.watch(3);
    await until(() => seen.includes(2), 'writable');
    watch.close();
    watch.close();
    const last = seen.length;
    await nextTurns(20);
    expect(seen).toHaveLength(last);
    expect(thrownBy(() => watch.watch(1)).details.errno).toBe('EBADF');
    closeSync(slave);
    pty.close();
  });

  it('calls when the other end is gone', async () => {
    const pty = new Pty();
    const slave = openSync(pty.path, SLAVE_FLAGS);
    let calls = 0;
    const watch = watchDescriptor(slave, () => {
      calls++;
      watch.close();
    });
    watch.watch(1);
    pty.close();
    await until(() => calls > 0, 'hang-up');
    closeSync(slave);
  });
});

describe('readOctets', () => {
  it('reads on as long as the pieces are full, and not past the buffer', async () => {
    const pty = new Pty();
    const slave = openSync(pty.path, SLAVE_FLAGS);
    const sent = Uint8Array.from({ length: 9000 }, (_, i) => (i * 31) % 251);
    expect(pty.write(sent)).toBe(9000);
    await until(() => inputBytes(slave) > 4000, 'octets at the slave');
    const got: number[] = [];
    const buffer = new Uint8Array(5000);
    await until(() => {
      const bytes = readOctets(slave, buffer);
      expect(bytes).toBeLessThanOrEqual(5000);
      got.push(...buffer.subarray(0, Math.max(0, bytes)));
      return got.length === 9000;
    }, 'all octets');
    expect(Uint8Array.from(got)).toEqual(sent);
    expect(readOctets(slave, buffer)).toBe(-EAGAIN);
    closeSync(slave);
    pty.close();
  });
});
