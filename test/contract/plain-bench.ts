/** A bench for a driver that has none of its own yet: its first profile, its emulator, no hazards. */
import { loadProfile } from '../../src/modem/profiles.js';
import { emulatorFactory } from '../../src/sim/emulators/registry.js';
import { type DriverBench, driverBench } from './driver-bench.js';

/** @throws SluiceError `configuration` when the driver has no emulator of its name; Error when no profile names it. */
export function plainBench(
  kind: string,
  profiles: readonly { readonly id: string; readonly driver: string }[],
): DriverBench {
  const id = profiles.find(({ driver }) => driver === kind)?.id;
  if (id === undefined) throw new Error(`no profile names the driver ${kind}`);
  const { air, line } = loadProfile(id);
  const rateBps = air.rateBps === 'auto' ? (line.baudRate * 8) / 10 : air.rateBps;
  const make = emulatorFactory(kind);
  return driverBench({
    kind,
    name: kind,
    profile: id,
    medium: { rateBps, duplex: air.duplex },
    emulator: (context) => make({ ...context, settings: { lineBaud: line.baudRate } }),
    // The command on the line, where the modem does not take it while it sends.
    overheadUs: (frameBytes) => (3 * frameBytes * 10_000_000) / line.baudRate,
  });
}
