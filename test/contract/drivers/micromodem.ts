/** WHOI Micro-Modem: cycles at FSK and PSK rates, flexible data packets. */
import { MicromodemEmulator } from '../../../src/sim/emulators/micromodem.js';
import { faulty, lost } from '../acoustic-hazards.js';
import { driverBench } from '../driver-bench.js';

const bench = (profile: string, rateBps: number, overheadUs: (bytes: number) => number, lengthStep = 1) =>
  driverBench({
    kind: 'micromodem',
    name: profile,
    profile,
    settings: () => ['link.mtuBytes=2000'],
    medium: { rateBps, propagationMps: 1500 },
    emulator: (context) => new MicromodemEmulator({ ...context, settings: {} }),
    states: {
      'half a sentence': ({ type }) => type('$CCCYC,0,1'),
      'waiting for data': ({ type }) => type('$CCCYC,0,1,0,1,0,3*62\r\n'),
      garbage: ({ type }) => type(Uint8Array.from({ length: 60 }, (_, i) => (i * 37) & 0xff)),
      'just plugged in': ({ emulator }) => emulator.reboot(),
    },
    hazards: {
      'heartbeats in between': { ...faulty({ chatter: 1 }), lossless: true },
      'busy replies': { ...faulty({ busy: 4 }), lossless: true },
      'a lost echo': lost(/CACYC,0|CATDP/),
      'a lost data request': lost(/CADRQ/),
      'a lost report of the end': lost(/CATXF/),
      'lost reports of reception': lost(/CACST|CARXP/, 3),
      'a lost frame': lost(/CARXD|CARDP/),
    },
    reboot: (emulator) => emulator.reboot(),
    refuseNext: ({ faults }) => {
      faults.refuse = 9;
    },
    readyWithinMs: 20_000,
    recoverWithinMs: 120_000,
    idleWithinMs: 3000,
    lengthStep,
    airtimeTolerance: 0.1,
    overheadUs,
  });

export const benches = [
  bench('micromodem-fsk-80', 80, () => 600_000),
  bench('micromodem-psk-250', 250, () => 600_000),
  bench('micromodem-psk-490', 490, () => 600_000),
  bench('micromodem-psk-5300', 5300, () => 2_900_000, 61),
  bench('micromodem2-fdp-1', 250, () => 300_000),
];
