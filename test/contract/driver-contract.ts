/**
 * What every modem driver must do, whatever the modem: each runs this against its emulator, in virtual time. A bench in
 * test/contract/drivers/ says with which profile, and what the modem may be found doing.
 */
import { describe, expect, it } from 'vitest';
import { airtime, signal, throughput } from './driver-air-cases.js';
import { backPressure } from './driver-back-pressure.js';
import type { CaseName, DriverBench } from './driver-bench.js';
import {
  expectAllArrive,
  expectNoStrays,
  expectOrder,
  expectRecovery,
  expectTraffic,
  hands,
  legalLength,
  longestOf,
  recoverUs,
  shortestOf,
  typicalFrame,
} from './driver-expectations.js';
import { DriverRig, key } from './driver-rig.js';
import type { DriverTable } from './driver-table.js';

const FRAMES = 10;
const DEFAULT_IDLE_MS = 1000;
/** Virtual time takes real time: a talkative modem has a million octets on its line in one case. */
const CASE_TIMEOUT_MS = 60_000;

export function describeDriverContract(bench: DriverBench, table: DriverTable): void {
  table.add(bench.name);
  describe(`driver ${bench.name}`, () => {
    const test = (name: CaseName, run: () => string | undefined): void => {
      const reason = bench.without?.[name];
      if (reason !== undefined) {
        table.skip(bench.name, name, reason);
        return;
      }
      it(name, { timeout: CASE_TIMEOUT_MS }, () => {
        table.set(bench.name, name, 'FAILED');
        const nothingToTest = run();
        if (nothingToTest === undefined) table.set(bench.name, name, 'ok');
        else table.skip(bench.name, name, nothingToTest);
      });
    };

    test('init', () => init(bench));
    test('lengths', () => lengths(bench));
    test('octets', () => octetValues(bench));
    test('both ways', () => bothWays(bench));
    test('busy', () => busy(bench));
    test('failure', () => failure(bench));
    test('hazards', () => hazards(bench));
    test('reboot', () => reboot(bench));
    test('line lost', () => lineLost(bench));
    test('no leak', () => noLeak(bench));
    test('one frame', () => oneFrame(bench));
    test('back pressure', () => backPressure(bench));
    test('sent once', () => sentOnce(bench));
    test('airtime', () => airtime(bench));
    test('throughput', () => throughput(bench));
    test('signal', () => signal(bench));
  });
}

