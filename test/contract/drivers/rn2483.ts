/** RN2483: reception that ends with each packet, refusal while it is on, stray errors. */
import { Rn2483Emulator } from '../../../src/sim/emulators/rn2483.js';
import { driverBench } from '../driver-bench.js';

type Typing = { type(text: string): void };

const set =
  (faults: Partial<Rn2483Emulator['faults']>) =>
  (emulator: Rn2483Emulator): void => {
    Object.assign(emulator.faults, faults);
  };
const off = set({ lose: 0, loseOnly: /^/, busy: 0, chatter: 0, lateUs: 0, echo: false });

const common = {
  kind: 'rn2483',
  medium: { rateBps: 5469 },
  emulator: (context: Omit<ConstructorParameters<typeof Rn2483Emulator>[0], 'settings'>) =>
    new Rn2483Emulator({ ...context, settings: {} }),
  states: {
    'half a command': ({ type }: Typing) => type('radio set fr'),
    receiving: ({ type }: Typing) => type('mac pause\r\nradio rx 0\r\n'),
    sending: ({ type }: Typing) => type('mac pause\r\nradio set sf sf12\r\nradio tx 00112233445566778899\r\n'),
    'tuned elsewhere': ({ type }: Typing) =>
      type('radio set sf sf9\r\nradio set freq 868500000\r\nradio set wdt 0\r\n'),
    'just plugged in': ({ emulator }: { emulator: Rn2483Emulator }) => emulator.reboot(),
  },
  hazards: {
    'stray radio_err': { on: set({ chatter: 1 }), off, lossless: true },
    'late replies': { on: set({ lateUs: 200_000 }), off },
    'busy replies': { on: set({ busy: 5 }), off, lossless: true },
    echo: { on: set({ echo: true }), off, lossless: true },
    'a lost reply': { on: set({ lose: 1, loseOnly: /^ok/ }), off },
    'a lost report of the end': { on: set({ lose: 1, loseOnly: /^radio_tx_ok/ }), off },
  },
  reboot: (emulator: Rn2483Emulator) => emulator.reboot(),
  refuseNext: set({ refuse: 1 }),
  readyWithinMs: 20_000,
  recoverWithinMs: 60_000,
} as const;

// Until the receivers listen again (report, signal report, radio rx 0, their own time), then the turnaround.
const restUs =
  (signalBytes: number) =>
  (frameBytes: number): number =>
    (12 + 2 * frameBytes + signalBytes + 16 + 13 + 4) * 174 + 10_000 + 4000;

export const benches = [
  driverBench({ ...common, name: 'rn2483', profile: 'rn2483-sf7', overheadUs: restUs(42), reports: ['rssi', 'snr'] }),
  driverBench({
    ...common,
    name: 'rn2903, no signal report',
    profile: 'rn2903-sf7',
    settings: () => ['driver.reportSignal=false'],
    overheadUs: restUs(0),
  }),
];
