/** The modem emulators by name. A new one is a file here and a line below. */
import { SluiceError } from '../../base/errors.js';
import { BenthosEmulator } from './benthos.js';
import type { EmulatorFactory } from './emulator.js';
import { EvologicsEmulator } from './evologics.js';
import { KissEmulator } from './kiss.js';
import { MeshcoreEmulator } from './meshcore.js';
import { MicromodemEmulator } from './micromodem.js';
import { NanomodemEmulator } from './nanomodem.js';
import { PopotoEmulator } from './popoto.js';
import { Rak3172Emulator } from './rak3172.js';
import { Rn2483Emulator } from './rn2483.js';
import { RnodeEmulator } from './rnode.js';
import { RylrEmulator } from './rylr.js';
import { TransparentEmulator } from './transparent.js';
import { UnetstackEmulator } from './unetstack.js';
import { WioE5Emulator } from './wio-e5.js';
import { XbeeEmulator } from './xbee.js';

const EMULATORS: ReadonlyMap<string, EmulatorFactory> = new Map<string, EmulatorFactory>([
  ['evologics', (context) => new EvologicsEmulator(context)],
  ['rnode', (context) => new RnodeEmulator(context)],
  ['meshcore', (context) => new MeshcoreEmulator(context)],
  ['kiss', (context) => new KissEmulator(context)],
  ['micromodem', (context) => new MicromodemEmulator(context)],
  ['nanomodem', (context) => new NanomodemEmulator(context)],
  ['unetstack', (context) => new UnetstackEmulator(context)],
  ['xbee', (context) => new XbeeEmulator(context)],
  ['rak3172', (context) => new Rak3172Emulator(context)],
  ['wio-e5', (context) => new WioE5Emulator(context)],
  ['rn2483', (context) => new Rn2483Emulator(context)],
  ['rylr', (context) => new RylrEmulator(context)],
  ['popoto', (context) => new PopotoEmulator(context)],
  ['benthos', (context) => new BenthosEmulator(context)],
  ['transparent', (context) => new TransparentEmulator(context)],
]);

export function emulatorNames(): string[] {
  return [...EMULATORS.keys()];
}

/** @throws SluiceError `configuration` for a name that has no emulator. */
export function emulatorFactory(name: string): EmulatorFactory {
  const factory = EMULATORS.get(name);
  if (factory === undefined) {
    throw new SluiceError(
      'configuration',
      `modem: no emulator is called '${name}'; allowed: ${emulatorNames().join(', ')}`,
      {
        subject: 'modem',
      },
    );
  }
  return factory;
}
