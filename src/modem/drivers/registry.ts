/** From a profile to its driver. */
import type { DriverOptions, ModemDriver } from '../driver.js';
import type { Profile } from '../profile-schema.js';
import { BenthosDriver } from './benthos.js';
import { EvologicsDriver } from './evologics.js';
import { KissDriver } from './kiss.js';
import { MeshcoreDriver } from './meshcore.js';
import { MicromodemDriver } from './micromodem.js';
import { NanomodemDriver } from './nanomodem.js';
import { PopotoDriver } from './popoto.js';
import { Rak3172Driver } from './rak3172.js';
import { Rn2483Driver } from './rn2483.js';
import { RnodeDriver } from './rnode.js';
import { RylrDriver } from './rylr.js';
import { TransparentDriver } from './transparent.js';
import { UnetstackDriver } from './unetstack.js';
import { WioE5Driver } from './wio-e5.js';
import { XbeeDriver } from './xbee.js';

/** The driver that a validated profile (or configuration) names; its line comes later, by `lineOpened`. */
export function createDriver(profile: Profile, options: DriverOptions): ModemDriver {
  const { driver } = profile;
  switch (driver.kind) {
    case 'xbee':
      return new XbeeDriver(profile, driver, options);
    case 'rak3172':
      return new Rak3172Driver(profile, driver, options);
    case 'wio-e5':
      return new WioE5Driver(profile, driver, options);
    case 'rn2483':
      return new Rn2483Driver(profile, driver, options);
    case 'rylr':
      return new RylrDriver(profile, driver, options);
    case 'transparent':
      return new TransparentDriver(profile, driver, options);
    case 'rnode':
      return new RnodeDriver(profile, driver, options);
    case 'meshcore':
      return new MeshcoreDriver(profile, driver, options);
    case 'kiss':
      return new KissDriver(profile, driver, options);
    case 'evologics':
      return new EvologicsDriver(profile, driver, options);
    case 'micromodem':
      return new MicromodemDriver(profile, driver, options);
    case 'popoto':
      return new PopotoDriver(profile, driver, options);
    case 'benthos':
      return new BenthosDriver(profile, driver, options);
    case 'unetstack':
      return new UnetstackDriver(profile, driver, options);
    case 'nanomodem':
      return new NanomodemDriver(profile, driver, options);
  }
}
