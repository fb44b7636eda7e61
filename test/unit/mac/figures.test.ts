/** What the MAC counts for those who look on: what was garbled, stuck, repeated, and how long it took. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Mac } from '../../../src/mac/mac.js';
import { Neighbours } from '../../../src/mac/neighbours.js';
import type { PhyCapabilities } from '../../../src/mac/phy.js';
import { DurationHistogram } from '../../../src/mac/statistics.js';
import { VirtualTime } from '../../../src/sim/virtual-time.js';
import { decodeLinkFrame, encodeLinkFrame } from '../../../src/wire/link-frame.js';
import type { OutboundPacket } from '../../../src/wire/packet.js';
import { FakePhy, macOn, observed } from './fake-phy.js';

const FCS_BYTES = 4;
const NOISE = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);

let time: VirtualTime;
let phy: FakePhy;
let mac: Mac;
let waiting: OutboundPacket[];
let events: string[];

function build(capabilities: Partial<PhyCapabilities> = {}, maxRetries = 3): void {
  time = new VirtualTime(1_000_000);
  phy = new FakePhy(time, { capabilities });
  waiting = [];
  events = [];
  mac = macOn(time, phy, waiting, {
    config: { maxRetries },
    observer: observed(events),
    contention: () => ({
      window: 1,
      drawSlots: () => 0,
      began: () => undefined,
      heard: () => undefined,
      ended: () => undefined,
      succeeded: () => undefined,
      failed: () => undefined,
    }),
  });
  phy.listener.ready(true);
  time.runFor(1_000_000);
}

function frame(type: 'ip' | 'ack', source: number, destination: number, sequence: number): Uint8Array {
  const body = new Uint8Array(type === 'ip' ? 20 : 0);
  const rest = { behind: 0, more: false, retry: false, body };
  return encodeLinkFrame({ type, destination, source, sequence, ...rest }, FCS_BYTES);
}

/** Station 2 answers the last transmission. */
function acknowledge(): void {
  const sent = decodeLinkFrame(phy.transmitted.at(-1)?.octets ?? NOISE, FCS_BYTES);
  if (typeof sent === 'string') throw new Error(sent);
  phy.hear(frame('ack', 2, 1, (sent.sequence + 1) % 32));
}

function offer(): void {
  waiting.push({ destination: 2, kind: 'ip', payload: new Uint8Array(10).fill(0x45), priority: 0 });
  mac.demand();
}

const garbled = (): number => mac.snapshot().counters.garbled;

describe('what is garbled', () => {
  beforeEach(() => build());

  it('counts once for each time that the channel was busy', () => {
    phy.hear(NOISE);
    phy.listener.discarded('rx-framing', 3);
    expect(garbled()).toBe(1);
    phy.hear(NOISE);
    expect(garbled()).toBe(2);
    // Ended without anything: a carrier is no reception.
    phy.listener.carrier(true);
    phy.listener.carrier(false);
    expect(garbled()).toBe(2);
  });

  it('does not count when a frame came out of it, before or after the end of the carrier', () => {
    phy.listener.carrier(true);
    phy.listener.discarded('rx-framing', 3);
    phy.listener.received(frame('ip', 3, 4, 1), {});
    phy.listener.carrier(false);
    expect(garbled()).toBe(0);
    phy.listener.carrier(true);
    phy.listener.discarded('rx-framing', 3);
    phy.listener.carrier(false);
    phy.listener.received(frame('ip', 3, 4, 1), {});
    phy.listener.carrier(true);
    expect(garbled()).toBe(0);
  });

  it('is everything that is spoilt where nobody senses a carrier', () => {
    build({ carrierSense: 'none', channelAccess: 'modem' });
    phy.listener.received(NOISE, {});
    phy.listener.received(NOISE, {});
    phy.listener.received(frame('ip', 3, 4, 1), {});
    expect(garbled()).toBe(2);
  });
});

describe('a stuck carrier', () => {
  it('is told of when it begins and when it ends, and its time is not busy time', () => {
    build();
    const { stuckBusyUs } = mac.timing;
    phy.listener.carrier(true);
    time.runFor(stuckBusyUs + 5_000_000);
    expect(events).toEqual(['stuck']);
    expect(mac.snapshot()).toMatchObject({ busyUs: stuckBusyUs, stuckUs: 5_000_000, carrierStuck: true });
    phy.listener.carrier(false);
    phy.listener.carrier(true);
    time.runFor(1_000_000);
    expect(events).toEqual(['stuck', `unstuck ${stuckBusyUs + 5_000_000}`]);
    expect(mac.snapshot()).toMatchObject({ busyUs: stuckBusyUs + 1_000_000, stuckUs: 5_000_000, carrierStuck: false });
  });

  it('is sent over, whatever a modem says that is asked once more', () => {
    build();
    phy.listener.carrier(true);
    phy.sensed = true;
    offer();
    time.runFor(mac.timing.stuckBusyUs - 1000);
    expect(phy.transmitted).toEqual([]);
    time.runFor(1_000_000);
    expect(phy.transmitted.length).toBeGreaterThan(0);
  });
});

