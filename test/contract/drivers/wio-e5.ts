/** Wio-E5 in test mode: reception that ends with each transmission, packets in two lines, a line slower than the air. */
import { WioE5Emulator } from '../../../src/sim/emulators/wio-e5.js';
import { driverBench } from '../driver-bench.js';

type Typing = { type(text: string): void };

const set =
  (faults: Partial<WioE5Emulator['faults']>) =>
  (emulator: WioE5Emulator): void => {
    Object.assign(emulator.faults, faults);
  };
const off = set({ lose: 0, loseOnly: /^/, busy: 0, chatter: 0, lateUs: 0, echo: false });

export const benches = [
  driverBench({
    kind: 'wio-e5',
    name: 'wio-e5',
    profile: 'wio-e5-sf7',
    medium: { rateBps: 5469 },
    emulator: (context) => new WioE5Emulator({ ...context, settings: {} }),
    states: {
      'half a command': ({ type }: Typing) => type('AT+TEST=RF'),
      receiving: ({ type }: Typing) => type('AT+MODE=TEST\r\nAT+TEST=RXLRPKT\r\n'),
      'just plugged in': ({ emulator }: { emulator: WioE5Emulator }) => emulator.reboot(),
    },
    hazards: {
      'remarks in between': { on: set({ chatter: 1 }), off, lossless: true },
      'late replies': { on: set({ lateUs: 100_000 }), off },
      'a lost reply': { on: set({ lose: 1, loseOnly: /^\+TEST: TXL/ }), off },
      'a lost report of the end': { on: set({ lose: 1, loseOnly: /DONE/ }), off },
    },
    reboot: (emulator: WioE5Emulator) => emulator.reboot(),
    refuseNext: set({ refuse: 1 }),
    readyWithinMs: 20_000,
    recoverWithinMs: 60_000,
    // The command on the line; what of the echo outlasts the signal, and the report of the end.
    overheadUs: (frameBytes) =>
      (20 + 2 * frameBytes + 16) * 1042 + 12_000 + Math.max(0, 2 * frameBytes * 1042 - 1500 * frameBytes),
    reports: ['rssi', 'snr'],
  }),
];
