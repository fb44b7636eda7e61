/** RNode. */
import { RnodeEmulator } from '../../../src/sim/emulators/rnode.js';
import { driverBench, type Hazard } from '../driver-bench.js';

/** DIFS of two slots of 24 ms, seven more in the mean; the frame over the line. */
const ACCESS_US = 9 * 24_000;

const hazard = (name: 'queueFull' | 'loseReplies', lossless: boolean): Hazard<RnodeEmulator> => ({
  on: (emulator) => {
    emulator.hazards[name] = true;
  },
  off: (emulator) => {
    emulator.hazards[name] = false;
  },
  lossless,
});

export const benches = [
  driverBench<RnodeEmulator>({
    kind: 'rnode',
    name: 'rnode',
    profile: 'rnode-sf7-868',
    medium: { rateBps: 5469 },
    emulator: (context) => new RnodeEmulator({ ...context, settings: {} }),
    states: {
      'half a frame typed': ({ type }) => type(Uint8Array.of(0xc0, 0x00, 0x41, 0xdb)),
      'half a command typed': ({ type }) => type(Uint8Array.of(0xc0, 0x01, 0x33)),
      'on, with other settings': ({ type }) => type(Uint8Array.of(0xc0, 0x04, 0x09, 0xc0, 0x06, 0x01, 0xc0)),
      'mid-reboot': ({ emulator }) => emulator.reboot(),
    },
    hazards: { 'lost replies': hazard('loseReplies', false) },
    reboot: (emulator) => emulator.reboot(),
    refuseNext: (emulator) => {
      emulator.hazards.refuseNext = true;
    },
    waitingFrames: (emulator) => emulator.counts().queued ?? 0,
    // Nobody hears when a frame has left: after the mean wait the next is given, and now and then the first still waits.
    waitingLimit: 2,
    strays: 'half a frame in the modem is completed by the next FEND',
    readyWithinMs: 12_000,
    recoverWithinMs: 60_000,
    overheadUs: (bytes) => ACCESS_US + ((bytes + 3) * 10e6) / 115_200,
    reports: ['rssi', 'snr'],
  }),
];
