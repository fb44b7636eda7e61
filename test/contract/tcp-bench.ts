/** A serial server on loopback, for one connection at a time. */
import net from 'node:net';
import { TcpLine } from '../../src/serial/tcp-line.js';
import type { LineBench } from './line-contract.js';
import { timerScheduler } from './timer-scheduler.js';

export const listen = (server: net.Server, host = '127.0.0.1'): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, () => {
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('no port'));
      else resolve(address.port);
    });
  });

/** A port on which nothing listens. */
export const freePort = async (): Promise<number> => {
  const server = net.createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
};

export async function tcpBench(): Promise<LineBench> {
  const chunks: Buffer[] = [];
  const early: Uint8Array[] = [];
  let reading = true;
  let peer: net.Socket | undefined;
  const server = net.createServer((socket) => {
    peer?.destroy();
    peer = socket;
    socket.on('data', (octets) => chunks.push(octets)).on('error', () => undefined);
    if (!reading) socket.pause();
    for (const octets of early.splice(0)) socket.write(octets);
  });
  const port = await listen(server);
  return {
    line: new TcpLine('127.0.0.1', port, { scheduler: timerScheduler }),
    send: (octets) => {
      if (peer === undefined) early.push(octets);
      else peer.write(octets);
    },
    received: () => Buffer.concat(chunks),
    receivedBytes: () => chunks.reduce((sum, chunk) => sum + chunk.length, 0),
    setReading: (value) => {
      reading = value;
      if (reading) peer?.resume();
      else peer?.pause();
    },
    hangUp: () => {
      if (peer === undefined) server.once('connection', (socket) => socket.resetAndDestroy());
      else peer.resetAndDestroy();
    },
    dispose: async () => {
      peer?.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
