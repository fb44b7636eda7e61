/** KISS TNCs. */
import { KissEmulator } from '../../../src/sim/emulators/kiss.js';
import { driverBench } from '../driver-bench.js';

/** The TNC waits for its turn in slots of 100 ms, 3 of them in the mean at p = 0.25, and gets the whole frame first. */
const CONTENTION_US = 300_000;

export const benches = [
  driverBench({
    kind: 'kiss',
    name: 'kiss',
    profile: 'kiss-1200',
    settings: () => ['line.baudRate=57600'],
    medium: { rateBps: 1200 },
    emulator: (context) => new KissEmulator({ ...context, settings: {} }),
    states: {
      'half a frame typed': ({ type }) => type(Uint8Array.of(0xc0, 0x00, 0x41, 0xdb)),
      'a command typed': ({ type }) => type('restart\r'),
    },
    waitingFrames: (emulator) => emulator.counts().queued ?? 0,
    // Nothing on this line checks anything: what the TNC holds of a frame when the line goes, it sends when it is back.
    strays: 'half a frame in the TNC is completed by the next FEND',
    // Without reports from the TNC two frames meet in it now and then, and share a key-up.
    airtimeTolerance: 0.1,
    overheadUs: (bytes) => CONTENTION_US + (bytes * 10e6) / 57_600,
  }),
];
