/** The effective configuration of one bridge: profile < file < flags, merged first and validated once. */
import { SluiceError } from '../base/errors.js';
import { configurationError, type Layer, showValue, valueAt } from './configuration-errors.js';
import { mergeLayers, mergeMappings } from './layers.js';
import { type Configuration, configurationSchema } from './profile-schema.js';
import { LISTS_PROFILES, profileFolders, profileLayers } from './profiles.js';
import { parseYaml, readYamlMapping } from './yaml-file.js';

/** One setting from the command line. */
export interface Setting {
  /** Dotted, as in `air.rateBps`; after `neighbours.` the rest is one address. */
  readonly key: string;
  readonly value: unknown;
  /** The flag that it came from, for messages; `--set` by default. */
  readonly flag?: string;
}

export interface ConfigurationSources {
  /** Id or file of the profile; where it is not given, the file's key `profile` counts. */
  readonly profile?: string | undefined;
  /** Path of the configuration file. */
  readonly file?: string | undefined;
  readonly settings?: readonly Setting[];
  readonly folders?: readonly string[];
}

/**
 * `KEY=VALUE` as given to `--set`; the value is read as YAML.
 * @throws SluiceError `configuration` for a text without `=`, an empty key or value, or a value that is no YAML.
 */
export function parseSetting(text: string): Setting {
  const at = text.indexOf('=');
  const key = text.slice(0, at).trim();
  const source = text.slice(at + 1).trim();
  if (at < 1 || key === '' || source === '') {
    throw new SluiceError(
      'configuration',
      `--set ${showValue(text)} is not allowed; expected KEY=VALUE, such as air.rateBps=9600`,
      {
        subject: '--set',
        remedy: 'Give key and value as one word; the shell needs quotes around a value with spaces.',
      },
    );
  }
  return { key, value: parseYaml(source, `--set ${key}`) };
}

function settingLayer({ key, value, flag }: Setting): Layer {
  const table = 'neighbours.';
  const path = key.startsWith(table) ? ['neighbours', key.slice(table.length)] : key.split('.');
  const nested = path.reduceRight<unknown>((inner, part) => Object.fromEntries([[part, inner]]), value);
  return { origin: flag ?? '--set', values: nested as Record<string, unknown> };
}

/**
 * Station numbers and IPv4 host parts are the same by default: the host part of the first IPv4 address, if it is one.
 * Undefined otherwise.
 */
export function stationFromAddresses(addresses: readonly string[]): number | undefined {
  for (const address of addresses) {
    const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(address);
    if (match === null) continue;
    const octets = match.slice(1, 5).map(Number);
    const value = octets.reduce((sum, octet) => sum * 256 + octet, 0);
    const host = value % 2 ** (32 - Math.min(32, Number(match[5])));
    return host >= 1 && host <= 254 ? host : undefined;
  }
  return undefined;
}

function withStation(merged: Record<string, unknown>): Record<string, unknown> {
  if (valueAt(merged, ['interface', 'station']).found) return merged;
  const { value } = valueAt(merged, ['interface', 'addresses']);
  const addresses = Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
  const station = stationFromAddresses(addresses);
  return station === undefined ? merged : mergeMappings(merged, { interface: { station } });
}

/**
 * Reads and merges all sources and validates the result.
 * @throws SluiceError `configuration`, one line for every key that is wrong: the key, its value, what is allowed, and
 *   where it was set.
 */
export function mergeConfiguration(sources: ConfigurationSources): Configuration {
  const folders = sources.folders ?? profileFolders();
  const { profile: fileProfile, ...fileValues } = sources.file === undefined ? {} : readYamlMapping(sources.file);
  if (fileProfile !== undefined && typeof fileProfile !== 'string') {
    throw new SluiceError(
      'configuration',
      `profile: ${showValue(fileProfile)} is not allowed; expected the id of a profile [${sources.file}]`,
      { subject: 'profile', remedy: LISTS_PROFILES },
    );
  }
  const profile = sources.profile ?? fileProfile;
  if (profile === undefined) {
    throw new SluiceError(
      'configuration',
      'profile: is missing; expected the id of a profile, by -p or the key profile of the file',
      { subject: 'profile', remedy: LISTS_PROFILES },
    );
  }
  const layers: Layer[] = [
    ...profileLayers(profile, folders),
    ...(sources.file === undefined ? [] : [{ origin: sources.file, values: fileValues }]),
    ...(sources.settings ?? []).map(settingLayer),
  ];
  const merged = withStation(mergeLayers(layers));
  const result = configurationSchema.safeParse({ ...merged, interface: merged.interface ?? {} });
  if (!result.success) throw configurationError(result.error.issues, merged, layers, sources.file ?? profile);
  return result.data;
}
