import { test } from 'vitest';
import { listProfiles, loadProfile, showProfile } from '../../../src/modem/profiles.js';
import { mergeConfiguration, parseSetting } from '../../../src/modem/configuration.js';
import { profileJsonSchema } from '../../../src/modem/profile-schema.js';
test('x', () => {
  console.log(listProfiles());
  console.log(showProfile(loadProfile('kiss-9600')));
  for (const s of [['air.rateBps=fast','air.rate=1','line.settleMs=100ms','link.encapsulation=ax25','driver.kind=foo','mac.channelAccess=host', 'neighbours.10.0.0.9=300', 'neighbours.x=3','link=3','line.dataBits=7','air.bitsPerOctet=9','link.fcsBytes=3','driver.txDelayMs=15', 'air.propagationUs=-1', 'interface.addresses=[10.0.0.1]'], ['driver.kind=transparent','interface.port=/dev/x','interface.addresses=[10.0.0.7/24]','mac.channelAccess=none'], ['link.mtuBytes=2048','mac.channelAccess=host','air.duplex=full','interface.port=/dev/x','interface.station=3']]) {
    try { console.log(JSON.stringify(mergeConfiguration({ profile: 'kiss-1200', settings: s.map(parseSetting) }))); } catch (e) { console.log((e as Error).message); }
  }
  console.log(JSON.stringify(profileJsonSchema()).slice(0, 3000));
});
