/** What the cases of the driver contract share: lengths, traffic, and what must have come of it. */
import { expect } from 'vitest';
import type { DriverBench, Hands } from './driver-bench.js';
import { type DriverRig, key, type RigStation } from './driver-rig.js';

const DEFAULT_RECOVER_MS = 10_000;

export const longestOf = ({ driver }: RigStation): number => driver.capabilities.maxFrameBytes;
export const shortestOf = (bench: DriverBench): number => bench.minFrameBytes ?? 1;

/** A legal length of about so many octets. */
export function legalLength(bench: DriverBench, longest: number, wanted: number): number {
  const step = bench.lengthStep ?? 1;
  const shortest = shortestOf(bench);
  const steps = Math.floor((Math.min(longest, Math.max(shortest, wanted)) - shortest) / step);
  return shortest + steps * step;
}

export const typicalFrame = (rig: DriverRig): Uint8Array =>
  rig.frame(legalLength(rig.bench, longestOf(rig.stations[0]), Math.min(64, longestOf(rig.stations[0]))));

/** Nothing told twice, and each transmission answered for once. */
export function expectOrder(rig: DriverRig): void {
  for (const { number, offences, outcomes, transmitted } of rig.stations) {
    expect({ number, offences, answers: outcomes.length }).toEqual({ number, offences: [], answers: transmitted });
  }
}

/** What arrived was sent, octet for octet. */
export function expectNoStrays(rig: DriverRig): void {
  for (const { number, driver, received } of rig.stations) {
    if (!driver.capabilities.checksIntegrity || rig.bench.strays !== undefined) continue;
    const strays = received.filter(({ frame }) => !rig.sentFrames.has(key(frame)));
    expect({ number, strays }).toEqual({ number, strays: [] });
  }
}

/** Sends frames and expects each of them, in order, at the other station. */
export function expectAllArrive(rig: DriverRig, from: RigStation, frames: readonly Uint8Array[]): void {
  const to = rig.stations[from === rig.stations[0] ? 1 : 0];
  const before = to.received.length;
  // Without a check of its own a driver may hand up what is left of a broken frame; the link frame's FCS finds it.
  const checked = to.driver.capabilities.checksIntegrity && rig.bench.strays === undefined;
  const outcomes = rig.sendAll(from, frames);
  rig.settle();
  expect(outcomes).toEqual(frames.map(() => 'sent'));
  const arrived = to.received
    .slice(before)
    .map(({ frame }) => frame)
    .filter((frame) => checked || rig.sentFrames.has(key(frame)));
  const wrong = frames.findIndex((frame, i) => key(frame) !== key(arrived[i] ?? new Uint8Array()));
  expect({ arrived: arrived.length, firstWrong: wrong === -1 ? null : describeFrame(frames[wrong]) }).toEqual({
    arrived: frames.length,
    firstWrong: null,
  });
}

export const describeFrame = (frame: Uint8Array | undefined): string =>
  frame === undefined ? 'none' : `${frame.length} octets: ${Buffer.from(frame.subarray(0, 16)).toString('hex')}`;

export function expectTraffic(rig: DriverRig): void {
  for (const station of rig.stations) expectAllArrive(rig, station, [typicalFrame(rig), typicalFrame(rig)]);
}

export function hands(rig: DriverRig, station: RigStation): Hands<RigStation['emulator']> {
  return {
    emulator: station.emulator,
    type: (octets) => {
      station.line.openNow({ data: () => {}, lost: () => {} });
      station.line.write(typeof octets === 'string' ? Buffer.from(octets, 'latin1') : octets);
      rig.runUntil(() => station.line.unwrittenBytes === 0, 10_000_000);
      rig.time.runFor(100_000);
      void station.line.close();
    },
    runFor: (durationUs) => rig.time.runFor(durationUs),
  };
}

export const recoverUs = (bench: DriverBench): number => (bench.recoverWithinMs ?? DEFAULT_RECOVER_MS) * 1000;

/** Frames pass again, both ways, in the time that the bench allows; lost ones before are forgiven. */
export function expectRecovery(rig: DriverRig): void {
  const endUs = rig.time.nowUs() + recoverUs(rig.bench);
  for (const [i, station] of rig.stations.entries()) {
    const to = rig.stations[i === 0 ? 1 : 0];
    for (;;) {
      rig.runUntil(() => rig.stations.every(({ ready }) => ready), Math.max(0, endUs - rig.time.nowUs()));
      const frame = typicalFrame(rig);
      const asked = station.ready && !station.pending;
      if (asked) rig.sendAll(station, [frame]);
      rig.settle();
      if (to.received.some((arrived) => key(arrived.frame) === key(frame))) break;
      const late = rig.time.nowUs() >= endUs;
      expect({ from: station.number, ready: rig.stations.map(({ ready }) => ready), asked, late }).toMatchObject({
        late: false,
      });
    }
  }
  expectTraffic(rig);
}
