/** UnetStack's JSON port. */
import { UnetstackEmulator } from '../../../src/sim/emulators/unetstack.js';
import { faulty, lost } from '../acoustic-hazards.js';
import { driverBench } from '../driver-bench.js';

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
      'other notifications': { ...faulty({ chatter: 1 }), lossless: true },
      'late replies': { ...faulty({ lateUs: 400_000 }), lossless: true },
      busy: { ...faulty({ busy: 4 }), lossless: true },
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
