/** RS-485: an adapter that switches by itself, and one that RTS switches, whose own octets come back. */
import { Rs485Emulator, type Rs485Traits } from '../../../src/sim/emulators/rs485.js';
import { driverBench } from '../driver-bench.js';

const set =
  (faults: Partial<Rs485Emulator['faults']>) =>
  (emulator: Rs485Emulator): void => {
    Object.assign(emulator.faults, faults);
  };
const off = set({ garbleEcho: 0, loseEcho: 0 });

const bench = (name: string, settings: readonly string[], traits: Rs485Traits) =>
  driverBench({
    kind: 'rs485',
    name: `rs485 ${name}`,
    profile: 'rs485-19200',
    settings: () => settings,
    // Ten bits an octet on the wire.
    medium: { rateBps: 15_360, propagationMps: 2e8 },
    emulator: (context) => new Rs485Emulator({ ...context, settings: {} }, traits),
    states: { 'half a frame typed': ({ type }) => type(Uint8Array.of(0x7e, 1, 2, 3)) },
    ...(traits.echo === true
      ? {
          refuseNext: set({ garbleEcho: 1 }),
          hazards: {
            'an octet collides': { on: set({ garbleEcho: 1 }), off },
            'octets do not come back': { on: set({ loseEcho: 3 }), off },
            'nothing comes back': { on: set({ loseEcho: 100_000 }), off },
          },
        }
      : {}),
    // RTS is held behind the last octet, or the last octet comes back after its time.
    overheadUs: () => 2000,
    without: { 'one frame': 'it holds octets, not frames' },
    strays: 'half a frame that was on the wire when the line went, and noise that has a good FCS-16',
  });

export const benches = [
  bench('adapter', [], {}),
  bench('adapter, echo', ['driver.echo=true'], { echo: true }),
  bench('RTS', ['driver.direction=rts', 'driver.beforeSendUs=100'], { direction: 'rts' }),
  bench('RTS, echo', ['driver.direction=rts', 'driver.echo=true'], { direction: 'rts', echo: true }),
];
