/** The modem emulators by name: each file of this folder that exports `emulator`, called as the file. */
import { SluiceError } from '../../base/errors.js';
import { exportsBeside } from '../../modem/module-folder.js';
import type { EmulatorFactory } from './emulator.js';

const EMULATORS = (await exportsBeside(import.meta.url, 'emulator')) as ReadonlyMap<string, EmulatorFactory>;

export function emulatorNames(): string[] {
  return [...EMULATORS.keys()];
}

/** @throws SluiceError `configuration` for a name that has no emulator. */
export function emulatorFactory(name: string): EmulatorFactory {
  const factory = EMULATORS.get(name);
  if (factory === undefined) {
    throw new SluiceError('configuration', `modem: no emulator is called '${name}'`, {
      subject: 'modem',
      remedy: `Name one of ${emulatorNames().join(', ')}.`,
    });
  }
  return factory;
}
