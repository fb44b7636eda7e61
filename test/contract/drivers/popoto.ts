/** Popoto PMM: pshell lines, JSON packets, no report of the end unless an alert is named. */
import { PopotoEmulator } from '../../../src/sim/emulators/popoto.js';
import { faulty, lost } from '../acoustic-hazards.js';
import { driverBench } from '../driver-bench.js';

const bench = (profile: string, rateBps: number, settings: readonly string[] = []) =>
  driverBench({
    kind: 'popoto',
    name: settings.length === 0 ? profile : `${profile} alert`,
    profile,
    settings: () => settings,
    medium: { rateBps, propagationMps: 1500 },
    emulator: (context) => new PopotoEmulator({ ...context, settings: {} }),
    states: {
      'half a command': ({ type }) => type('transmitJSON {"Payload":{"Da'),
      garbage: ({ type }) => type(Uint8Array.from({ length: 60 }, (_, i) => (i * 37) & 0xff)),
      starting: ({ emulator }) => emulator.reboot(),
    },
    hazards: {
      'chatter in between': { ...faulty({ chatter: 1 }), lossless: true },
      'commands echoed': { ...faulty({ echo: true }), lossless: true },
      'a lost header': { ...lost(/Header/), lossless: true },
      'lost data': lost(/"Data"/, 2),
    },
    reboot: (emulator) => emulator.reboot(),
    readyWithinMs: 40_000,
    recoverWithinMs: 120_000,
    lengthStep: 7,
    reports: ['snr'],
    overheadUs: (bytes) => 165_000 + bytes * 400,
  });

export const benches = [
  bench('popoto-80', 80),
  bench('popoto-1280', 1280),
  bench('popoto-10240', 10_240),
  bench('popoto-1280', 1280, ['driver.sentAlert=emulated sent']),
];
