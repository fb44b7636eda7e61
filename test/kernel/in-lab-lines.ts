/**
 * What a real serial driver says to the questions that a pty cannot answer: `node dist/test/kernel/in-lab-lines.js LEFT RIGHT`,
 * two ports with a null-modem cable between them. One JSON line: what was seen. See serial-lines.test.ts.
 */
import { constants, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RealTime } from '../../src/daemon/real-time.js';
import {
  awaitModemLines,
  drain,
  modemLines,
  outputBytes,
  setLowLatency,
  setModemLines,
  setRs485,
} from '../../src/native/descriptors.js';
import { PortWaits, readInputs, setOutputs } from '../../src/serial/modem-lines.js';
import { encodeRs485 } from '../../src/serial/rs485.js';
import type { TtyExtras } from '../../src/serial/tty-settings.js';

const FLAGS = constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK;
/** DSR, DCD, RI, CTS of TIOCMGET (asm-generic/termios.h). */
const INPUTS = 0x1e0;
/** The emulator looks at the lines every 10 ms. */
const PASSED_MS = 200;
const IDLE_MS = 600;
/** Where nobody can wait, the lines are looked at 30 times meanwhile. */
const FEW_LOOKS = 6;
const PATIENCE_MS = 10_000;
/** More than the UART's FIFO takes. */
const BLOCK_BYTES = 64;

const [leftPath = '', rightPath = ''] = process.argv.slice(2);
const left = openSync(leftPath, FLAGS);
const right = openSync(rightPath, FLAGS);

let looks = 0;
const extras: TtyExtras = {
  inputBytes: () => 0,
  lockExclusive: () => 0,
  setExclusive: () => 0,
  outputBytes,
  awaitModemLines,
  drain,
  setModemLines,
  modemLines: (fd) => {
    looks++;
    return modemLines(fd);
  },
};

async function eventually(condition: () => boolean): Promise<boolean> {
  for (const untilMs = Date.now() + PATIENCE_MS; Date.now() < untilMs; await sleep(10)) if (condition()) return true;
  return false;
}

const set = async (levels: { dtr?: boolean; rts?: boolean }): Promise<void> => {
  setOutputs(right, levels, extras);
  await sleep(PASSED_MS);
};

/** Levels as the other end has set them. */
async function levels(): Promise<unknown> {
  await set({ dtr: true, rts: true });
  const both = readInputs(left, extras);
  await set({ dtr: false });
  const withoutDtr = readInputs(left, extras);
  await set({ dtr: true, rts: false });
  const withoutRts = readInputs(left, extras);
  await set({ rts: true });
  return { both, withoutDtr, withoutRts };
}

/** The kernel's own waiting, without a look in between. */
async function awaited(): Promise<unknown> {
  const results: number[] = [];
  const end = awaitModemLines(left, INPUTS, (result) => results.push(result));
  await sleep(IDLE_MS);
  const early = results.length;
  setOutputs(right, { dtr: false }, extras);
  await eventually(() => results.length > 0);
  end();
  await set({ dtr: true });
  return { early, results };
}

/** As drivers see it. */
async function watched(): Promise<unknown> {
  const waits = new PortWaits();
  const dcds: boolean[] = [];
  waits.watchInputs(left, new RealTime(), extras, ({ dcd }) => dcds.push(dcd));
  const looksBefore = looks;
  await sleep(IDLE_MS);
  const isPolled = looks - looksBefore > FEW_LOOKS;
  for (const dtr of [false, true, false]) {
    const told = dcds.length;
    setOutputs(right, { dtr }, extras);
    await eventually(() => dcds.length > told);
  }
  waits.endAll();
  await set({ dtr: true });
  return { isPolled, dcds };
}

/** CTS holds the octets back; nothing has left until it lets them go. */
async function drained(): Promise<unknown> {
  await set({ rts: false });
  const waits = new PortWaits();
  let done = false;
  writeSync(left, new Uint8Array(BLOCK_BYTES).fill(0x55));
  waits.drain(left, extras, () => {
    done = true;
  });
  await sleep(IDLE_MS);
  const whileHeld = { done, waiting: outputBytes(left) > 0 };
  // The end of a port does not wait for its modem.
  const beforeEnd = Date.now();
  const other = new PortWaits();
  let otherDone = false;
  other.drain(left, extras, () => {
    otherDone = true;
  });
  await sleep(PASSED_MS);
  other.endAll();
  const endedMs = Date.now() - beforeEnd - PASSED_MS;
  await set({ rts: true });
  const afterwards = await eventually(() => done);
  let arrived = 0;
  const buffer = new Uint8Array(256);
  await eventually(() => {
    try {
      arrived += readSync(right, buffer);
    } catch {
      // Nothing is there yet.
    }
    return arrived >= BLOCK_BYTES;
  });
  return { whileHeld, afterwards, waiting: outputBytes(left), arrived, endedSoon: endedMs < 1000, otherDone };
}

/** ASYNC_LOW_LATENCY as the driver holds it, from sysfs. */
function lowLatency(): unknown {
  const isSet = (): boolean =>
    (Number(readFileSync(`/sys/class/tty/${basename(leftPath)}/flags`, 'latin1').trim()) & 0x2000) !== 0;
  const before = isSet();
  const result = setLowLatency(left, true);
  const after = isSet();
  setLowLatency(left, false);
  return { before, result, after, off: isSet() };
}

const rs485 = setRs485(
  left,
  encodeRs485({ rtsOnSend: 'high', delayBeforeSendMs: 0, delayAfterSendMs: 0, receiveDuringSend: false }),
);
const seen = {
  levels: await levels(),
  awaited: await awaited(),
  watched: await watched(),
  drained: await drained(),
  lowLatency: lowLatency(),
  rs485,
};
process.stdout.write(`${JSON.stringify(seen)}\n`);
process.exit();
