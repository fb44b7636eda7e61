/** REYAX RYLR: counted text, errors at any time, no word about when a signal is over. */
import { RylrEmulator, type RylrTraits } from '../../../src/sim/emulators/rylr.js';
import { driverBench } from '../driver-bench.js';

type Typing = { type(text: string): void };
type Modem = { emulator: RylrEmulator };

const set =
  (faults: Partial<RylrEmulator['faults']>) =>
  (emulator: RylrEmulator): void => {
    Object.assign(emulator.faults, faults);
  };
const off = set({ lose: 0, loseOnly: /^/, busy: 0, chatter: 0, lateUs: 0, echo: false });

const common = {
  kind: 'rylr',
  medium: { rateBps: 1758 },
  states: {
    'half a command': ({ type }: Typing) => type('AT+PARAM'),
    'half a frame': ({ type }: Typing) => type('AT+SEND=0,200,abc'),
    asleep: ({ type }: Typing) => type('AT+MODE=1\r\n'),
    'tuned elsewhere': ({ type }: Typing) => type('AT+PARAMETER=7,9,4,8\r\nAT+BAND=868500000\r\n'),
    sending: ({ type }: Typing) => type('AT+SEND=0,4,gone\r\n'),
    'just plugged in': ({ emulator }: Modem) => emulator.reboot(),
  },
  hazards: {
    'errors of reception in between': { on: set({ chatter: 1 }), off, lossless: true },
    'late replies': { on: set({ lateUs: 300_000 }), off, lossless: true },
    'busy replies': { on: set({ busy: 5 }), off, lossless: true },
    echo: { on: set({ echo: true }), off, lossless: true },
    'a lost reply': { on: set({ lose: 1, loseOnly: /^\+OK/ }), off },
  },
  reboot: (emulator: RylrEmulator) => emulator.reboot(),
  refuseNext: set({ refuse: 1 }),
  readyWithinMs: 15_000,
  recoverWithinMs: 60_000,
  reports: ['rssi', 'snr'],
} as const;

const bench = (name: string, profile: string, settings: readonly string[], traits: RylrTraits, perOctet: number) =>
  driverBench({
    ...common,
    name: `rylr ${name}`,
    profile,
    settings: () => settings,
    emulator: (context) => new RylrEmulator({ ...context, settings: {} }, traits),
    // The command and the reply on the line, and what the module takes for both.
    overheadUs: (frameBytes) => (16 + perOctet * frameBytes + 5) * 87 + 12_000,
  });

export const benches = [
  bench('hex', 'rylr998-sf9', [], {}, 2),
  bench(
    'base64, OK when sent',
    'rylr998-sf9',
    ['driver.encoding=base64', 'driver.okMeans=sent', 'driver.maxFrameBytes=180'],
    { okAfterSignal: true },
    4 / 3,
  ),
  bench('raw', 'rylr998-sf9', ['driver.encoding=raw', 'driver.maxFrameBytes=240'], { binarySafe: true }, 1),
];
