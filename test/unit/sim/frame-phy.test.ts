/** The frame-level modem as the MAC sees it: exact times, carrier, half duplex, late hosts. */
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import type { Phy } from '../../../src/mac/phy.js';
import { FramePhy, type FramePhyOptions } from '../../../src/sim/frame-phy.js';
import { Medium, type MediumOptions } from '../../../src/sim/medium.js';
import { VirtualTime } from '../../../src/sim/virtual-time.js';

type Seen = [number, string, (string | number | boolean)?];

/** Stations 1.. on one medium of 8000 bit/s (an octet is 1 ms), each with the log of what its host was told. */
function stations(
  count: number,
  medium: Partial<MediumOptions> = {},
  phy: Partial<FramePhyOptions> = {},
): { time: VirtualTime; medium: Medium; phys: Phy[]; frames: FramePhy[]; seen: Seen[][]; phy(n: number): FramePhy } {
  const time = new VirtualTime();
  const air = new Medium({
    scheduler: time,
    random: seededRandom(1),
    rateBps: 8000,
    stations: Array.from({ length: count }, (_, i) => ({ id: i + 1 })),
    ...medium,
  });
  const seen: Seen[][] = [];
  const frames = air.stations.map((station) => {
    const log: Seen[] = [];
    seen.push(log);
    const made = new FramePhy({ scheduler: time, medium: air, station, ...phy });
    made.attach({
      carrier: (busy) => log.push([time.nowUs(), 'carrier', busy]),
      received: (frame) => log.push([time.nowUs(), 'received', Buffer.from(frame).toString('hex')]) > 0,
      sent: (outcome) => log.push([time.nowUs(), 'sent', outcome]),
      discarded: (cause, octets) => log.push([time.nowUs(), cause, octets]),
      ready: (up) => log.push([time.nowUs(), 'ready', up]),
    });
    return made;
  });
  const get = (n: number): FramePhy => {
    const found = frames[n - 1];
    if (found === undefined) throw new Error(`no station ${n}`);
    return found;
  };
  return { time, medium: air, phys: frames, frames, seen, phy: get };
}

const FRAME = Uint8Array.of(1, 2, 3, 4, 5);

