/** Teledyne Benthos ATM-900: clam shell, online mode, receptions in hex. */
import { BenthosEmulator } from '../../../src/sim/emulators/benthos.js';
import { driverBench } from '../driver-bench.js';

/** Guard time, +++, AT, ATO; a signal as long as that hides most of it. */
const COMMAND_MODE_US = 1_800_000;

const lost = (pattern: RegExp) => ({
  on: ({ faults }: BenthosEmulator) => {
    faults.lose = 1;
    faults.loseOnly = pattern;
  },
  off: ({ faults }: BenthosEmulator) => {
    faults.lose = 0;
  },
});

const bench = (profile: string, rateBps: number, lengthStep: number, preambleUs = 1_000_000) =>
  driverBench({
    kind: 'benthos',
    name: profile,
    profile,
    medium: { rateBps, propagationMps: 1500 },
    emulator: (context) => new BenthosEmulator({ ...context, settings: {} }),
    states: {
      online: ({ type }) => type('ATO\r'),
      'online, half a packet': ({ type, runFor }) => {
        type('ATO\r');
        runFor(200_000);
        type('half a pack');
      },
      'half a command': ({ type }) => type('@Verb'),
      garbage: ({ type }) => type(Uint8Array.from({ length: 60 }, (_, i) => (i * 37) & 0xff)),
      starting: ({ emulator }) => emulator.reboot(),
    },
    hazards: {
      'chatter in between': {
        on: ({ faults }) => {
          faults.chatter = 1;
        },
        off: ({ faults }) => {
          faults.chatter = 0;
        },
        lossless: true,
      },
      'late replies': {
        on: ({ faults }) => {
          faults.lateUs = 300_000;
        },
        off: ({ faults }) => {
          faults.lateUs = 0;
        },
        lossless: true,
      },
      busy: {
        on: ({ faults }) => {
          faults.busy = 4;
        },
        off: ({ faults }) => {
          faults.busy = 0;
        },
        lossless: true,
      },
      'a lost CONNECT': lost(/CONNECT/),
      'a lost start': lost(/Forwarding/),
      'a lost check': lost(/CRC/),
      'lost data': lost(/DATA/),
    },
    reboot: (emulator) => emulator.reboot(),
    refuseNext: ({ faults }) => {
      faults.refuse = 9;
    },
    readyWithinMs: 40_000,
    recoverWithinMs: 120_000,
    lengthStep,
    reports: ['snr'],
    overheadUs: (bytes) => {
      const airUs = preambleUs + (bytes * 8e6) / rateBps;
      const dialogueUs = 350_000 + bytes * 1042;
      return dialogueUs + Math.max(0, COMMAND_MODE_US - airUs);
    },
  });

export const benches = [
  bench('benthos-atm900-140', 140, 3),
  bench('benthos-atm900-2400', 2400, 17),
  bench('benthos-atm900-15360', 15_360, 67),
];
