/** What a pty says to questions about modem lines, low latency and RS-485, and threads that wait for a tty. */
import net from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Pty } from '../../src/native/addon.js';
import {
  awaitModemLines,
  drain,
  modemLines,
  setLowLatency,
  setModemLines,
  setRs485,
  setTcpUserTimeout,
} from '../../src/native/descriptors.js';
import { encodeRs485 } from '../../src/serial/rs485.js';
import { ttyExtras, ttyLine } from '../contract/pty-bench.js';
import { openDescriptors, until } from './native-support.js';

/** asm-generic/errno.h */
const ENOTTY = 25;
const CTS = 0x20;
const RS485 = { rtsOnSend: 'high', delayBeforeSendMs: 0, delayAfterSendMs: 0, receiveDuringSend: false } as const;

describe('a tty without modem lines', () => {
  let pty: Pty;
  beforeEach(() => {
    pty = new Pty();
  });
  afterEach(() => pty.close());

  it('says ENOTTY, as a result and not as an exception', () => {
    expect(modemLines(pty.fd)).toBe(-ENOTTY);
    expect(setModemLines(pty.fd, 2, 4)).toBe(-ENOTTY);
    expect(setLowLatency(pty.fd, true)).toBe(-ENOTTY);
    expect(setRs485(pty.fd, encodeRs485(RS485))).toBe(-ENOTTY);
  });

  it('says so too to who waits for a change of them, and leaves no thread and no descriptor behind', async () => {
    const before = openDescriptors();
    for (let i = 0; i < 20; i++) {
      const results: number[] = [];
      const end = awaitModemLines(pty.fd, CTS, (result) => results.push(result));
      await until(() => results.length === 1, 'the answer');
      expect(results).toEqual([-ENOTTY]);
      end();
      end();
    }
    await until(() => openDescriptors() === before, 'the descriptors');
  });

  it('drains in a thread of its own', async () => {
    const results: number[] = [];
    const end = drain(pty.fd, (result) => results.push(result));
    await until(() => results.length === 1, 'the drain');
    expect(results).toEqual([0]);
    end();
  });

  it('is refused as a line when RS-485 is asked of it: two stations would drive the wires at once', async () => {
    const line = ttyLine(pty.path, { rs485: RS485 }, { ...ttyExtras, setRs485 });
    await expect(line.open({ data: () => undefined, lost: () => undefined })).rejects.toMatchObject({
      code: 'line',
      message: expect.stringContaining('RS-485'),
    });
    await line.close();
  });
});

describe('TCP_USER_TIMEOUT', () => {
  it('is set on a connection, and refused elsewhere', async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    const socket = net.connect(typeof address === 'object' && address !== null ? address.port : 0, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    const { fd } = Reflect.get(socket, '_handle') as { fd: number };
    expect(setTcpUserTimeout(fd, 5000)).toBe(0);
    expect(setTcpUserTimeout(0, 5000)).toBeLessThan(0);
    socket.destroy();
    server.close();
  });
});
