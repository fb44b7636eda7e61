/** Ebyte E22 and E32: found in any mode and with any registers, with AUX and without, and with every lie that AUX can tell. */
import { E22Emulator, type E22Traits } from '../../../src/sim/emulators/e22.js';
import { E32Emulator } from '../../../src/sim/emulators/e32.js';
import type { EbyteModem, EbyteWiring } from '../../../src/sim/emulators/ebyte-modem.js';
import type { StreamFaults } from '../../../src/sim/emulators/stream-modem.js';
import { driverBench } from '../driver-bench.js';

const set =
  (faults: Partial<StreamFaults>) =>
  (emulator: EbyteModem): void => {
    Object.assign(emulator.faults, faults);
  };
const off = set({ lose: 0, lateUs: 0, garble: 0, restartAtCommand: 0 });

const common = {
  states: {
    'half a frame typed': ({ type }: { type(octets: Uint8Array): void }) =>
      type(Uint8Array.of(0x7e, 1, 2, 3, 0xc0, 0xc1)),
    'a question typed': ({ type }: { type(octets: Uint8Array): void }) => type(Uint8Array.of(0xc0, 0xc1, 0xc2, 0xc3)),
    'just plugged in': ({ emulator }: { emulator: EbyteModem }) => emulator.restart(),
    'late in its replies': ({ emulator }: { emulator: EbyteModem }) => set({ lateUs: 10_000 })(emulator),
    'its AUX low for ever': ({ emulator }: { emulator: EbyteModem }) => emulator.stickAux(true),
    'losing two replies': ({ emulator }: { emulator: EbyteModem }) => set({ lose: 2 })(emulator),
    'restarting in the middle of it': ({ emulator }: { emulator: EbyteModem }) =>
      set({ restartAtCommand: 2 })(emulator),
  },
  hazards: {
    'late replies': { on: set({ lateUs: 10_000 }), off, lossless: true },
    'AUX low for ever': {
      on: (emulator: EbyteModem) => emulator.stickAux(true),
      off: (emulator: EbyteModem) => emulator.stickAux(false),
      lossless: true,
    },
    'lost replies': { on: set({ lose: 5 }), off },
    'garbled replies': { on: set({ garble: 0.5 }), off },
  },
  reboot: (emulator: EbyteModem) => emulator.restart(),
  readyWithinMs: 20_000,
  idleWithinMs: 1500,
  strays: 'half a frame that was left in the module when the line went',
} as const;
const noQueue = { 'one frame': 'it holds octets, not frames' };
const unheard = { busy: 'it hears nothing but its own kind, and that when it is over' };
const stored = { 'no leak': 'registers, once stored, outlive the session: the second one need not write them' };

/** Each frame is taken whole from the line before it is sent, or its first sub-packet is. */
const takenUs = (lineBaud: number, subPacketBytes: number) => (frameBytes: number) =>
  (Math.min(1.03 * frameBytes + 6, subPacketBytes) + 3) * (10_000_000 / lineBaud) + 4_000;

const e22 = (
  name: string,
  profile: string,
  settings: readonly string[],
  wiring: EbyteWiring,
  traits: E22Traits,
  registers?: number[],
) =>
  driverBench({
    ...common,
    kind: 'e22',
    name: `e22 ${name}`,
    profile,
    settings: () => settings,
    medium: { rateBps: profile.endsWith('2400') ? 2400 : 9600 },
    emulator: (context) => new E22Emulator({ ...context, settings: {} }, wiring, traits, registers),
    // A frame may have to wait for an answer, and is kept by the receiver for one.
    overheadUs: (bytes) => takenUs(profile.endsWith('2400') ? 9600 : 38_400, 240)(bytes) + 35_000,
    without: {
      ...noQueue,
      ...(traits.deafToQuestions === true ? unheard : {}),
      ...(registers === undefined ? {} : stored),
    },
    ...(traits.deafToQuestions === true ? {} : { reports: ['rssi'] as const }),
  });

const e32 = (
  name: string,
  settings: readonly string[],
  wiring: EbyteWiring,
  answersWrites: boolean,
  registers?: number[],
) =>
  driverBench({
    ...common,
    kind: 'e32',
    name: `e32 ${name}`,
    profile: 'e32-2400',
    settings: () => settings,
    medium: { rateBps: 2400 },
    emulator: (context) => new E32Emulator({ ...context, settings: {} }, wiring, answersWrites, registers),
    overheadUs: takenUs(9600, 58),
    without: {
      ...noQueue,
      ...unheard,
      ...(registers === undefined ? {} : stored),
    },
  });

const TUNED_ELSEWHERE = [1, 2, 9, 0x64, 0x40, 5, 0x13];

export const benches = [
  e22('M1 and AUX', 'e22-2400', [], { m1: 'rts', aux: 'cts' }, {}, TUNED_ELSEWHERE),
  e22(
    'scans data',
    'e22-9600',
    ['driver.m0=dtr', 'driver.save=false'],
    { m0: 'dtr', m1: 'rts', aux: 'cts' },
    { scansData: true },
  ),
  e22('no AUX', 'e22-2400', ['driver.aux=none', 'driver.save=false'], { m1: 'rts' }, { deafToQuestions: true }),
  e22('short patience', 'e22-9600', ['driver.auxMs=100', 'driver.save=false'], { m1: 'rts', aux: 'cts' }, {}),
  e32('M0, M1, AUX', [], { m0: 'rts', m1: 'rts', aux: 'cts' }, true, [1, 2, 0x3d, 9, 0]),
  e32('no AUX, silent', ['driver.aux=none', 'driver.save=false'], { m0: 'rts', m1: 'rts' }, false),
  e32('not wired', ['driver.aux=none', 'driver.m0=none', 'driver.m1=none'], {}, true),
];
