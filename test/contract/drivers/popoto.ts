/** Popoto PMM: pshell lines, JSON packets, no report of the end unless an alert is named. */
import { PopotoEmulator } from '../../../src/sim/emulators/popoto.js';
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
      'chatter in between': {
        on: ({ faults }) => {
          faults.chatter = 1;
        },
        off: ({ faults }) => {
          faults.chatter = 0;
        },
        lossless: true,
      },
      'commands echoed': {
        on: ({ faults }) => {
          faults.echo = true;
        },
        off: ({ faults }) => {
          faults.echo = false;
        },
        lossless: true,
      },
      'a lost header': {
        on: ({ faults }) => {
          faults.lose = 1;
          faults.loseOnly = /Header/;
        },
        off: ({ faults }) => {
          faults.lose = 0;
        },
        lossless: true,
      },
      'lost data': {
        on: ({ faults }) => {
          faults.lose = 2;
          faults.loseOnly = /"Data"/;
        },
        off: ({ faults }) => {
          faults.lose = 0;
        },
      },
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
