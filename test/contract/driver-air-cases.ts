/** The cases of the driver contract about time and quality on the air. */
import { expect } from 'vitest';
import type { DriverBench } from './driver-bench.js';
import { expectAllArrive, expectOrder, expectTraffic, legalLength, longestOf } from './driver-expectations.js';
import { DriverRig } from './driver-rig.js';

const THROUGHPUT_FRAMES = 20;
/** Of the airtime model, for a sender that has the channel to itself (with what the bench says that the modem takes). */
const THROUGHPUT_SHARE = 0.95;
const DEFAULT_AIRTIME_TOLERANCE = 0.05;
const FRAMES = 10;

export function airtime(bench: DriverBench): undefined {
  const rig = DriverRig.ready(bench);
  const [one] = rig.stations;
  const tolerance = bench.airtimeTolerance ?? DEFAULT_AIRTIME_TOLERANCE;
  for (const bytes of [longestOf(one), longestOf(one) / 2]) {
    const frames = Array.from({ length: FRAMES }, () => rig.frame(legalLength(bench, longestOf(one), bytes)));
    const beforeUs = rig.medium.counts(1).airtimeUs;
    expectAllArrive(rig, one, frames);
    const modelUs = frames.reduce((sum, frame) => sum + one.driver.timing.airtimeUs(frame.length), 0);
    const ratio = (rig.medium.counts(1).airtimeUs - beforeUs) / modelUs;
    expect(Math.abs(ratio - 1), `emulated airtime / model: ${ratio.toFixed(3)}`).toBeLessThanOrEqual(tolerance);
  }
}

export function throughput(bench: DriverBench): undefined {
  const rig = DriverRig.ready(bench);
  const [one] = rig.stations;
  const bytes = legalLength(bench, longestOf(one), longestOf(one));
  const frames = Array.from({ length: THROUGHPUT_FRAMES }, () => rig.frame(bytes));
  const startUs = rig.time.nowUs();
  let endUs = startUs;
  rig.sendAll(one, frames, () => {
    endUs = rig.time.nowUs();
  });
  const modelUs = THROUGHPUT_FRAMES * (one.driver.timing.airtimeUs(bytes) + (bench.overheadUs?.(bytes) ?? 0));
  const share = modelUs / (endUs - startUs);
  expect(share, `${share.toFixed(3)} of the airtime model`).toBeGreaterThanOrEqual(THROUGHPUT_SHARE);
  rig.settle();
  expect(rig.stations[1].received).toHaveLength(THROUGHPUT_FRAMES);
  expectOrder(rig);
}

export function signal(bench: DriverBench): string | undefined {
  const reports = bench.reports ?? [];
  if (reports.length === 0) return 'the modem does not say how strong a frame was';
  const rig = DriverRig.ready(bench);
  expectTraffic(rig);
  for (const { received } of rig.stations) {
    for (const { meta } of received) {
      if (reports.includes('rssi')) expect(meta.rssiDbm).toSatisfy((dbm) => Number(dbm) >= -180 && Number(dbm) <= 30);
      if (reports.includes('snr')) expect(meta.snrDb).toSatisfy((db) => Number(db) >= -40 && Number(db) <= 60);
    }
  }
  return undefined;
}
