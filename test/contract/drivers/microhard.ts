/** Microhard radios: set up from whatever they were left with; a link that comes and goes with DCD. */
import { MicrohardEmulator, type MicrohardRegisters } from '../../../src/sim/emulators/microhard.js';
import { type DriverBench, driverBench } from '../driver-bench.js';
import { found, halfAFrame, SET_UP_HAZARDS, setUpFaults } from './set-up-hazards.js';

type Saved = Partial<MicrohardRegisters>;

const role = (station: number): string => `driver.mode=${station === 1 ? 'master' : 'slave'}`;

function bench(name: string, profile: string, saved: Saved, more: Partial<DriverBench<MicrohardEmulator>> = {}) {
  return driverBench<MicrohardEmulator>({
    kind: 'microhard',
    name,
    profile,
    settings: (station) => [role(station)],
    medium: { rateBps: 345_000 },
    emulator: (context) =>
      new MicrohardEmulator({ ...context, settings: {} }, { ...saved, 101: context.station === 1 ? 1 : 2 }),
    states: {
      ...setUpFaults,
      'half a frame typed': halfAFrame,
      'in command mode': ({ emulator }) => emulator.leave({ commands: true }),
      'half a command typed': ({ emulator, type }) => {
        emulator.leave({ commands: true });
        type('ATS10');
      },
      'speaking in digits, without echo': ({ emulator }) =>
        emulator.leave({ commands: true, words: false, echo: false }),
      starting: ({ emulator }) => emulator.restart(),
      'both slaves, as they come': found({ 101: 2, 102: 7, 103: 3, 104: 1 }),
      'in another net': found({ 104: 500 }),
      'at another rate': found({ 102: 2 }),
    },
    reboot: (emulator) => emulator.restart(),
    readyWithinMs: 120_000,
    recoverWithinMs: 30_000,
    without: {
      'one frame': 'it holds octets, not frames',
      airtime: 'the radios keep the air busy by turns, data or not',
      hazards: SET_UP_HAZARDS,
    },
    ...more,
  });
}

export const benches = [
  bench('microhard', 'microhard-mhx', {}),
  bench(
    'microhard 115200',
    'microhard-mhx-115200',
    { 102: 1, 103: 1 },
    {
      settings: (station) => [role(station), 'link.mtuBytes=200'],
    },
  ),
  bench(
    'microhard, used as it is',
    'microhard-mhx',
    {},
    {
      settings: (station) => [role(station), 'driver.configure=false', 'link.mtuBytes=200'],
      states: { 'half a frame typed': halfAFrame, starting: ({ emulator }) => emulator.restart() },
    },
  ),
];
