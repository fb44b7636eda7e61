/** HC-12: set up through its SET pin from whatever it was left with, or used as it is. */
import { Hc12Emulator, type Hc12State } from '../../../src/sim/emulators/hc12.js';
import { type DriverBench, driverBench } from '../driver-bench.js';
import { halfAFrame, SET_UP_HAZARDS, setUpFaults } from './set-up-hazards.js';

const found =
  (state: Partial<Hc12State>) =>
  ({ emulator }: { emulator: Hc12Emulator }): void => {
    Object.assign(emulator.state, state);
    emulator.restart();
  };

function bench(
  name: string,
  profile: string,
  state: Hc12State,
  rateBps: number,
  more: Partial<DriverBench<Hc12Emulator>> = {},
) {
  return driverBench<Hc12Emulator>({
    kind: 'hc12',
    name,
    profile,
    settings: () => ['driver.setLine=rts'],
    medium: { rateBps },
    emulator: (context) => new Hc12Emulator({ ...context, settings: {} }, 'rts', state),
    states: {
      ...setUpFaults,
      'half a frame typed': halfAFrame,
      'in command mode': ({ emulator, runFor }) => {
        emulator.restart();
        runFor(50_000);
      },
      'on another channel': found({ channel: 100 }),
      'in another mode': found({ mode: 1 }),
      'at another rate': found({ baudRate: 38_400 }),
      'in FU4, at 1200 bit/s, with least power': found({ mode: 4, baudRate: 1200, power: 1 }),
    },
    reboot: (emulator) => emulator.restart(),
    readyWithinMs: 60_000,
    recoverWithinMs: 60_000,
    without: { 'one frame': 'it holds octets, not frames', hazards: SET_UP_HAZARDS },
    ...more,
  });
}

const factory = { mode: 3, channel: 1, power: 8, baudRate: 9600 };

export const benches = [
  bench('hc12', 'hc12-fu3-9600', factory, 15_000),
  bench('hc12 fu1', 'hc12-fu1-9600', { ...factory, mode: 1 }, 250_000),
  bench('hc12 fu2', 'hc12-fu2-4800', { ...factory, mode: 2, baudRate: 4800 }, 250_000, {
    overheadUs: () => 500_000, // until the receiver is awake
    without: {
      'one frame': 'it holds octets, not frames',
      hazards: SET_UP_HAZARDS,
      airtime:
        'the frame is saved up until the receiver is awake; what counts is its way out of there, at the rate of the line',
    },
  }),
  bench('hc12 fu4', 'hc12-fu4-1200', { ...factory, mode: 4, baudRate: 1200 }, 500, { overheadUs: () => 60_000 }),
  bench('hc12, SET not wired', 'hc12-fu3-9600', factory, 15_000, {
    settings: () => ['driver.setLine=none'],
    states: { 'half a frame typed': halfAFrame },
  }),
];
