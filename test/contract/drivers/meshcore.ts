/** MeshCore's KISS modem. */
import { MeshcoreEmulator } from '../../../src/sim/emulators/meshcore.js';
import { type DriverBench, driverBench, type Hazard } from '../driver-bench.js';

/** Three slots of 100 ms in the mean at p = 0.25, 50 ms of TXDELAY. */
const ACCESS_US = 350_000;

const hazard = (name: 'busyNext' | 'loseReplies' | 'noMeta', lossless: boolean): Hazard<MeshcoreEmulator> => ({
  on: (emulator) => {
    emulator.hazards[name] = true;
  },
  off: (emulator) => {
    emulator.hazards[name] = false;
  },
  lossless,
});

const bench = (name: string, settings: readonly string[]): DriverBench =>
  driverBench<MeshcoreEmulator>({
    kind: 'meshcore',
    name,
    profile: 'meshcore-sf8-868',
    settings: () => settings,
    medium: { rateBps: 1562 },
    emulator: (context) => new MeshcoreEmulator({ ...context, settings: {} }),
    states: {
      'half a frame typed': ({ type }) => type(Uint8Array.of(0xc0, 0x00, 0x41, 0xdb)),
      'a frame under way': ({ type }) => type(Uint8Array.of(0xc0, 0x00, 0x41, 0x42, 0xc0)),
      'mid-reboot': ({ emulator }) => emulator.reboot(),
    },
    hazards: {
      'busy replies': hazard('busyNext', true),
      'lost replies': hazard('loseReplies', false),
      'no signal report': hazard('noMeta', true),
    },
    reboot: (emulator) => emulator.reboot(),
    refuseNext: (emulator) => {
      emulator.hazards.refuseNext = true;
    },
    waitingFrames: (emulator) => emulator.counts().queued ?? 0,
    strays: 'half a frame in the modem is completed by the next FEND',
    readyWithinMs: 8000,
    recoverWithinMs: 60_000,
    overheadUs: (bytes) => ACCESS_US + ((bytes + 3) * 10e6) / 115_200,
    reports: ['rssi', 'snr'],
  });

export const benches = [bench('meshcore', []), bench('meshcore, busy poll', ['driver.busyPollMs=100'])];
