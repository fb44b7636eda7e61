/** What a modem says of itself reaches whoever looks on. */
import { expect, it } from 'vitest';
import type { DriverBench } from '../../../contract/driver-bench.js';
import { DriverRig } from '../../../contract/driver-rig.js';
import { benches as rnode } from '../../../contract/drivers/rnode.js';
import { benches as sik } from '../../../contract/drivers/sik.js';

function figures(benches: readonly DriverBench[], name: string): Record<string, number> | undefined {
  const bench = benches.find((each) => each.name === name);
  if (bench === undefined) throw new Error(`no bench ${name}`);
  const rig = DriverRig.ready(bench);
  const [one] = rig.stations;
  rig.sendAll(one, [rig.frame(40)]);
  rig.settle();
  return one.driver.figures?.();
}

it('RNode: channel load, noise floor, and the window of its channel access', () => {
  // As the emulator has them: 0.12 and 0.2 % in hundredths of a percent, -100 and -112 dBm, band 1 of windows to 14.
  expect(figures(rnode, 'rnode')).toMatchObject({
    airtimeShort: 0.0012,
    loadShort: 0.002,
    rssiDbm: -100,
    noiseFloorDbm: -112,
    csmaBand: 1,
    csmaMin: 0,
    csmaMax: 14,
  });
});

it('SiK: signal of both sides, and room in the radio', () => {
  const { rssiDbm, noiseDbm, bufferFreePercent, setUps } = figures(sik, 'sik, signal reports') ?? {};
  expect(rssiDbm).toBeGreaterThan(noiseDbm ?? 0);
  expect(bufferFreePercent).toBeGreaterThan(90);
  expect(setUps).toBe(1);
});

it('nothing is said of a modem that says nothing', () => {
  expect(figures(sik, 'sik')).toEqual({ setUps: 1, failedSetUps: 0 });
});
