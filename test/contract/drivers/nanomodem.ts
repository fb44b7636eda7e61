/** Nanomodem v3: commands without an end, broadcasts of 2 to 64 octets. */
import { NanomodemEmulator } from '../../../src/sim/emulators/nanomodem.js';
import { faulty } from '../acoustic-hazards.js';
import { driverBench } from '../driver-bench.js';

/** Command of 68 octets at 9600, reply and its line, turnaround, all rounded up. */
const OVERHEAD_US = 90_000;

export const benches = [
  driverBench({
    kind: 'nanomodem',
    name: 'nanomodem',
    profile: 'nanomodem-v3',
    medium: { rateBps: 640, propagationMps: 1500 },
    emulator: (context) => new NanomodemEmulator({ ...context, settings: {} }),
    minFrameBytes: 2,
    states: {
      'half a command': ({ type }) => type('$B10abc'),
      garbage: ({ type }) => type(Uint8Array.from({ length: 50 }, (_, i) => (i * 37) & 0xff)),
      sending: ({ type }) => type('$B04gone'),
      'just plugged in': ({ emulator }) => emulator.reboot(),
    },
    hazards: {
      'reports that nobody asked for': { ...faulty({ chatter: 1 }), lossless: true },
      'late replies': { ...faulty({ lateUs: 300_000 }), lossless: true },
      'lost replies': faulty({ lose: 3 }),
    },
    reboot: (emulator) => emulator.reboot(),
    refuseNext: ({ faults }) => {
      // Given once, and again as often as `busyRetries` says.
      faults.refuse = 9;
    },
    readyWithinMs: 10_000,
    recoverWithinMs: 60_000,
    overheadUs: () => OVERHEAD_US,
  }),
];
