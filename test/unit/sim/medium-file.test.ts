/** MEDIUM.yaml: what it says, and what it must not say. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isSluiceError } from '../../../src/base/errors.js';
import { seededRandom } from '../../../src/base/random.js';
import { buildMedium, parseMediumFile, readMediumFile } from '../../../src/sim/medium-file.js';
import { VirtualTime } from '../../../src/sim/virtual-time.js';

const CONTRACT = `
rateBps: 9600            # on the air
modem: transparent       # or kiss, or any driver that has an emulator
propagationMps: 1500     # metres per second; default 3e8
stations:
  - { id: 1, position: [0, 0, 0] }       # metres
  - { id: 2, position: [0, 750, 0] }
hearing: all             # or pairs: [[1, 2], [2, 3]]
bitErrorRate: 0
captureDb: none
`;
const THREE = 'rateBps: 9600\nstations: [{ id: 1 }, { id: 2 }, { id: 3 }]\n';

describe('MEDIUM.yaml', () => {
  it('reads the example of the contract, and makes that medium', () => {
    const plan = parseMediumFile(CONTRACT);
    expect(plan).toMatchObject({
      rateBps: 9600,
      propagationMps: 1500,
      captureDb: 'none',
      duplex: 'half',
      settings: {},
    });
    expect(plan.stations).toEqual([
      { id: 1, position: [0, 0, 0], modem: 'transparent' },
      { id: 2, position: [0, 750, 0], modem: 'transparent' },
    ]);
    const medium = buildMedium(plan, new VirtualTime(), seededRandom(1));
    expect(medium.propagationUs(1, 2)).toBe(500_000);
  });

  it('has every key, and no other, in its document', () => {
    const keysOf = (source: string): string[] => {
      let message = '';
      try {
        parseMediumFile(source);
      } catch (error) {
        message = isSluiceError(error) ? error.message : '';
      }
      return (/nonsense: unknown key; expected one of (.*?) \[/.exec(message)?.[1] ?? '').split(', ');
    };
    const document = readFileSync(new URL('../../../src/sim/medium-file.md', import.meta.url), 'utf8');
    const [medium = '', station = ''] = document.split('A station:');
    const rows = (part: string): string[] => [...part.matchAll(/^\| `(\w+)` +\|/gm)].map(([, key]) => key ?? '');
    expect(rows(medium).sort()).toEqual(keysOf(`${THREE}nonsense: 1\n`).sort());
    expect(rows(station).sort()).toEqual(keysOf('rateBps: 1\nstations: [{ id: 1, nonsense: 1 }]\n').sort());
    const example = /```yaml\n([^`]*)```/.exec(document)?.[1] ?? '';
    expect(parseMediumFile(example).stations.map(({ modem }) => modem)).toEqual(['kiss', 'kiss', 'transparent']);
  });

  it('has defaults for all but the rate and the stations', () => {
    const plan = parseMediumFile(THREE);
    expect(plan).toMatchObject({ propagationMps: 3e8, bitErrorRate: 0, frameErrorRate: 0, seed: undefined });
    expect(plan.hears(1, 3)).toBe(true);
  });

  it('takes the optional keys', () => {
    const plan = parseMediumFile(`
rateBps: 1200
modem: kiss
stations: [{ id: 1, modem: transparent }, { id: 2 }]
duplex: full
turnaroundMs: 2.5
carrierDetectMs: 1
lineBaud: 57600
flowControl: none
bufferBytes: 256
noiseFer: 0.1
captureDb: 6
pathLossExponent: 3.5
seed: 42
`);
    expect(plan.settings).toEqual({
      turnaroundUs: 2500,
      carrierDetectUs: 1000,
      lineBaud: 57_600,
      flowControl: 'none',
      bufferBytes: 256,
    });
    expect(plan).toMatchObject({ duplex: 'full', frameErrorRate: 0.1, captureDb: 6, pathLossExponent: 3.5, seed: 42 });
    expect(plan.stations.map(({ modem }) => modem)).toEqual(['transparent', 'kiss']);
  });

  it.each([
    'hearing: [[1, 2], [2, 3]]',
    'hearing: { pairs: [[1, 2], [2, 3]] }',
    'pairs: [[1, 2], [2, 3]]',
    'hearing: { directed: [[1, 2], [2, 1], [2, 3], [3, 2]] }',
  ])('reads who hears whom from %s', (hearing) => {
    const { hears } = parseMediumFile(THREE + hearing);
    const heard = [1, 2, 3].map((listener) => [1, 2, 3].filter((speaker) => hears(listener, speaker)));
    expect(heard).toEqual([[2], [1, 3], [2]]);
  });

  it('reads one-way hearing as speaker, listener', () => {
    const { hears } = parseMediumFile(`${THREE}hearing: { directed: [[1, 2]] }`);
    expect([hears(2, 1), hears(1, 2)]).toEqual([true, false]);
  });

  it.each([
    ['rateBps: 9600', /stations: is missing; expected a list of stations/],
    ['stations: [{ id: 1 }]', /rateBps: is missing; expected an integer from 1 to 100000000 \(bit\/s\)/],
    ['rateBps: 9600 bit/s\nstations: [{ id: 1 }]', /rateBps: "9600 bit\/s" is not allowed.*write the number alone/],
    ['rateBps: 0\nstations: [{ id: 1 }]', /rateBps: 0 is not allowed; expected an integer from 1/],
    [`${THREE}rate: 9600`, /rate: unknown key; expected one of rateBps, modem/],
    [`${THREE}modem: lora`, /modem: "lora" is not allowed; expected one of .*kiss.*transparent/],
    [`${THREE}bitErrorRate: 2`, /bitErrorRate: 2 is not allowed; expected a number from 0 to below 1/],
    [`${THREE}captureDb: some`, /captureDb: "some" is not allowed; expected none, or a number from 0/],
    [`${THREE}propagationMps: 0`, /propagationMps: 0 is not allowed; expected a number above 0/],
    [`${THREE}hearing: none`, /hearing: "none" is not allowed; expected all, a list of pairs/],
    [`${THREE}hearing: [[1, 4]]`, /hearing\[0\]: \[1,4\] is not allowed; expected two different stations of 1, 2, 3/],
    [`${THREE}pairs: [[2, 2]]`, /pairs\[0\]: \[2,2\] is not allowed/],
    [`${THREE}pairs: [[1, 2]]\nhearing: all`, /pairs: .* expected either hearing or pairs, not both/],
    [`${THREE}duplex: full`, /duplex: "full" is not allowed; expected half, unless there are exactly two stations/],
    ['rateBps: 1\nstations: []', /stations: \[\] is not allowed; expected at least one station/],
    ['rateBps: 1\nstations: [{ id: 1 }, { id: 1 }]', /stations\[1\]\.id: 1 is not allowed/],
    ['rateBps: 1\nstations: [{ id: 255 }]', /stations\[0\]\.id: 255 is not allowed; expected an integer from 1 to 254/],
    ['rateBps: 1\nstations: [{ id: 1, at: 3 }]', /stations\[0\]\.at: unknown key; expected one of id, position, modem/],
    [
      'rateBps: 1\nstations: [{ id: 1, position: [1, 2] }]',
      /stations\[0\]\.position: \[1,2\] is not allowed; expected \[x, y, z\]/,
    ],
    ['rateBps: [', /MEDIUM\.yaml:1:/],
  ])('refuses %j', (source, message) => {
    let caught: unknown;
    try {
      parseMediumFile(source);
    } catch (error) {
      caught = error;
    }
    expect(isSluiceError(caught, 'configuration')).toBe(true);
    expect(String(caught)).toMatch(message);
    // A profile would be no help with a medium.
    expect(String(isSluiceError(caught) && caught.details.remedy)).not.toMatch(/profiles/);
  });

  it('reads a file, and names one that is not there', () => {
    const folder = mkdtempSync(join(tmpdir(), 'medium-'));
    try {
      writeFileSync(join(folder, 'm.yaml'), CONTRACT);
      expect(readMediumFile(join(folder, 'm.yaml')).stations.length).toBe(2);
      expect(() => readMediumFile(join(folder, 'none.yaml'))).toThrow(/none\.yaml: cannot be read \(ENOENT\)/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
