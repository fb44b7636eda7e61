/** A Microhard radio is usable while it hears the other one, which DCD says. */
import { expect, it } from 'vitest';
import { MicrohardEmulator } from '../../../../src/sim/emulators/microhard.js';
import { DriverRig } from '../../../contract/driver-rig.js';
import { benches } from '../../../contract/drivers/microhard.js';

it('is ready once there is a link, and no longer when it is gone', () => {
  const [bench] = benches;
  if (bench === undefined) throw new Error('no bench');
  const rig = new DriverRig(bench);
  const [one, two] = rig.stations;
  const other = two.emulator;
  if (!(other instanceof MicrohardEmulator)) throw new Error('another emulator');
  // In another net, for a start.
  other.save({ 104: 500 });
  other.restart();
  one.open();
  rig.time.runFor(20_000_000);
  expect(one.ready).toBe(false);
  other.save({ 104: 1 });
  other.restart();
  rig.time.runFor(5_000_000);
  expect(one.ready).toBe(true);
  other.save({ 104: 500 });
  other.restart();
  rig.time.runFor(5_000_000);
  expect(one.ready).toBe(false);
});
