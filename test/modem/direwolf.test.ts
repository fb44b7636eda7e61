/**
 * IP over real software modems: two and three Dire Wolfs on one audio channel at 1200 bit/s, AX.25 encapsulation, over
 * TCP. Everything takes seconds here: a full frame 2.3 s, a ping there and back about as long. The longest test is in a
 * file of its own, direwolf-flood.test.ts, for files run side by side.
 */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { addressOf } from '../../src/daemon/stations.js';
import {
  answeredPings,
  FULL_FRAME_BYTES,
  PAYLOAD_BYTES,
  SINK,
  startFlood,
  stationOf,
  watchQueue,
  withWolves,
} from './direwolf-scenarios.js';

const TRANSFER_BYTES = 1200;

describe('two Dire Wolfs', () => {
  it('find each other by ARP on the air, and answer', async () => {
    await withWolves(2, async ({ stations, up }) => {
      await up(1, false);
      await up(2, false);
      for (const [from, to] of [
        [1, 2],
        [2, 1],
      ] as const) {
        expect(await answeredPings(stationOf(stations, from), to, 1)).toHaveLength(1);
      }
    });
  });

  it('carry a TCP transfer, octet for octet', async () => {
    await withWolves(2, async ({ stations, up }) => {
      await up(1, true);
      await up(2, true);
      const payload = `Buffer.from(Array.from({ length: ${TRANSFER_BYTES} }, (_, i) => (i * 31 + (i >> 8)) & 0xff))`;
      const expected = createHash('sha256').update(
        Uint8Array.from({ length: TRANSFER_BYTES }, (_, i) => (i * 31 + (i >> 8)) & 0xff),
      );
      const server = `
        const hash = require('node:crypto').createHash('sha256');
        require('node:net').createServer((socket) => {
          socket.on('data', (data) => hash.update(data)).on('end', () => {
            console.log(hash.digest('hex'));
            socket.end(() => process.exit());
          });
        }).listen(5001);`;
      const client = `require('node:net').connect(5001, '${addressOf(2)}').end(${payload}).resume();`;
      const run = (program: string) => ({ program: process.execPath, args: ['-e', program], timeoutMs: 120_000 });
      const [received] = await Promise.all([
        stationOf(stations, 2).call('run', run(server)),
        new Promise((resolve) => setTimeout(resolve, 1000)).then(() => stationOf(stations, 1).call('run', run(client))),
      ]);
      expect(received).toMatchObject({ status: 0, stdout: `${expected.digest('hex')}\n` });
    });
  });
});

describe('three Dire Wolfs', () => {
  it('share the channel, with one frame each in their modems', async () => {
    await withWolves(3, async ({ stations, up }) => {
      for (const number of [1, 2, 3]) await up(number, true);
      // At the same time: the modems draw the same numbers, and without slot times of their own would never part again.
      await Promise.all([1, 3].map((number) => startFlood(stationOf(stations, number), 2, number)));
      const most: number[] = [];
      let arrivals: readonly { stream: number; octets: number }[] = [];
      const least = (): number =>
        Math.min(...[1, 3].map((stream) => arrivals.filter((each) => each.stream === stream).length));
      // The modems' own draw decides who is next, and half a minute of bad luck is nothing unusual.
      for (let round = 0; round < 4 && least() < 2; round++) {
        most.push(...(await Promise.all([1, 3].map((number) => watchQueue(stationOf(stations, number), 30)))));
        arrivals = await stationOf(stations, 2).call('received', { port: SINK });
      }
      expect(least()).toBeGreaterThanOrEqual(2);
      expect(arrivals.every(({ octets }) => octets === PAYLOAD_BYTES)).toBe(true);
      expect(Math.max(...most)).toBeLessThanOrEqual(FULL_FRAME_BYTES);
      for (const number of [1, 3]) {
        expect((await stationOf(stations, number).status()).backPressure).toMatchObject({
          tapDropped: 0,
          qdisc: { dropped: 0 },
        });
        await stationOf(stations, number).call('flooded', { stop: true });
      }
    });
  });
});