describe('FramePhy', () => {
  it('starts unusable, then reports ready, not from within attach', () => {
    const { time, seen } = stations(1);
    expect(seen[0]).toEqual([]);
    time.runFor(0);
    expect(seen[0]).toEqual([[0, 'ready', true]]);
  });

  it('takes turnaround, preamble, octets and tail, and tells each side at the exact microsecond', () => {
    const sites = [
      { id: 1, position: [0, 0, 0] as const },
      { id: 2, position: [0, 750, 0] as const },
      { id: 3, position: [0, 0, 1500] as const },
    ];
    const { time, seen, phy } = stations(
      3,
      { stations: sites, propagationMps: 1500 },
      { turnaroundUs: 10_000, preambleUs: 3000, tailUs: 500, carrierDetectUs: 200 },
    );
    time.runFor(0);
    expect(phy(1).timing.airtimeUs(5)).toBe(3000 + 5000 + 500);
    expect(phy(1).timing.propagationUs).toBe(1_000_000);
    phy(1).transmit(FRAME);
    time.runAll();
    expect(seen[0]?.slice(1)).toEqual([[18_500, 'sent', 'sent']]);
    expect(seen[1]?.slice(1)).toEqual([
      [510_200, 'carrier', true],
      [518_000, 'received', '0102030405'],
      [518_500, 'carrier', false],
    ]);
    expect(seen[2]?.slice(1)).toEqual([
      [1_010_200, 'carrier', true],
      [1_018_000, 'received', '0102030405'],
      [1_018_500, 'carrier', false],
    ]);
  });

  it('tells of a frame before it tells that the channel is idle, where both happen at once', () => {
    const { time, seen, phy } = stations(2);
    time.runFor(0);
    phy(1).transmit(FRAME);
    time.runAll();
    expect(seen[1]?.map(([, what]) => what)).toEqual(['ready', 'carrier', 'received', 'carrier']);
  });

  it('does not report its own transmission as carrier, and hears nothing while it sends', () => {
    const { time, seen, phy, medium } = stations(2, {}, { carrierDetectUs: 100 });
    time.runFor(0);
    phy(1).transmit(new Uint8Array(20));
    time.at(2000, () => phy(2).transmit(FRAME));
    time.runUntil(3000);
    expect(phy(1).senseBusy()).toBe(false);
    time.runAll();
    expect(seen[0]?.slice(1)).toEqual([[20_000, 'sent', 'sent']]);
    // Station 2 saw the carrier, sent all the same, and found the carrier still there afterwards.
    expect(seen[1]?.slice(1)).toEqual([
      [100, 'carrier', true],
      [7000, 'sent', 'sent'],
      [20_000, 'carrier', false],
    ]);
    expect(medium.counts(1).collisions).toBe(1);
    expect(medium.counts(2).collisions).toBe(1);
    expect(medium.counts(1).missedWhileSending).toBe(1);
  });

  it('finds a carrier that came up while it sent, after the detection time', () => {
    const { time, seen, phy } = stations(2, {}, { carrierDetectUs: 100 });
    time.runFor(0);
    phy(1).transmit(new Uint8Array(10));
    time.at(5000, () => phy(2).transmit(new Uint8Array(10)));
    time.runUntil(10_050);
    expect(phy(1).senseBusy()).toBe(false);
    time.runUntil(10_100);
    expect(phy(1).senseBusy()).toBe(true);
    time.runAll();
    expect(seen[0]?.slice(1)).toEqual([
      [10_000, 'sent', 'sent'],
      [10_100, 'carrier', true],
      [15_000, 'carrier', false],
    ]);
  });

  it('delivers collided frames with exactly the overlapping octets destroyed', () => {
    const { time, seen, phy } = stations(3);
    time.runFor(0);
    phy(1).transmit(new Uint8Array(10).fill(0x11));
    // From 6.5 ms on: octets 6..9 of the first frame, 0..3 of the second (its octet 3 until 10.5 ms).
    time.at(6500, () => phy(2).transmit(new Uint8Array(10).fill(0x22)));
    time.runAll();
    const [first, second] = (seen[2] ?? []).filter(([, what]) => what === 'received').map(([, , hex]) => String(hex));
    const destroyed = (hex: string | undefined, sent: string): number[] =>
      (hex?.match(/../g) ?? []).flatMap((octet, k) => (octet === sent ? [] : [k]));
    expect(destroyed(first, '11')).toEqual([6, 7, 8, 9]);
    expect(destroyed(second, '22')).toEqual([0, 1, 2, 3]);
  });

  it('loses a frame whose preamble was hit, on request, and keeps spoiled frames of modems that check', () => {
    const run = (options: Partial<FramePhyOptions>): number => {
      const { time, seen, phy } = stations(3, {}, { preambleUs: 4000, ...options });
      time.runFor(0);
      phy(1).transmit(FRAME);
      time.at(6500, () => phy(2).transmit(FRAME));
      time.runAll();
      return (seen[2] ?? []).filter(([, what]) => what === 'received').length;
    };
    expect(run({})).toBe(2);
    expect(run({ onPreambleHit: 'lose' })).toBe(1);
    expect(run({ capabilities: { checksIntegrity: true } })).toBe(1);
  });

  it('delays and keeps in order what a late host sees, while senseBusy looks at the modem itself', () => {
    let lateness = 0;
    const { time, seen, phy } = stations(2, {}, { toHostUs: () => lateness, fromHostUs: () => 250 });
    time.runFor(0);
    lateness = 6000;
    phy(1).transmit(FRAME);
    time.runUntil(250);
    expect(phy(2).senseBusy()).toBe(true);
    time.runUntil(2000);
    lateness = 0;
    time.runAll();
    expect(seen[1]).toEqual([
      [0, 'ready', true],
      [6250, 'carrier', true],
      [6250, 'received', '0102030405'],
      [6250, 'carrier', false],
    ]);
  });

  it('refuses a frame that is too long, and answers every transmit once when the line is lost', () => {
    const { time, seen, phy } = stations(2, {}, { capabilities: { maxFrameBytes: 4 }, turnaroundUs: 100 });
    time.runFor(0);
    phy(1).transmit(FRAME);
    time.runUntil(1);
    phy(1).transmit(FRAME.subarray(0, 4));
    time.runUntil(2000);
    phy(1).setUp(false);
    expect(() => phy(1).transmit(FRAME)).toThrow(/down/);
    time.runUntil(3000);
    phy(1).setUp(true);
    time.runAll();
    expect(seen[0]?.slice(1)).toEqual([
      [0, 'sent', 'refused'],
      [2000, 'sent', 'line-down'],
      [2000, 'ready', false],
      [3000, 'ready', true],
    ]);
  });
});
