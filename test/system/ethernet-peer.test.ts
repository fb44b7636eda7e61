/** Encapsulation `ethernet` over KISS with a peer that is no TNC and no sluice, both ways, ARP and all. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Neighbourhood, type Station } from '../../src/daemon/stations.js';
import { Plug } from './line-support.js';
import { until } from './native-support.js';

const PEER = fileURLToPath(new URL('../../dist/test/system/ethernet-peer.js', import.meta.url));
/** A peer that contends for nothing and takes no parameters. */
const SETTINGS = [
  'link.encapsulation=ethernet',
  'link.mtuBytes=1280',
  'mac.channelAccess=none',
  'air.duplex=full',
  'air.pacing=line',
  'driver.sendParameters=false',
];

describe('encapsulation ethernet over KISS', () => {
  let place: Neighbourhood;
  let left: Plug;
  let right: Plug;
  let bridge: Station;
  let other: Station;
  let toPeer: Uint8Array[];
  let fromPeer: Uint8Array[];

  beforeEach(async () => {
    expect(existsSync(PEER)).toBe(true);
    place = new Neighbourhood();
    left = new Plug(place.folder, 'left');
    right = new Plug(place.folder, 'right');
    toPeer = [];
    fromPeer = [];
    left.onData = (octets) => {
      toPeer.push(octets);
      right.write(octets);
    };
    right.onData = (octets) => {
      fromPeer.push(octets);
      left.write(octets);
    };
    left.plugIn();
    right.plugIn();
    bridge = await place.open();
    other = await place.open();
    void other
      .call('run', { program: process.execPath, args: [PEER, right.link, '10.0.0.2/24'], timeoutMs: 60_000 })
      .catch(() => undefined);
    await bridge.up({ number: 1, profile: 'kiss-9600', port: left.link, settings: SETTINGS });
  });

  afterEach(async () => {
    await place.close();
    left.unplug();
    right.unplug();
  });

  it('resolves addresses and answers pings in both directions, up to a full frame', async () => {
    const ping = (from: Station, to: string, bytes: number) =>
      from.call('run', {
        program: 'ping',
        args: ['-c', '5', '-i', '0.2', '-W', '5', '-M', 'do', '-s', String(bytes), to],
        timeoutMs: 30_000,
      });
    let first = await ping(bridge, '10.0.0.2', 56);
    // The peer may still be starting.
    for (let tries = 0; tries < 3 && first.status !== 0; tries++) first = await ping(bridge, '10.0.0.2', 56);
    expect(first.stdout).toContain('5 received');
    expect((await ping(other, '10.0.0.1', 56)).stdout).toContain('5 received');
    expect((await ping(bridge, '10.0.0.2', 1252)).stdout).toContain('5 received');
    expect((await ping(other, '10.0.0.1', 1252)).stdout).toContain('5 received');
    const octets = Buffer.concat(toPeer);
    // No parameter of a TNC's, ever: each frame begins FEND 00, and holds an Ethernet frame, ARP among them.
    const frames = octets
      .toString('latin1')
      .split('\xc0')
      .filter((frame) => frame.length > 0);
    expect(new Set(frames.map((frame) => frame.charCodeAt(0)))).toEqual(new Set([0]));
    expect(frames.some((frame) => frame.slice(13, 15) === '\x08\x06')).toBe(true);
    await until(() => fromPeer.length > 0, 'answers of the peer');
  });

  it('carries UDP both ways', async () => {
    await bridge.call('receive', { port: 9 });
    await other.call('receive', { port: 9 });
    const pace = (from: Station, to: string) =>
      from.call('pace', {
        to: { address: to, port: 9 },
        streams: [{ stream: 1, typeOfService: 0 }],
        payloadBytes: 900,
        intervalUs: 5000,
        ticks: 100,
      });
    await new Promise((resolve) => setTimeout(resolve, 2000));
    await Promise.all([pace(bridge, '10.0.0.2'), pace(other, '10.0.0.1')]);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(await other.call('received', { port: 9 })).toHaveLength(100);
    expect(await bridge.call('received', { port: 9 })).toHaveLength(100);
    const { drops } = await bridge.status();
    expect(drops['rx-framing']).toBeUndefined();
    expect(drops['rx-tap-refused']).toBeUndefined();
  });
});
