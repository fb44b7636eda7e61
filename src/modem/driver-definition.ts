/** What a driver file says of itself, in an export called `driver`: its settings in a profile, and how it is made. */
import type { DriverOptions, ModemDriver } from './driver.js';
import type { Profile } from './profile-schema.js';
import type { Contradiction, Section, SettingsOf } from './schema-parts.js';

export interface DriverDefinition<S extends Section = Section> {
  /** The section `driver` of a profile: `kind` and `maxFrameBytes` are required, the rest is the driver's own. */
  readonly settings: S;
  /** Who a profile may say contends for the channel. Default: anyone. */
  readonly channelAccess?: readonly Profile['mac']['channelAccess'][];
  /** Rates that `line.baudRate` may have with these settings. Default: any. */
  baudRates?(settings: SettingsOf<S>): readonly number[];
  /** What `maxFrameBytes` may be with these settings, at most, in octets. Default: what the section allows. */
  maxFrameBytes?(settings: SettingsOf<S>): number;
  /** Settings that are each allowed, but not together, nor with this section `line`. Default: none. */
  contradictions?(settings: SettingsOf<S>, line: Profile['line']): readonly Contradiction[];
  /** From a validated profile; the line comes later, by `lineOpened`. */
  create(profile: Profile, settings: SettingsOf<S>, options: DriverOptions): ModemDriver;
}

/** For the export `driver`: nothing but the types. */
export function defineDriver<const S extends Section>(definition: DriverDefinition<S>): DriverDefinition<S> {
  return definition;
}