describe('a carrier that the modem senses and never reports', () => {
  it('is believed no longer than one that it reports, until it ends', () => {
    build();
    phy.sensed = true;
    offer();
    time.runFor(mac.timing.stuckBusyUs - 1000);
    expect(phy.transmitted).toEqual([]);
    time.runFor(1_000_000);
    const { length } = phy.transmitted;
    expect(length).toBeGreaterThan(0);
    expect(events.filter((event) => event.endsWith('stuck'))).toEqual(['stuck']);
    expect(mac.counters.stuckBusy).toBe(1);
    phy.listener.carrier(true);
    phy.listener.carrier(false);
    expect(events.filter((event) => event.startsWith('unstuck'))).toHaveLength(1);
    // And is believed again.
    time.runFor(mac.timing.stuckBusyUs / 2);
    expect(phy.transmitted).toHaveLength(length);
  });
});

describe('delays and retries', () => {
  it('run from the first attempt to the answer, repetitions included', () => {
    build();
    offer();
    const startUs = time.nowUs();
    while (phy.transmitted.length < 3) time.runFor(1000);
    time.runFor(18_000);
    acknowledge();
    const tookUs = time.nowUs() - startUs;
    const { delays, retries, delayP50Us } = mac.snapshot();
    expect(delayP50Us).toBe(tookUs);
    expect(delays.sumUs).toBe(tookUs);
    expect(retries.slice(0, 4)).toEqual([0, 0, 1, 0]);
  });

  it('leave out what was given up', () => {
    build({}, 0);
    offer();
    offer();
    // The first one is never answered, the second one at once.
    while (phy.transmitted.length < 2) time.runFor(1000);
    const startUs = phy.transmitted[1]?.atUs ?? 0;
    time.runFor(18_000);
    acknowledge();
    const { delays } = mac.snapshot();
    expect(delays.counts.reduce((sum, count) => sum + count)).toBe(1);
    expect(delays.sumUs).toBe(time.nowUs() - startUs);
  });

  it('fall into buckets a tenth wide, with powers of two in milliseconds among the bounds', () => {
    const histogram = new DurationHistogram();
    for (const us of [0, 1, 1000, 1001, 64_000, 2 ** 20 * 1000, 1e12]) histogram.record(us);
    const found = [...histogram.counts.entries()].filter(([, count]) => count > 0);
    const bounds = found.map(([bucket, count]) => [DurationHistogram.boundUs(bucket), count]);
    expect(bounds[0]).toEqual([1000 / 64, 2]);
    expect(bounds[1]).toEqual([1000, 1]);
    expect(bounds[2]?.[0]).toBeCloseTo(1000 * 2 ** (1 / 8));
    expect(bounds.slice(3)).toEqual([
      [64_000, 1],
      [2 ** 20 * 1000, 1],
      [Number.POSITIVE_INFINITY, 1],
    ]);
  });
});

describe('a neighbour', () => {
  it('is lost when it is silent for long or misses calls, and new when it is heard again', () => {
    const neighbours = new Neighbours();
    neighbours.heard(2, 1000, 10, {});
    neighbours.heard(3, 2000, 10, {});
    expect(neighbours.loseSilent(1500, 1000, 3)).toEqual([]);
    expect(neighbours.loseSilent(2500, 1000, 3)).toMatchObject([{ station: 2 }]);
    expect(neighbours.loseSilent(2600, 1000, 3)).toEqual([]);
    neighbours.attempted(3, false);
    neighbours.attempted(3, false);
    neighbours.attempted(3, true);
    neighbours.attempted(3, false);
    neighbours.attempted(3, false);
    expect(neighbours.loseSilent(2600, 1000, 3)).toEqual([]);
    neighbours.attempted(3, false);
    expect(neighbours.loseSilent(2600, 1000, 3)).toMatchObject([{ station: 3, attempts: 6, answered: 1, missed: 3 }]);
    expect(neighbours.heard(3, 2700, 10, {})).toBe(true);
    expect(neighbours.heard(3, 2800, 10, {})).toBe(false);
    expect(neighbours.get(3)).toMatchObject({ lost: false, missed: 0 });
  });
});
