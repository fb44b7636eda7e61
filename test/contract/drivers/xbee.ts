/** XBee: API modes 1 and 2, transparent mode left over, CCA failures, resets. */
import { XbeeEmulator, type XbeeTraits } from '../../../src/sim/emulators/xbee.js';
import { driverBench } from '../driver-bench.js';

type Typing = { type(text: string): void };

const set =
  (faults: Partial<XbeeEmulator['faults']>) =>
  (emulator: XbeeEmulator): void => {
    Object.assign(emulator.faults, faults);
  };
const off = set({ lose: 0, loseOnly: /^/, busy: 0, chatter: 0, lateUs: 0 });

const common = {
  kind: 'xbee',
  hazards: {
    'modem status in between': { on: set({ chatter: 1 }), off, lossless: true },
    'late replies': { on: set({ lateUs: 300_000 }), off, lossless: true },
    'CCA failures': { on: set({ busy: 5 }), off, lossless: true },
    'a lost status': { on: set({ lose: 1, loseOnly: /^~[\s\S]{2,3}[\x89\x8b]/ }), off },
  },
  reboot: (emulator: XbeeEmulator) => emulator.reboot(),
  refuseNext: set({ refuse: 1 }),
  waitingFrames: (emulator: XbeeEmulator) => Math.max(0, emulator.waitingFrames - 1),
  readyWithinMs: 30_000,
  recoverWithinMs: 60_000,
  reports: ['rssi'],
} as const;

const states = {
  'half a frame': ({ type }: Typing) => type('~\x00\x20\x10\x01abc'),
  'just plugged in': ({ emulator }: { emulator: XbeeEmulator }) => emulator.reboot(),
};

/** What a frame takes beside its airtime: the request and the status on the line, back-offs, and the modem's replies. */
const overheadUs =
  (around: number, escapes: number) =>
  (frameBytes: number): number =>
    (around + frameBytes) * escapes * 1042 + 1120 + 320 + 1000 + 1042;

const bench = (name: string, profile: string, rateBps: number, traits: XbeeTraits, settings: readonly string[] = []) =>
  driverBench({
    ...common,
    name: `xbee ${name}`,
    profile,
    settings: () => settings,
    medium: { rateBps },
    states: traits.apiMode === 0 ? { 'in command mode': ({ type }: Typing) => type('AT\r') } : states,
    emulator: (context) => new XbeeEmulator({ ...context, settings: {} }, traits),
    // One octet in 64 is escaped.
    overheadUs: overheadUs(18 + 11, 1.016),
    ...(traits.apiMode === 0
      ? {
          without: {
            'no leak': 'API mode, once set, outlives the session: the second one need not leave transparent mode',
          },
          strays: 'in transparent mode the module sends what the driver asks of it as data',
        }
      : {}),
  });

export const benches = [
  bench('802.15.4, mode 2', 'xbee-s2c-802154', 250_000, { apiMode: 2, legacy: true }),
  bench('DigiMesh, mode 1', 'xbee-digimesh-24', 250_000, { apiMode: 1, payloadBytes: 72 }, ['driver.apiMode=1']),
  bench('SX, found transparent', 'xbee-sx', 110_000, { apiMode: 0, payloadBytes: 256 }),
];
