/** Two bridges on an emulated medium: what ordinary sockets on one station see of those on the other. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { duplicates, missing } from '../../src/daemon/station-figures.js';
import { addressOf } from '../../src/daemon/stations.js';
import {
  arrivals,
  eventually,
  FAST_RADIO,
  inside,
  LOW_DELAY,
  output,
  RADIO,
  type Setting,
  SINK,
  sendDatagrams,
  withPair,
} from './bridge-support.js';

const KISS: Setting = { medium: 'rateBps: 9600\nmodem: kiss\nlineBaud: 57600', profile: 'kiss-9600' };
const NULL_MODEM: Setting = { medium: 'rateBps: 115200\nduplex: full', profile: 'null-modem' };

describe('UDP', () => {
  it.each([
    ['transparent radios', RADIO],
    ['KISS modems', KISS],
    ['a null-modem cable', NULL_MODEM],
  ])('goes both ways over %s', async (_name, setting) => {
    await withPair(setting, async (first, second) => {
      await Promise.all([sendDatagrams(first, 2, 1, 5), sendDatagrams(second, 1, 2, 5)]);
      const [there, back] = await Promise.all([arrivals(second, 1, 5), arrivals(first, 2, 5)]);
      for (const seen of [there, back]) {
        expect(seen.map(({ sequence }) => sequence)).toEqual([0, 1, 2, 3, 4]);
        expect(seen.every(({ octets }) => octets === 64)).toBe(true);
      }
      const status = await first.status();
      expect(status.neighbours.map(({ station }) => station)).toEqual([2]);
      expect(status.backPressure).toMatchObject({ tapDropped: 0, qdisc: { dropped: 0 } });
      // Nobody needs to be asked for, so that no ARP request waits behind data until the kernel gives up.
      const known = await output(first, 'ip', 'neigh', 'show', 'dev', 'sluice0');
      expect(known.split('\n').filter((line) => line.includes('PERMANENT'))).toHaveLength(253);
    });
  });
});

describe('TCP', () => {
  const TCP_PORT = 5000;
  const OCTETS = 20_000;
  const server = `
    import { createServer } from 'node:net';
    import { createHash } from 'node:crypto';
    createServer((socket) => {
      const hash = createHash('sha256');
      socket.on('data', (data) => hash.update(data));
      socket.on('end', () => { console.log(hash.digest('hex')); socket.end(() => process.exit()); });
    }).listen(${TCP_PORT});`;
  const client = `
    import { connect } from 'node:net';
    const data = Buffer.alloc(${OCTETS});
    for (let i = 0, x = 1; i < data.length; i++) { x = (x * 1103515245 + 12345) % 2147483648; data[i] = x >> 16; }
    const socket = connect(${TCP_PORT}, '${addressOf(2)}', () => socket.end(data));
    socket.resume();`;

  it('carries 20 kB unchanged', async () => {
    const data = Buffer.alloc(OCTETS);
    for (let i = 0, x = 1; i < data.length; i++) {
      x = (x * 1103515245 + 12345) % 2147483648;
      data[i] = x >> 16;
    }
    await withPair(FAST_RADIO, async (first, second) => {
      const received = inside(second, process.execPath, '--input-type=module', '-e', server);
      // 5000 is 1388 in the table of sockets.
      await eventually(
        () => output(second, 'cat', '/proc/net/tcp6', '/proc/net/tcp'),
        (sockets) => sockets.includes(':1388 '),
        'the server listens',
      );
      const sent = await inside(first, process.execPath, '--input-type=module', '-e', client);
      expect(sent).toMatchObject({ status: 0, stderr: '' });
      expect((await received).stdout.trim()).toBe(createHash('sha256').update(data).digest('hex'));
      expect((await first.status()).backPressure).toMatchObject({ tapDropped: 0, qdisc: { dropped: 0 } });
    });
  });
});

describe('a sender that sends as fast as it may', () => {
  it('is held back; nothing is dropped, nothing is missing, all is accounted for', async () => {
    await withPair(FAST_RADIO, async (first, second) => {
      await first.call('flood', {
        to: { address: addressOf(2), port: SINK },
        stream: 1,
        typeOfService: 0,
        payloadBytes: 548,
        sendBufferBytes: 4096,
      });
      const seen = await arrivals(second, 1, 30);
      const { sent, holds, heldUs, errors } = await first.call('flooded', { stop: true });
      expect(errors).toEqual({});
      expect(holds).toBeGreaterThan(1);
      expect(heldUs).toBeGreaterThan(1_000_000);
      // The queue holds what a socket's send buffer does, no more.
      expect(sent).toBeLessThan(30 + 2 * 10);
      expect(seen.map(({ sequence }) => sequence)).toEqual(seen.map((_, index) => index));
      const { backPressure, drops } = await eventually(
        () => first.status(),
        (status) => status.backPressure.qdisc.backlogPackets === 0 && status.mac.state === 'idle',
        'the queue runs empty',
      );
      expect(backPressure.mode).not.toBe('none');
      expect(backPressure).toMatchObject({ tapDropped: 0, qdisc: { dropped: 0 } });
      expect(drops).not.toHaveProperty('retry-limit');
      const all = await arrivals(second, 1, sent);
      expect(missing(all.map(({ sequence }) => sequence))).toBe(0);
      expect(duplicates(all.map(({ sequence }) => sequence))).toBe(0);
    });
  });
});

describe('two that flood each other', () => {
  it('lose, double and reorder nothing; acknowledgements come along with data', async () => {
    // Beside long frames an answer would cost too little; slots long enough for a busy machine.
    const setting = { ...RADIO, settings: ['link.aggregate=false', 'mac.hostLatencyUs=30000'] };
    await withPair(setting, async (first, second) => {
      const flood = { stream: 1, typeOfService: 0, payloadBytes: 64, sendBufferBytes: 2048 };
      await first.call('flood', { ...flood, to: { address: addressOf(2), port: SINK } });
      await second.call('flood', { ...flood, to: { address: addressOf(1), port: SINK } });
      for (const station of [first, second]) {
        await eventually(
          () => station.status(),
          ({ mac }) => mac.acksCarried >= 3 && mac.acksDeferred >= 3,
          'acknowledgements come along',
        );
      }
      const [there, back] = [await first.call('flooded', { stop: true }), await second.call('flooded', { stop: true })];
      for (const [station, { sent }] of [
        [second, there],
        [first, back],
      ] as const) {
        const seen = (await arrivals(station, 1, sent)).map(({ sequence }) => sequence);
        expect(seen).toEqual(Array.from({ length: sent }, (_, index) => index));
        expect((await station.status()).drops).not.toHaveProperty('retry-limit');
      }
    });
  });
});

describe('priorities', () => {
  it('hold although the low class always comes first and the channel is overloaded', async () => {
    await withPair(FAST_RADIO, async (first, second) => {
      const ticks = 60;
      const { streams } = await first.call('pace', {
        to: { address: addressOf(2), port: SINK },
        streams: [
          { stream: 1, typeOfService: 0 },
          { stream: 2, typeOfService: LOW_DELAY },
        ],
        payloadBytes: 548,
        // Each class alone takes most of the channel: a packet is on the air for 122 ms.
        intervalUs: 160_000,
        ticks,
      });
      const high = streams.find(({ stream }) => stream === 2);
      expect(high).toMatchObject({ offered: ticks, sent: ticks });
      const lowWhenDone = (await second.call('received', { port: SINK })).filter(({ stream }) => stream === 1).length;
      const seen = await arrivals(second, 2, ticks);
      expect(missing(seen.map(({ sequence }) => sequence))).toBe(0);
      // They overtook: most of the low ones had to wait.
      expect(lowWhenDone).toBeLessThan(0.7 * ticks);
      await sleep(1000);
      expect((await first.status()).backPressure).toMatchObject({ tapDropped: 0, qdisc: { dropped: 0 } });
    });
  });
});
