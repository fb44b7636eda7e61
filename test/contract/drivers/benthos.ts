/** Teledyne Benthos ATM-900: clam shell, online mode, receptions in hex. */
import { BenthosEmulator } from '../../../src/sim/emulators/benthos.js';
import { faulty, lost } from '../acoustic-hazards.js';
import { driverBench } from '../driver-bench.js';

/** Guard time, +++, AT, ATO; a signal as long as that hides most of it. */
const COMMAND_MODE_US = 1_800_000;

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
      'chatter in between': { ...faulty({ chatter: 1 }), lossless: true },
      'late replies': { ...faulty({ lateUs: 300_000 }), lossless: true },
      busy: { ...faulty({ busy: 4 }), lossless: true },
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
