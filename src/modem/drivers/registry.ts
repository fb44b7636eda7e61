/** From a profile to its driver. */
import { SluiceError } from '../../base/errors.js';
import type { DriverOptions, ModemDriver } from '../driver.js';
import type { DriverDefinition } from '../driver-definition.js';
import type { Profile } from '../profile-schema.js';
import { driverCatalogue } from './catalogue.js';

/** The driver that a validated profile (or configuration) names; its line comes later, by `lineOpened`. */
export function createDriver(profile: Profile, options: DriverOptions): ModemDriver {
  const { driver } = profile;
  const definition = driverCatalogue.get(driver.kind) as DriverDefinition | undefined;
  if (definition === undefined) throw new SluiceError('internal', `no driver is called '${driver.kind}'`);
  // The catalogue's sections made the profile's schema, so these settings are that driver's own.
  return definition.create(profile, driver, options);
}
