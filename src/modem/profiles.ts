/** Finds, reads, inherits and validates modem profiles: `profiles/ID.yaml` of the package and the operator's own. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { isSluiceError, SluiceError } from '../base/errors.js';
import { configurationError, type Layer, showValue } from './configuration-errors.js';
import { mergeLayers } from './layers.js';
import { rateBps } from './link-timing.js';
import { type Profile, profileSchema } from './profile-schema.js';
import { readYamlMapping } from './yaml-file.js';

const EXTENSION = '.yaml';
export const LISTS_PROFILES = '"sluice profiles" lists them.';

/** A profile in a list, as `profiles --json` prints it. */
export interface ProfileSummary {
  readonly id: string;
  readonly title: string;
  readonly class: string;
  readonly driver: string;
  /** Bit/s on the air; the line's rate where the profile says `auto`. */
  readonly rateBps: number;
  readonly source: string;
}

export interface ProfileListing {
  readonly profiles: ProfileSummary[];
  /** Files that are no valid profile; one broken file must not hide the others. */
  readonly errors: SluiceError[];
}

/** The folder that holds package.json, from the sources as from the build. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (folder !== dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && (JSON.parse(readFileSync(manifest, 'utf8')) as { name?: unknown }).name === 'sluice') {
      return folder;
    }
    folder = dirname(folder);
  }
  throw new SluiceError('internal', 'the package folder of sluice, with its profiles, was not found');
}

/** Where profiles are looked for, in order: the user's, the machine's, the package's. */
export function profileFolders(environment: Readonly<Record<string, string | undefined>> = {}): string[] {
  const home = environment.HOME;
  const user = environment.XDG_CONFIG_HOME ?? (home === undefined ? undefined : join(home, '.config'));
  return [
    ...(user === undefined ? [] : [join(user, 'sluice', 'profiles')]),
    '/etc/sluice/profiles',
    join(packageRoot(), 'profiles'),
  ];
}

function idsIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(EXTENSION))
    .map((name) => basename(name, EXTENSION))
    .sort();
}

function pathOf(nameOrPath: string, folders: readonly string[]): string {
  if (nameOrPath.includes('/') || nameOrPath.endsWith(EXTENSION)) return nameOrPath;
  const path = folders
    .map((folder) => join(folder, `${nameOrPath}${EXTENSION}`))
    .find((candidate) => existsSync(candidate));
  if (path !== undefined) return path;
  const known = [...new Set(folders.flatMap(idsIn))].sort().join(', ');
  throw new SluiceError('configuration', `profile: ${showValue(nameOrPath)} is not known; expected one of ${known}`, {
    subject: nameOrPath,
    remedy: `Name one of them, or a file; folders searched: ${folders.join(', ')}.`,
  });
}

/**
 * The layers of a profile, what it extends first. Not yet validated. `nameOrPath` is an id, or the path of a file.
 * @throws SluiceError `configuration`: unknown profile, unreadable file, a circle of `extends`.
 */
export function profileLayers(nameOrPath: string, folders: readonly string[] = profileFolders()): Layer[] {
  const layers: Layer[] = [];
  const seen: string[] = [];
  let next: string | undefined = nameOrPath;
  while (next !== undefined) {
    const path = pathOf(next, folders);
    if (seen.includes(path)) {
      throw new SluiceError('configuration', `extends: goes in a circle: ${[...seen, path].join(' -> ')}`, {
        subject: path,
        remedy: 'Take the key extends out of one of these files.',
      });
    }
    seen.push(path);
    const { extends: parent, ...values } = readYamlMapping(path);
    if (parent !== undefined && typeof parent !== 'string') {
      throw new SluiceError(
        'configuration',
        `extends: ${showValue(parent)} is not allowed; expected the id of a profile [${path}]`,
        { subject: path, remedy: LISTS_PROFILES },
      );
    }
    layers.unshift({ origin: path, values });
    next = parent;
  }
  return layers;
}

/**
 * One profile, validated, defaults filled in.
 * @throws SluiceError `configuration`, naming every key that is wrong, its value and what is allowed.
 */
export function loadProfile(nameOrPath: string, folders: readonly string[] = profileFolders()): Profile {
  const layers = profileLayers(nameOrPath, folders);
  const merged = mergeLayers(layers);
  const result = profileSchema.safeParse(merged);
  if (!result.success) throw configurationError(result.error.issues, merged, layers, nameOrPath);
  const path = layers.at(-1)?.origin ?? nameOrPath;
  const expectedId = basename(path, EXTENSION);
  if (result.data.id !== expectedId) {
    throw new SluiceError(
      'configuration',
      `id: ${showValue(result.data.id)} is not allowed; expected ${expectedId}, the file's name [${path}]`,
      { subject: path, remedy: 'Correct the key id, or rename the file.' },
    );
  }
  return result.data;
}

/** Checks one file as `profiles validate FILE` does: throws as `loadProfile`, or returns the profile. */
export function validateProfileFile(path: string, folders: readonly string[] = profileFolders()): Profile {
  return loadProfile(path.includes('/') ? path : `./${path}`, folders);
}

export function summarise(profile: Profile): ProfileSummary {
  const { id, title, source, driver } = profile;
  return { id, title, class: profile.class, driver: driver.kind, rateBps: rateBps(profile), source };
}

/** All profiles by id; where folders hold the same id, the first folder's counts. */
export function listProfiles(folders: readonly string[] = profileFolders()): ProfileListing {
  const profiles: ProfileSummary[] = [];
  const errors: SluiceError[] = [];
  for (const id of [...new Set(folders.flatMap(idsIn))].sort()) {
    try {
      profiles.push(summarise(loadProfile(id, folders)));
    } catch (error) {
      if (!isSluiceError(error)) throw error;
      errors.push(error);
    }
  }
  return { profiles, errors };
}

/** The effective profile as YAML, defaults and inherited keys included. */
export function showProfile(profile: Profile): string {
  return stringify(profile);
}
