/** The JSON Schema that editors are given, judged by a validator that is not ours. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { profileJsonSchema, wholeProfileJsonSchema } from '../../../src/modem/profile-json-schema.js';
import { driverKinds, profileSchema } from '../../../src/modem/profile-schema.js';
import { profileFolders } from '../../../src/modem/profiles.js';

const [folder = ''] = profileFolders().slice(-1);
const validate = new Ajv2020({ allErrors: true, discriminator: true }).compile(profileJsonSchema());

/** Where it is wrong, in JSON pointers; nothing for what is right. */
function faults(document: unknown): string[] {
  if (validate(document)) return [];
  return [...new Set((validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`))];
}

const radio = () => parse(readFileSync(join(folder, 'radio-9600.yaml'), 'utf8')) as Record<string, object>;

describe('the JSON Schema of profiles', () => {
  it('accepts every shipped profile, and knows every driver', () => {
    const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
    expect(files.length).toBeGreaterThan(30);
    const found = files.map((name) => ({ name, faults: faults(parse(readFileSync(join(folder, name), 'utf8'))) }));
    expect(found.filter(({ faults: list }) => list.length > 0)).toEqual([]);
    for (const kind of driverKinds().split(', ')) {
      expect(faults({ extends: 'other', id: 'mine', driver: { kind } })).toEqual([]);
    }
  });

  it('has all sections, and refuses what the program refuses', () => {
    expect(Object.keys(wholeProfileJsonSchema().properties as object)).toEqual(Object.keys(profileSchema.shape));
    const unknownKey = { ...radio(), colour: 'red' };
    const unknownInside = { ...radio(), link: { mtu: 576 } };
    const tooMuch = { ...radio(), line: { baudRate: 5_000_000 } };
    const noDriver = { ...radio(), driver: { kind: 'telepathy' } };
    const { air: _air, ...noAir } = radio();
    for (const wrong of [unknownKey, unknownInside, tooMuch, noDriver, noAir]) {
      expect(profileSchema.safeParse(wrong).success).toBe(false);
      expect(faults(wrong)).not.toEqual([]);
    }
  });

  it('asks for nothing that another profile has said already, but for the right keys all the same', () => {
    expect(faults({ extends: 'kiss-9600', id: 'mine', driver: { port: 2 }, air: { rateBps: 19_200 } })).toEqual([]);
    expect(faults({ extends: 'kiss-9600', id: 'mine', air: { rate: 19_200 } })).not.toEqual([]);
    expect(faults({ id: 'mine', air: { rateBps: 19_200 } })).not.toEqual([]);
  });
});
