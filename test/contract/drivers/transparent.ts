/** Transparent radios and wires: octets in, octets out. */
import { TransparentEmulator } from '../../../src/sim/emulators/transparent.js';
import { driverBench } from '../driver-bench.js';

const noQueue = 'it holds octets, not frames';
const garbage = Uint8Array.from({ length: 40 }, (_, i) => (i * 37) & 0xff);

const radio = (name: string, settings: readonly string[]) =>
  driverBench({
    kind: 'transparent',
    name,
    profile: 'radio-9600',
    settings: () => settings,
    medium: { rateBps: 9600 },
    emulator: (context) => new TransparentEmulator({ ...context, settings: { lineBaud: 19_200, flowControl: 'none' } }),
    states: {
      'half a frame typed': ({ type }) => type(garbage),
    },
    without: { 'one frame': noQueue },
  });

export const benches = [
  radio('transparent radio', []),
  radio('transparent radio, DCD', ['driver.carrierLine=dcd']),
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
