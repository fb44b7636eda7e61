/** Transparent radios and wires: octets in, octets out. */
import { TransparentEmulator } from '../../../src/sim/emulators/transparent.js';
import { driverBench } from '../driver-bench.js';

const noQueue = 'it holds octets, not frames';
const garbage = Uint8Array.from({ length: 40 }, (_, i) => (i * 37) & 0xff);

export const benches = [
  driverBench({
    kind: 'transparent',
    name: 'transparent radio',
    profile: 'radio-9600',
    medium: { rateBps: 9600 },
    emulator: (context) => new TransparentEmulator({ ...context, settings: { lineBaud: 19_200, flowControl: 'none' } }),
    states: {
      'half a frame typed': ({ type }) => type(garbage),
    },
    without: { 'one frame': noQueue },
  }),
  driverBench({
    kind: 'transparent',
    name: 'transparent radio, DCD',
    profile: 'radio-9600',
    settings: () => ['driver.carrierLine=dcd'],
    medium: { rateBps: 9600 },
    emulator: (context) => new TransparentEmulator({ ...context, settings: { lineBaud: 19_200, flowControl: 'none' } }),
    states: {
      'half a frame typed': ({ type }) => type(garbage),
    },
    without: { 'one frame': noQueue },
  }),
  driverBench({
    kind: 'transparent',
    name: 'transparent wire',
    profile: 'null-modem',
    settings: () => ['link.mtuBytes=400'],
    medium: { rateBps: 92_160, duplex: 'full' },
    emulator: (context) =>
      new TransparentEmulator({ ...context, settings: { lineBaud: 115_200, flowControl: 'none' } }),
    states: {
      'half a frame typed': ({ type }) => type(garbage),
    },
    without: { 'one frame': noQueue },
  }),
];
