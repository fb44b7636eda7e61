/**
 * Modem lines, draining and low latency on a serial driver of the kernel, which a pty has not: two emulated UARTs with a
 * null-modem cable between them (cable.cc), on one of Debian's kernels in the lab.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPtyPort } from '../../src/daemon/pty-port.js';
import { availableKernels } from './available.js';
import { runInLab } from './lab.js';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const IN_LAB = 'dist/test/kernel/in-lab-lines.js';
const ENOTTY = 25;
/** The two ports of the PCI card, wherever the kernel puts them. */
const SCRIPT = `
set -- $(find /sys/devices/pci* -name 'ttyS*' | sed 's:.*/:/dev/:' | sort)
for port in "$@"; do stty -F $port raw -echo crtscts 115200; done
node ${IN_LAB} "$@"`;

interface Seen {
  readonly levels: unknown;
  readonly awaited: unknown;
  readonly watched: unknown;
  readonly drained: unknown;
  readonly lowLatency: unknown;
  readonly rs485: number;
}

const [kernel] = [...(await availableKernels(['6.12', '6.1', '7.3'])).values()];
if (kernel) {
  describe(`a serial port of linux ${kernel.release}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-cable-'));
    const [left, right] = [openPtyPort(), openPtyPort()];
    let seen: Seen;

    beforeAll(async () => {
      left.onData((octets) => right.write(octets));
      right.onData((octets) => left.write(octets));
      const cable = join(folder, 'cable.so');
      execFileSync('g++', ['-shared', '-fPIC', '-o', cable, join(PROJECT, 'test/kernel/cable.cc')]);
      const { output, status } = await runInLab({
        kernel,
        projectDir: PROJECT,
        entries: [IN_LAB],
        script: SCRIPT,
        timeoutMs: 180_000,
        machine: [
          ...[
            '-chardev',
            `serial,id=left,path=${left.slavePath}`,
            '-chardev',
            `serial,id=right,path=${right.slavePath}`,
          ],
          ...['-device', 'pci-serial-2x,chardev1=left,chardev2=right'],
        ],
        environment: { LD_PRELOAD: cable, CABLE_LEFT: left.slavePath, CABLE_RIGHT: right.slavePath },
      });
      expect(status, output).toBe(0);
      seen = JSON.parse(output.split('\n').at(-1) ?? '');
    });
    afterAll(() => {
      left.close();
      right.close();
      rmSync(folder, { recursive: true, force: true });
    });

    test('tells the levels that the other end sets', () => {
      const on = { cts: true, dsr: true, dcd: true, ring: false };
      expect(seen.levels).toEqual({
        both: on,
        withoutDtr: { ...on, dsr: false, dcd: false },
        withoutRts: { ...on, cts: false },
      });
    });

    test('wakes who waits for a change of them, once it comes', () => {
      expect(seen.awaited).toEqual({ early: 0, results: [0] });
    });

    test('tells drivers each change, and is hardly looked at in between', () => {
      expect(seen.watched).toEqual({ isPolled: false, dcds: [false, true, false] });
    });

    test('says that all octets have left when they have, not while CTS holds them; waiting for that can be ended', () => {
      expect(seen.drained).toEqual({
        whileHeld: { done: false, waiting: true },
        afterwards: true,
        waiting: 0,
        arrived: 64,
        endedSoon: true,
        otherDone: false,
      });
    });

    test('takes low latency, and gives it back', () => {
      expect(seen.lowLatency).toEqual({ before: false, result: 0, after: true, off: false });
    });

    test('has no RS-485, and says so', () => {
      expect(seen.rs485).toBe(-ENOTTY);
    });
  });
}
