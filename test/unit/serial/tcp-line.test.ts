/** What only a connection has: refusal, time-out, an orderly end, IPv6. The contract is in test/contract. */
import net from 'node:net';
import { expect, it } from 'vitest';
import { SluiceError } from '../../../src/base/errors.js';
import { TcpLine } from '../../../src/serial/tcp-line.js';
import { freePort, listen, tcpBench } from '../../contract/tcp-bench.js';
import { timerScheduler, until } from '../../contract/timer-scheduler.js';

const quiet = { data: () => undefined, lost: () => undefined };
const parts = { scheduler: timerScheduler };

it('names a refusal', async () => {
  const failure = await new TcpLine('127.0.0.1', await freePort(), parts).open(quiet).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'line', details: { errno: 'ECONNREFUSED' } });
});

it('names a host that does not exist', async () => {
  const failure = await new TcpLine('host.invalid', 9, parts).open(quiet).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(SluiceError);
  expect(failure).toMatchObject({ details: { errno: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/) } });
});

it('gives up after its time-out, and leaves nothing behind', async () => {
  let late: (() => void) | undefined;
  const scheduler = {
    nowUs: () => 1000,
    at: (atUs: number, callback: () => void) => {
      expect(atUs).toBe(2_001_000);
      late = callback;
      return () => undefined;
    },
  };
  const port = await freePort();
  const line = new TcpLine('127.0.0.1', port, { scheduler, connectTimeoutUs: 2_000_000 });
  const opening = line.open(quiet).catch((error: unknown) => error);
  late?.();
  expect(await opening).toMatchObject({ code: 'line', details: { errno: 'ETIMEDOUT' } });
  await line.close();
});

it('takes an orderly end of the other side for a loss', async () => {
  const server = net.createServer((socket) => socket.end('bye'));
  const port = await listen(server);
  const line = new TcpLine('127.0.0.1', port, parts);
  let text = '';
  const losses: SluiceError[] = [];
  await line.open({
    data: (octets) => {
      text += Buffer.from(octets).toString();
    },
    lost: (error) => losses.push(error),
  });
  await until('the loss', () => losses.length > 0);
  expect(text).toBe('bye');
  expect(losses).toHaveLength(1);
  await line.close();
  await new Promise((resolve) => server.close(resolve));
});

it('speaks IPv6, and writes the address in brackets', async () => {
  const server = net.createServer((socket) => socket.pipe(socket));
  const port = await listen(server, '::1');
  const line = new TcpLine('::1', port, parts);
  expect(line.path).toBe(`tcp://[::1]:${port}`);
  let received = 0;
  await line.open({
    ...quiet,
    data: (octets) => {
      received += octets.length;
    },
  });
  line.write(Uint8Array.of(1, 2, 3));
  await until('the echo', () => received === 3);
  await line.close();
  await new Promise((resolve) => server.close(resolve));
});

it('can be opened again after a loss', async () => {
  const bench = await tcpBench();
  let losses = 0;
  const listener = { ...quiet, lost: () => losses++ };
  await bench.line.open(listener);
  bench.hangUp();
  await until('the loss', () => losses === 1);
  await bench.line.open(listener);
  bench.line.write(Uint8Array.of(1));
  await until('data', () => bench.receivedBytes() === 1);
  await bench.line.close();
  await bench.dispose();
});
