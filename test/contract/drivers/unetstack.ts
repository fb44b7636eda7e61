/** UnetStack's JSON port. */
import { UnetstackEmulator } from '../../../src/sim/emulators/unetstack.js';
import { driverBench } from '../driver-bench.js';

const lost = (pattern: RegExp) => ({
  on: ({ faults }: UnetstackEmulator) => {
    faults.lose = 1;
    faults.loseOnly = pattern;
  },
  off: ({ faults }: UnetstackEmulator) => {
    faults.lose = 0;
  },
});

const bench = (profile: string, rateBps: number) =>
  driverBench({
    kind: 'unetstack',
    name: profile,
    profile,
    medium: { rateBps, propagationMps: 1500 },
    emulator: (context) => new UnetstackEmulator({ ...context, settings: {} }),
    states: {
      'half an object': ({ type }) => type('{"action":"send","message":{"clazz":"org.arl'),
      garbage: ({ type }) => type(Uint8Array.from({ length: 60 }, (_, i) => (i * 37) & 0xff)),
      'just plugged in': ({ emulator }) => emulator.reboot(),
    },
    hazards: {
      'other notifications': {
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
          faults.lateUs = 400_000;
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
      'a lost agreement': { ...lost(/AGREE/), lossless: true },
      'a lost report of the end': lost(/TxFrameNtf/),
      'a lost report of reception': lost(/RxFrameNtf|BadFrameNtf/),
    },
    reboot: (emulator) => emulator.reboot(),
    refuseNext: ({ faults }) => {
      faults.refuse = 9;
    },
    readyWithinMs: 20_000,
    recoverWithinMs: 60_000,
    overheadUs: () => 60_000,
  });

export const benches = [bench('unetstack', 2400), bench('unetstack-control', 800)];
