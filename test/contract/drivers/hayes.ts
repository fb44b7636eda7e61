/** Modems that dial: found anywhere in a call or out of it, with DCD and without, on the telephone and by satellite. */
import { HayesEmulator, type HayesFaults } from '../../../src/sim/emulators/hayes.js';
import { driverBench } from '../driver-bench.js';

const set =
  (faults: Partial<HayesFaults>) =>
  (emulator: HayesEmulator): void => {
    Object.assign(emulator.faults, faults);
  };
const off = set({ lose: 0, lateUs: 0, busyCalls: 0, deadCalls: 0, unansweredCalls: 0, noiseOctets: 0, chatter: false });
/** Ends the call, and makes the next one difficult. */
const again =
  (faults: Partial<HayesFaults>) =>
  (emulator: HayesEmulator): void => {
    set(faults)(emulator);
    emulator.dropCall();
  };

type Typing = { type(text: string): void; runFor(us: number): void };

const common = {
  kind: 'hayes',
  states: {
    'half a command': ({ type }: Typing) => type('AT+CBS'),
    'numeric and without echo': ({ type }: Typing) => type('ATE0V0\r'),
    'dialling nobody': ({ type }: Typing) => type('ATDT99\r'),
    'in a call': ({ type, runFor }: Typing) => {
      // Both type it: the second one is called by the first, and answers by itself.
      type('ATS0=1\r');
      type('ATDT02\r');
      runFor(30_000_000);
    },
    'in a call, paused': ({ type, runFor }: Typing) => {
      type('ATS0=1\r');
      type('ATDT02\r');
      runFor(30_000_000);
      type('+++');
      runFor(2_000_000);
    },
  },
  hazards: {
    'the call falls': { on: again({}), off },
    'the call falls, then busy twice': { on: again({ busyCalls: 2 }), off },
    'no dial tone': { on: again({ deadCalls: 1 }), off },
    'nobody answers': { on: again({ unansweredCalls: 1 }), off },
    'noise behind CONNECT': { on: again({ noiseOctets: 40 }), off },
    'late result codes': { on: again({ lateUs: 1_000_000 }), off },
    'lost result codes': { on: again({ lose: 2 }), off },
    'rings in between': { on: again({ chatter: true }), off },
  },
  readyWithinMs: 240_000,
  recoverWithinMs: 400_000,
  strays: 'a call that begins with half a frame of the last one, or noise that has a good FCS-16',
  without: { 'one frame': 'it holds octets, not frames' },
} as const;

const calls = (station: number): readonly string[] => [
  ...(station === 1 ? ['driver.call=dial', 'driver.number=0,02'] : ['driver.call=answer']),
  'driver.redialMs=1000',
  'driver.redialMaxMs=8000',
];

const lineBaud = 38_400;
/** Where nothing but its words tells that a call is over, they must not be lost. */
const { 'lost result codes': _lost, ...hazardsWithoutDcd } = common.hazards;

export const benches = [
  driverBench({
    ...common,
    name: 'hayes V.32',
    profile: 'hayes-v32',
    settings: calls,
    medium: { rateBps: 9600, duplex: 'full' },
    emulator: (context) => new HayesEmulator({ ...context, settings: { lineBaud } }, { latencyUs: 100_000 }),
    reboot: (emulator) => emulator.reboot(),
  }),
  driverBench({
    ...common,
    name: 'hayes no modem lines',
    profile: 'hayes-v32',
    settings: (station) => [...calls(station), 'driver.answerAfterRings=0', 'driver.init=[ATZ, ATE0V1, ATS0=2]'],
    medium: { rateBps: 9600, duplex: 'full' },
    emulator: (context) => new HayesEmulator({ ...context, settings: { lineBaud } }, { lines: false }),
    hazards: hazardsWithoutDcd,
    without: {
      ...common.without,
      reboot: 'without DCD a modem that restarts says nothing; only its peer hears of it',
      'no leak': 'without DTR a call outlives the session: the next one must end it first',
    },
  }),
  driverBench({
    ...common,
    name: 'iridium dial data',
    profile: 'iridium-dial',
    settings: calls,
    medium: { rateBps: 2400, duplex: 'full' },
    emulator: (context) =>
      new HayesEmulator(
        { ...context, settings: { lineBaud: 19_200, flowControl: 'none' } },
        { bearer: /^\+CBST71/, dialUs: 8_000_000, trainUs: 10_000_000, latencyUs: 800_000 },
      ),
    reboot: (emulator) => emulator.reboot(),
  }),
];
