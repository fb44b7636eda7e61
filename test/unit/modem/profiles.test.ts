/** The profiles that come with the program, and those that an operator adds. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { driverCatalogue } from '../../../src/modem/drivers/catalogue.js';
import { createDriver } from '../../../src/modem/drivers/registry.js';
import { profileSchema } from '../../../src/modem/profile-schema.js';
import {
  listProfiles,
  loadProfile,
  profileFolders,
  showProfile,
  validateProfileFile,
} from '../../../src/modem/profiles.js';
import { VirtualTime } from '../../../src/sim/virtual-time.js';

const SHIPPED = ['acoustic-1k', 'acoustic-80', 'kiss-1200', 'kiss-9600', 'null-modem', 'radio-9600'];
const [packageFolder = ''] = profileFolders().slice(-1);
const ALL = listProfiles([packageFolder]).profiles.map(({ id }) => id);
let folder = '';
let folders: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-profiles-'));
  folders = [folder, packageFolder];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

describe('the shipped profiles', () => {
  it('are all valid, and those that scripts rely on are there', () => {
    const { profiles, errors } = listProfiles([packageFolder]);
    expect(errors).toEqual([]);
    expect(profiles.map(({ id }) => id)).toEqual(expect.arrayContaining(SHIPPED));
    expect(profiles.length).toBeGreaterThanOrEqual(30);
    for (const profile of profiles) {
      expect(Object.keys(profile)).toEqual(['id', 'title', 'class', 'driver', 'rateBps', 'source']);
      expect(profile.source.length).toBeGreaterThan(10);
    }
  });

  it.each([
    ['null-modem', 'wire', 'transparent', 115_200, 'none', 'full', false],
    ['radio-9600', 'radio', 'transparent', 9600, 'host', 'half', true],
    ['kiss-1200', 'radio', 'kiss', 1200, 'modem', 'half', true],
    ['kiss-9600', 'radio', 'kiss', 9600, 'modem', 'half', true],
    ['acoustic-1k', 'acoustic', 'transparent', 1000, 'host', 'half', true],
    ['acoustic-80', 'acoustic', 'transparent', 80, 'host', 'half', true],
  ])('%s: %s, %s, %i bit/s, access by %s, %s duplex, ARQ %s', (id, kind, driver, rate, access, duplex, arq) => {
    const profile = loadProfile(id, [packageFolder]);
    expect(profile).toMatchObject({ id, class: kind, mac: { channelAccess: access }, air: { duplex }, link: { arq } });
    expect(listProfiles([packageFolder]).profiles.find((summary) => summary.id === id)).toMatchObject({
      driver,
      rateBps: rate,
    });
  });

  it('cover every driver', () => {
    const used = new Set(listProfiles([packageFolder]).profiles.map(({ driver }) => driver));
    expect([...used].sort()).toEqual([...driverCatalogue.keys()].sort());
  });

  it.each(ALL)('%s makes a driver, and is a complete profile again as shown', (id) => {
    const profile = loadProfile(id, [packageFolder]);
    const { capabilities, timing } = createDriver(profile, { scheduler: new VirtualTime() });
    expect(capabilities.channelAccess).toBe(profile.mac.channelAccess);
    expect(timing.airtimeUs(capabilities.maxFrameBytes)).toBeLessThan(120_000_000);
    expect(timing.airtimeUs(1)).toBeGreaterThan(0);
    expect(profileSchema.parse(parse(showProfile(profile)))).toEqual(profile);
  });

  it.each(ALL)('%s says of each number where it comes from', (id) => {
    const lines = readFileSync(join(packageFolder, `${id}.yaml`), 'utf8').split('\n');
    const bare = lines.filter(
      (line, index) =>
        /^ +\w+: -?\d+$/.test(line) &&
        !(lines[index - 1] ?? '').trimStart().startsWith('#') &&
        // What the profile is for needs no source: "..., 115200 bit/s".
        !loadProfile(id, [packageFolder]).title.includes(line.split(': ')[1] ?? ''),
    );
    expect(bare).toEqual([]);
  });

  it.each(SHIPPED)('%s makes a driver whose full frame fits', (id) => {
    const profile = loadProfile(id, [packageFolder]);
    const driver = createDriver(profile, { scheduler: new VirtualTime() });
    expect(driver.capabilities.maxFrameBytes).toBeGreaterThanOrEqual(profile.link.mtuBytes + 8);
    expect(driver.timing.airtimeUs(driver.capabilities.maxFrameBytes)).toBeLessThan(60_000_000);
    expect(driver.timing.airtimeUs(1)).toBeGreaterThan(0);
  });

  it('the acoustic ones reach 1.5 km at 1500 m/s', () => {
    expect(loadProfile('acoustic-1k', [packageFolder]).air.propagationUs).toBe(1_000_000);
    expect(loadProfile('acoustic-80', [packageFolder]).air.propagationUs).toBe(1_000_000);
  });
});

describe('profiles of the operator', () => {
  it('extend another, over several steps', () => {
    write('mine.yaml', 'extends: kiss-9600\nid: mine\ntitle: Mine\nair: { rateBps: 19200 }\n');
    write('yours.yaml', 'extends: mine\nid: yours\ndriver: { port: 2 }\n');
    const profile = loadProfile('yours', folders);
    expect(profile).toMatchObject({
      id: 'yours',
      title: 'Mine',
      air: { rateBps: 19_200, propagationUs: 300 },
      driver: { kind: 'kiss', port: 2, slotTimeMs: 20 },
      line: { baudRate: 57_600 },
    });
    expect(listProfiles(folders).profiles.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['mine', 'yours', ...SHIPPED]),
    );
  });

  it('come before the shipped one of the same id', () => {
    write('radio-9600.yaml', 'extends: acoustic-1k\nid: radio-9600\ntitle: Not a radio\n');
    expect(loadProfile('radio-9600', folders).title).toBe('Not a radio');
    expect(loadProfile('radio-9600', [packageFolder]).title).not.toBe('Not a radio');
  });

  it('a broken one is reported and hides no other', () => {
    write('broken.yaml', 'extends: radio-9600\nid: broken\nair: { rateBps: fast }\n');
    const { profiles, errors } = listProfiles(folders);
    expect(profiles.map(({ id }) => id)).toEqual(listProfiles([packageFolder]).profiles.map(({ id }) => id));
    expect(errors.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^air\.rateBps: "fast" is not allowed/),
    ]);
  });

  it('must be named as their file', () => {
    const path = write('a.yaml', 'extends: radio-9600\n');
    expect(() => validateProfileFile(path, folders)).toThrow(
      `id: "radio-9600" is not allowed; expected a, the file's name [${path}]`,
    );
  });

  it('must say what cannot be guessed', () => {
    const path = write('b.yaml', 'id: b\ntitle: B\nclass: radio\nsource: here\nair: {}\n');
    expect(() => validateProfileFile(path, folders)).toThrow(
      [
        'air.rateBps: is missing; expected auto, or an integer from 1 to 100000000 (bit/s)',
        'air.duplex: is missing; expected one of half, full',
        'air.propagationUs: is missing; expected an integer from 0 to 60000000 (us)',
        'driver: is missing; expected a mapping with the key kind',
        'mac: is missing; expected a mapping with the keys channelAccess, hostLatencyUs',
      ].join('\n'),
    );
  });

  it.each([
    [
      'kiss-1200',
      'driver: { slotTimeMs: 100, slotTimeSpreadMs: 100 }',
      'driver.slotTimeSpreadMs: 100 is not allowed; expected at most 90 (ms) with driver.slotTimeMs 100',
    ],
    [
      'kiss-1200',
      'driver: { slotTimeMs: 2500, slotTimeSpreadMs: 60 }',
      'driver.slotTimeSpreadMs: 60 is not allowed; expected at most 50 (ms) with driver.slotTimeMs 2500',
    ],
    [
      'kiss-1200',
      'driver: { reports: ackmode, checksum: smack }',
      'driver.reports: "ackmode" is not allowed; expected none or txbuf with driver.checksum smack, which covers',
    ],
    [
      'rs485-19200',
      'driver: { direction: kernel }',
      'line.rs485: is missing; expected a mapping with driver.direction kernel',
    ],
    [
      'rs485-19200',
      'line: { rs485: {} }',
      'line.rs485: {} is not allowed; expected no such section with driver.direction adapter',
    ],
    [
      'hayes-v32',
      'driver: { call: dial }',
      'driver.number: is missing; expected the number that driver.call dial dials',
    ],
  ])('cannot say what the driver of %s does not do: %s', (parent, text, message) => {
    const path = write('h.yaml', `extends: ${parent}\nid: h\n${text}\n`);
    expect(() => validateProfileFile(path, folders)).toThrow(message);
  });

  it('cannot be a bridge’s configuration', () => {
    const path = write('c.yaml', 'extends: radio-9600\nid: c\ninterface: { station: 1 }\n');
    expect(() => validateProfileFile(path, folders)).toThrow(/^interface: unknown key/);
  });

  it('cannot extend themselves, nor nothing', () => {
    write('d.yaml', 'extends: e\nid: d\n');
    const path = write('e.yaml', 'extends: d\nid: e\n');
    expect(() => validateProfileFile(path, folders)).toThrow(
      /^extends: goes in a circle: .*e\.yaml -> .*d\.yaml -> .*e\.yaml/,
    );
    write('f.yaml', 'extends: nobody\nid: f\n');
    expect(() => loadProfile('f', folders)).toThrow(/^profile: "nobody" is not known/);
    write('g.yaml', 'extends: [radio-9600]\nid: g\n');
    expect(() => loadProfile('g', folders)).toThrow(/^extends: \["radio-9600"\] is not allowed/);
  });
});

describe('folders', () => {
  it('the user’s, the machine’s, the package’s', () => {
    expect(profileFolders({ HOME: '/home/u' }).slice(0, 2)).toEqual([
      '/home/u/.config/sluice/profiles',
      '/etc/sluice/profiles',
    ]);
    expect(profileFolders({ HOME: '/home/u', XDG_CONFIG_HOME: '/x' })[0]).toBe('/x/sluice/profiles');
    expect(profileFolders()).toEqual(['/etc/sluice/profiles', packageFolder]);
  });
});
