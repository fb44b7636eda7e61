/** SiK radios: set up from whatever they were left with; with and without reports of the signal; another firmware. */
import { SIK_FACTORY, SikEmulator } from '../../../src/sim/emulators/sik.js';
import { type DriverBench, driverBench } from '../driver-bench.js';
import { found, halfAFrame, SET_UP_HAZARDS, setUpFaults } from './set-up-hazards.js';

type Registers = Readonly<Record<string, number>>;

/** All lengths once are enough. */
const SHORT = 'link.mtuBytes=200';
const asSetUp = { MAVLINK: 0, RTSCTS: 1 };

function bench(name: string, profile: string, saved: Registers, more: Partial<DriverBench<SikEmulator>> = {}) {
  return driverBench<SikEmulator>({
    kind: 'sik',
    name,
    profile,
    medium: { rateBps: 64_000 },
    emulator: (context) => new SikEmulator({ ...context, settings: {} }, saved),
    states: {
      ...setUpFaults,
      'half a frame typed': halfAFrame,
      'in command mode': ({ emulator }) => emulator.leaveInCommandMode(),
      'half a command typed': ({ emulator, type }) => {
        emulator.leaveInCommandMode();
        type('ATS3=');
      },
      starting: ({ emulator }) => emulator.restart(),
      'as it comes': found({ MAVLINK: 1, RTSCTS: 0 }),
      'in another net': found({ NETID: 99 }),
      'at another rate': found({ SERIAL_SPEED: 115, AIR_SPEED: 128 }),
      'without flow control, with correction': found({ RTSCTS: 0, ECC: 1 }),
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
  bench('sik', 'sik-64k', asSetUp),
  bench('sik 250k', 'sik-250k', { ...asSetUp, AIR_SPEED: 250, SERIAL_SPEED: 115 }, { settings: () => [SHORT] }),
  bench(
    'sik, signal reports',
    'sik-64k',
    { ...asSetUp, MAVLINK: 1 },
    {
      settings: () => ['driver.statusMs=500', SHORT],
      reports: ['rssi', 'snr'],
    },
  ),
  bench('sik, used as it is', 'sik-64k', asSetUp, {
    settings: () => ['driver.configure=false', SHORT],
    states: { 'half a frame typed': halfAFrame },
  }),
  bench(
    'sik, other numbers',
    'rfd900',
    {},
    {
      settings: () => [SHORT],
      emulator: (context) =>
        new SikEmulator({ ...context, settings: {} }, { ...asSetUp, TXPOWER: 30 }, [
          ...SIK_FACTORY.slice(0, 3),
          ['NODEID', 2],
          ...SIK_FACTORY.slice(3),
        ]),
    },
  ),
];
