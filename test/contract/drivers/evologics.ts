/** EvoLogics S2C: counted instant messages, notifications, data mode left over; bursts to the one peer. */
import { EvologicsEmulator } from '../../../src/sim/emulators/evologics.js';
import { faulty, lost } from '../acoustic-hazards.js';
import { driverBench } from '../driver-bench.js';

/** Command and reply at 19200 bit/s, processing, and the report of the end. */
const OVERHEAD_US = 155_000;

/** A burst's acknowledgement, processing at both ends, both ways through 300 m of water and the report. */
const DELIVERY_US = 120_000 + 2 * 95_000 + 2 * 200_000 + 60_000;
const LINE_OCTET_US = 10e6 / 19_200;

const common = {
  kind: 'evologics',
  medium: { rateBps: 595, propagationMps: 1500 },
  states: {
    'data mode': ({ type }: { type(text: string): void }) => type('ATO\r'),
    'half a command': ({ type }: { type(text: string): void }) => type('AT!A'),
    'half a message': ({ type }: { type(text: string): void }) => type('AT*SENDIM,30,255,noack,abc'),
    sending: ({ type }: { type(text: string): void }) => type('AT*SENDIM,4,255,noack,gone\r'),
    'just plugged in': ({ emulator }: { emulator: EvologicsEmulator }) => emulator.reboot(),
  },
  hazards: {
    'notifications in between': { ...faulty({ chatter: 1 }), lossless: true },
    'late replies': { ...faulty({ lateUs: 700_000 }), lossless: true },
    'busy replies': { ...faulty({ busy: 5 }), lossless: true },
    'a lost reply': { ...lost(/^OK/), lossless: true },
    'a lost report of the end': lost(/^SENDEND/),
    'lost reports of reception': lost(/^RECV(END|FAILED)/, 2),
  },
  reboot: (emulator: EvologicsEmulator) => emulator.reboot(),
  refuseNext: ({ faults }: EvologicsEmulator) => {
    faults.refuse = 1;
  },
  readyWithinMs: 60_000,
  recoverWithinMs: 60_000,
} as const;

export const benches = [
  driverBench({
    ...common,
    name: 'evologics serial',
    profile: 'evologics-s2cr-im',
    emulator: (context) => new EvologicsEmulator({ ...context, settings: {} }),
    overheadUs: () => OVERHEAD_US,
  }),
  driverBench({
    ...common,
    name: 'evologics TCP',
    profile: 'evologics-s2cr-im-tcp',
    emulator: (context) => new EvologicsEmulator({ ...context, settings: { lineBaud: 4_000_000 } }),
    overheadUs: () => OVERHEAD_US,
  }),
  driverBench({
    ...common,
    name: 'evologics burst',
    profile: 'evologics-s2cr-burst',
    medium: { rateBps: 5000, propagationMps: 1500 },
    states: {
      ...common.states,
      'half a burst': ({ type }) => type('AT*SEND,1000,2,abc'),
      'a burst in its buffer': ({ type }) => type('AT*SEND,4,9,gone\r'),
    },
    hazards: {
      ...common.hazards,
      'a lost report of the end': lost(/^DELIVERED/),
    },
    emulator: (context) => new EvologicsEmulator({ ...context, settings: {} }),
    waitingFrames: (emulator) => emulator.waitingBursts,
    overheadUs: (frameBytes) => DELIVERY_US + (25 + frameBytes) * LINE_OCTET_US,
    recoverWithinMs: 120_000,
  }),
];
