/** RAK3172 P2P: events between replies, modes that outlive a restart, reception that does not. */
import { Rak3172Emulator } from '../../../src/sim/emulators/rak3172.js';
import { driverBench } from '../driver-bench.js';

type Typing = { type(text: string): void };

const set =
  (faults: Partial<Rak3172Emulator['faults']>) =>
  (emulator: Rak3172Emulator): void => {
    Object.assign(emulator.faults, faults);
  };
const off = set({ lose: 0, loseOnly: /^/, busy: 0, chatter: 0, lateUs: 0, echo: false });

const common = {
  kind: 'rak3172',
  profile: 'rak3172-sf7',
  medium: { rateBps: 5469 },
  states: {
    'half a command': ({ type }: Typing) => type('AT+P2P=8'),
    'receiving only': ({ type }: Typing) => type('AT+PRECV=65534\r'),
    'in LoRaWAN mode': ({ type }: Typing) => type('AT+NWM=1\r'),
    'tuned elsewhere': ({ type }: Typing) => type('AT+P2P=433000000:12:0:0:8:14\rAT+PRECV=65533\r'),
    'just plugged in': ({ emulator }: { emulator: Rak3172Emulator }) => emulator.reboot(),
  },
  hazards: {
    'events in between': { on: set({ chatter: 1 }), off, lossless: true },
    'late replies': { on: set({ lateUs: 300_000 }), off, lossless: true },
    'busy replies': { on: set({ busy: 5 }), off, lossless: true },
    echo: { on: set({ echo: true }), off, lossless: true },
    'a lost reply': { on: set({ lose: 1, loseOnly: /OK/ }), off },
    'a lost report of the end': { on: set({ lose: 1, loseOnly: /DONE/ }), off },
  },
  reboot: (emulator: Rak3172Emulator) => emulator.reboot(),
  refuseNext: set({ refuse: 1 }),
  readyWithinMs: 20_000,
  recoverWithinMs: 60_000,
  // The command on the line, the turnaround, and the report of the end.
  overheadUs: (frameBytes: number) => (10 + 2 * frameBytes + 19) * 87 + 6000,
  reports: ['rssi', 'snr'],
} as const;

export const benches = [
  driverBench({
    ...common,
    name: 'rak3172',
    emulator: (context) => new Rak3172Emulator({ ...context, settings: {} }),
  }),
  driverBench({
    ...common,
    name: 'rak3172, no CAD',
    settings: () => ['driver.cad=false'],
    emulator: (context) => new Rak3172Emulator({ ...context, settings: {} }),
  }),
];