function init(bench: DriverBench): undefined {
  const states: NonNullable<DriverBench['states']> = { fresh: () => {}, ...bench.states };
  for (const [state, prepare] of Object.entries(states)) {
    const rig = new DriverRig(bench);
    try {
      for (const station of rig.stations) prepare(hands(rig, station));
      for (const station of rig.stations) station.open();
      rig.untilReady();
      rig.settle();
      expectTraffic(rig);
      expectOrder(rig);
    } catch (error) {
      throw new Error(`found ${state}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
}

function lengths(bench: DriverBench): undefined {
  const rig = DriverRig.ready(bench);
  const frames: Uint8Array[] = [];
  const longest = legalLength(bench, longestOf(rig.stations[0]), longestOf(rig.stations[0]));
  for (let bytes = longest; bytes >= shortestOf(bench); bytes -= bench.lengthStep ?? 1) frames.push(rig.frame(bytes));
  expectAllArrive(rig, rig.stations[0], frames);
  // And back, fewer: the lengths at both ends.
  expectAllArrive(rig, rig.stations[1], [...frames.slice(0, 3), ...frames.slice(-3)]);
  expectOrder(rig);
  expectNoStrays(rig);
}

function octetValues(bench: DriverBench): undefined {
  const rig = DriverRig.ready(bench);
  const bytes = legalLength(bench, longestOf(rig.stations[0]), 16);
  const uniform = Array.from({ length: 256 }, (_, value) => new Uint8Array(bytes).fill(value));
  const all = Uint8Array.from({ length: 512 }, (_, i) => (i < 256 ? i : 511 - i));
  const room = legalLength(bench, longestOf(rig.stations[0]), 512);
  const mixed: Uint8Array[] = [];
  for (let at = 0; at + shortestOf(bench) <= all.length; at += room) {
    const rest = legalLength(bench, room, all.length - at);
    mixed.push(all.slice(at, at + rest));
  }
  for (const station of rig.stations) expectAllArrive(rig, station, [...uniform, ...mixed]);
  expectOrder(rig);
}

function bothWays(bench: DriverBench): undefined {
  const rig = DriverRig.ready(bench);
  for (let i = 0; i < FRAMES; i++) {
    for (const station of rig.stations) expectAllArrive(rig, station, [typicalFrame(rig)]);
  }
  const { channelAccess } = rig.stations[0].driver.capabilities;
  if (channelAccess !== 'host') together(rig, channelAccess === 'none');
  expectOrder(rig);
  expectNoStrays(rig);
}

/** Both send at the same time, as those may who need not contend, or whose modem does. */
function together(rig: DriverRig, lossless: boolean): void {
  const [one, two] = rig.stations;
  const before = rig.stations.map(({ received }) => received.length);
  const left = new Map(rig.stations.map((station) => [station, FRAMES]));
  for (const station of rig.stations) {
    const next = (): void => {
      const frames = left.get(station) ?? 0;
      if (frames === 0) return;
      left.set(station, frames - 1);
      station.transmit(typicalFrame(rig));
    };
    station.onSent = next;
    next();
  }
  const patienceUs = 4 * FRAMES * rig.patienceUs(one, longestOf(one));
  rig.runUntil(() => [...left.values()].every((frames) => frames === 0) && !one.pending && !two.pending, patienceUs);
  rig.settle();
  for (const station of rig.stations) station.onSent = undefined;
  const arrived = rig.stations.map(({ received }, i) => received.length - (before[i] ?? 0));
  // Modems that contend collide now and then.
  const least = lossless ? FRAMES : 1;
  expect(Math.min(...arrived)).toBeGreaterThanOrEqual(least);
}

function busy(bench: DriverBench): string | undefined {
  const rig = DriverRig.ready(bench);
  const [one] = rig.stations;
  const { channelAccess, carrierSense, sentReport } = one.driver.capabilities;
  if (channelAccess === 'none') return 'nobody contends on this channel';
  if (channelAccess === 'host' && carrierSense === 'none') return 'neither modem nor host knows of a carrier';
  const frame = typicalFrame(rig);
  const durationUs = 2 * one.driver.timing.airtimeUs(frame.length) + 3 * one.driver.timing.carrierDetectUs + 500_000;
  const endUs = rig.time.nowUs() + durationUs;
  rig.foreignSignal(durationUs);
  if (carrierSense !== 'none') {
    expect(rig.runUntil(() => one.carriers.at(-1) === true, durationUs)).toBe(true);
    expect(one.driver.senseBusy()).toBe(true);
    rig.time.runUntil(endUs);
    expect(rig.runUntil(() => one.carriers.at(-1) === false, (bench.idleWithinMs ?? DEFAULT_IDLE_MS) * 1000)).toBe(
      true,
    );
    expect(one.driver.senseBusy()).toBe(false);
  }
  if (channelAccess === 'modem') {
    if (rig.time.nowUs() < endUs) rig.time.runFor((endUs - rig.time.nowUs()) / 4);
    else {
      rig.foreignSignal(durationUs);
      rig.time.runFor(durationUs / 4);
    }
    const sentBefore = rig.medium.counts(1).frames;
    const startUs = rig.time.nowUs();
    one.transmit(frame);
    rig.runUntil(() => !one.pending, rig.patienceUs(one, frame.length));
    if (sentReport === 'on-air') expect(rig.medium.counts(1).frames).toBeGreaterThan(sentBefore);
    expect(rig.time.nowUs()).toBeGreaterThan(startUs);
    rig.settle();
    expect(key(rig.stations[1].received.at(-1)?.frame ?? new Uint8Array())).toBe(key(frame));
  }
  expectTraffic(rig);
  expectOrder(rig);
  return undefined;
}

function failure(bench: DriverBench): undefined {
  const rig = DriverRig.ready(bench);
  const [one] = rig.stations;
  expect(rig.sendAll(one, [rig.frame(longestOf(one) + 1)])).toEqual(['refused']);
  if (bench.refuseNext !== undefined) {
    bench.refuseNext(one.emulator);
    expect(rig.sendAll(one, [typicalFrame(rig)])).toEqual(['refused']);
  }
  rig.settle();
  expectTraffic(rig);
  expectOrder(rig);
  expectNoStrays(rig);
}

function hazards(bench: DriverBench): string | undefined {
  const all = Object.entries(bench.hazards ?? {});
  if (all.length === 0) return 'this modem has no hazards of its own';
  for (const [name, hazard] of all) {
    const rig = DriverRig.ready(bench);
    try {
      for (const { emulator } of rig.stations) hazard.on(emulator);
      for (const station of rig.stations) {
        const frames = Array.from({ length: FRAMES }, () => typicalFrame(rig));
        if (hazard.lossless === true) {
          expectAllArrive(rig, station, frames);
          continue;
        }
        // The driver may go down and come back over it.
        for (const frame of frames) {
          // A modem that answers nothing cannot be prepared again: nothing is asked of it then.
          if (!rig.runUntil(() => station.ready, recoverUs(bench))) break;
          expect(rig.sendAll(station, [frame])).toHaveLength(1);
        }
        rig.settle();
      }
      for (const { emulator } of rig.stations) hazard.off(emulator);
      expectRecovery(rig);
      expectOrder(rig);
      expectNoStrays(rig);
    } catch (error) {
      throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
  return undefined;
}

function reboot(bench: DriverBench): string | undefined {
  if (bench.reboot === undefined) return 'this modem has no state to lose';
  // At rest, and at several points of a transmission; the sender's modem, and the receiver's.
  for (const share of [0, 0.1, 0.5, 0.95]) {
    for (const victim of [0, 1] as const) {
      const rig = DriverRig.ready(bench);
      const [one] = rig.stations;
      const frame = rig.frame(legalLength(bench, longestOf(one), longestOf(one)));
      if (share > 0) one.transmit(frame);
      rig.time.runFor(share * (one.driver.timing.turnaroundUs + one.driver.timing.airtimeUs(frame.length)));
      bench.reboot(rig.stations[victim].emulator);
      rig.runUntil(() => !one.pending, Math.max(rig.patienceUs(one, frame.length), recoverUs(bench)));
      expect({ share, victim, pending: one.pending }).toEqual({ share, victim, pending: false });
      expectRecovery(rig);
      expectOrder(rig);
      expectNoStrays(rig);
    }
  }
  return undefined;
}

function lineLost(bench: DriverBench): undefined {
  for (const share of [0.01, 0.5, 0.99]) {
    const rig = DriverRig.ready(bench);
    const [one, two] = rig.stations;
    const frame = rig.frame(legalLength(bench, longestOf(one), longestOf(one)));
    // In the middle of what the host writes.
    one.breakAfter('out', Math.max(1, Math.round(share * frame.length)));
    one.transmit(frame);
    rig.runUntil(() => !one.ready && !one.pending, rig.patienceUs(one, frame.length));
    if (one.ready) {
      // The dialogue was shorter than that: break it where it is.
      one.line.breaksAfter = undefined;
      one.lose();
    }
    expect(one.ready).toBe(false);
    expect(one.pending).toBe(false);
    one.driver.lineLost();
    rig.time.runFor(50_000);
    one.open();
    rig.untilReady();
    rig.settle();
    expectTraffic(rig);
    // In the middle of what the modem says.
    two.breakAfter('in', Math.max(1, Math.round(share * frame.length)));
    one.transmit(rig.frame(frame.length));
    rig.runUntil(() => !one.pending && !two.ready, rig.patienceUs(one, frame.length));
    expect(two.ready).toBe(false);
    rig.settle();
    two.open();
    rig.untilReady();
    rig.settle();
    expectTraffic(rig);
    expectOrder(rig);
    expectNoStrays(rig);
  }
}

function noLeak(bench: DriverBench): undefined {
  const rig = DriverRig.ready(bench);
  const [one, two] = rig.stations;
  const firstInit = Buffer.from(one.line.written).toString('latin1');
  const first = typicalFrame(rig);
  one.line.written.length = 0;
  expectAllArrive(rig, one, [first]);
  const firstFrame = Buffer.from(one.line.written).toString('latin1');
  // A session that ends with everything half done.
  expectTraffic(rig);
  two.transmit(typicalFrame(rig));
  rig.time.runFor(two.driver.timing.airtimeUs(64) / 2);
  one.breakAfter('out', 5);
  if (one.ready) one.transmit(typicalFrame(rig));
  rig.runUntil(() => !one.ready, rig.patienceUs(one, longestOf(one)));
  if (one.ready) one.lose();
  rig.runUntil(() => !two.pending, rig.patienceUs(two, longestOf(two)));
  rig.settle();
  bench.reboot?.(one.emulator);
  rig.time.runFor(recoverUs(bench));
  one.carriers.length = 0;
  one.open();
  rig.untilReady();
  expect(Buffer.from(one.line.written).toString('latin1')).toBe(firstInit);
  rig.settle();
  one.line.written.length = 0;
  expectAllArrive(rig, one, [first]);
  // What follows the frame, polls for instance, may come more or less often.
  const again = Buffer.from(one.line.written).toString('latin1');
  const common = Math.min(again.length, firstFrame.length);
  expect(common).toBeGreaterThanOrEqual(first.length);
  expect(again.slice(0, common)).toBe(firstFrame.slice(0, common));
  expect(one.carriers.filter((carrier) => carrier)).toHaveLength(one.carriers.filter((carrier) => !carrier).length);
  expectTraffic(rig);
  expectOrder(rig);
}

function oneFrame(bench: DriverBench): string | undefined {
  const { waitingFrames } = bench;
  if (waitingFrames === undefined) return 'this modem has no queue that could be looked at';
  const rig = DriverRig.ready(bench);
  const [one] = rig.stations;
  let most = 0;
  const look = (): void => {
    most = Math.max(most, waitingFrames(one.emulator));
  };
  const frames = Array.from({ length: 3 * FRAMES }, () => typicalFrame(rig));
  rig.sendAll(one, frames, () => {
    look();
    rig.time.at(rig.time.nowUs() + one.driver.timing.turnaroundUs + 1000, look);
  });
  expect(most).toBeLessThanOrEqual(bench.waitingLimit ?? 1);
  expectOrder(rig);
  return undefined;
}

function sentOnce(bench: DriverBench): undefined {
  const rig = DriverRig.ready(bench);
  const [one] = rig.stations;
  const early: string[] = [];
  const frames = Array.from({ length: FRAMES }, (_, i) =>
    rig.frame(legalLength(bench, longestOf(one), i % 2 === 0 ? longestOf(one) : shortestOf(bench))),
  );
  const { channelAccess, sentReport } = one.driver.capabilities;
  const airBefore = rig.medium.counts(1).frames;
  const outcomes = rig.sendAll(one, frames, () => {
    // A half-duplex sender that is told "sent" must not have its key down still.
    if (channelAccess === 'host' && rig.medium.sending(1)) early.push(`frame ${one.outcomes.length}`);
  });
  rig.settle();
  expect(outcomes).toEqual(frames.map(() => 'sent'));
  expect(early).toEqual([]);
  if (channelAccess !== 'none' && sentReport !== 'accepted')
    expect(rig.medium.counts(1).frames - airBefore).toBeGreaterThanOrEqual(frames.length);
  expectOrder(rig);
}
