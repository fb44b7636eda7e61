/** What a wrong configuration is told, and who wins where settings meet. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isSluiceError } from '../../../src/base/errors.js';
import { mergeConfiguration, parseSetting, stationFromAddresses } from '../../../src/modem/configuration.js';
import { type Configuration, driverKinds } from '../../../src/modem/profile-schema.js';

const NEEDED = ['interface.station=1', 'interface.port=/dev/ttyUSB0'];
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-configuration-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function merge(profile: string | undefined, settings: readonly string[], file?: string): Configuration {
  return mergeConfiguration({ profile, file, settings: settings.map(parseSetting) });
}

/** The lines of the error that the settings make. */
function complaints(settings: readonly string[], profile = 'radio-9600', file?: string): string[] {
  try {
    merge(profile, settings, file);
  } catch (error) {
    if (!isSluiceError(error, 'configuration')) throw error;
    expect(error.exitCode).toBe(2);
    expect(error.details.remedy).toMatch(/\.$/);
    return error.message.split('\n');
  }
  return [];
}

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('errors name the key, the value and what is allowed', () => {
  const RATE = 'expected auto, or an integer from 1 to 100000000 (bit/s)';
  const UNIT = "; write the number alone: the unit is fixed by the key's name";
  it.each([
    ['air.rateBps=fast', `air.rateBps: "fast" is not allowed; ${RATE} [--set]`],
    ['air.rateBps=9600bps', `air.rateBps: "9600bps" is not allowed; ${RATE}${UNIT} [--set]`],
    ['air.rateBps=9.6 kbit/s', `air.rateBps: "9.6 kbit/s" is not allowed; ${RATE}${UNIT} [--set]`],
    ['air.rateBps=0', `air.rateBps: 0 is not allowed; ${RATE} [--set]`],
    ['air.rateBps=1.5', `air.rateBps: 1.5 is not allowed; ${RATE} [--set]`],
    ['air.rateBps=200000000', `air.rateBps: 200000000 is not allowed; ${RATE} [--set]`],
    [
      'line.settleMs=100ms',
      `line.settleMs: "100ms" is not allowed; expected an integer from 0 to 60000 (ms)${UNIT} [--set]`,
    ],
    ['line.baudRate=-1', 'line.baudRate: -1 is not allowed; expected an integer from 50 to 4000000 (bit/s) [--set]'],
    ['line.dataBits=7', 'line.dataBits: 7 is not allowed; expected 8 (all framings need whole octets) [--set]'],
    ['line.parity=mark', 'line.parity: "mark" is not allowed; expected one of none, even, odd [--set]'],
    ['line.stopBits=3', 'line.stopBits: 3 is not allowed; expected 1 or 2 [--set]'],
    ['line.dtr=on', 'line.dtr: "on" is not allowed; expected true or false [--set]'],
    [
      'line=9600',
      'line: 9600 is not allowed; expected a mapping with the keys baudRate, dataBits, parity, stopBits, flowControl, lowLatency, rs485, dtr, rts, settleMs, init [--set]',
    ],
    ['link.fcsBytes=3', 'link.fcsBytes: 3 is not allowed; expected one of auto, 0, 2, 4 (octets) [--set]'],
    [
      'link.encapsulation=ppp',
      'link.encapsulation: "ppp" is not allowed; expected one of sluice, ethernet, ip, ax25 [--set]',
    ],
    [
      'link.encapsulation=ax25',
      'interface.callsign: is missing; expected a callsign with SSID, such as N0CALL-1: AX.25 frames carry it (link.encapsulation ax25)',
    ],
    ['link.chatter.mdns=off', 'link.chatter.mdns: "off" is not allowed; expected one of drop, pass [--set]'],
    ['driver.kind=lora', `driver.kind: "lora" is not allowed; expected one of ${driverKinds()} [--set]`],
    [
      'backPressure.qdisc=red',
      'backPressure.qdisc: "red" is not allowed; expected one of pfifo_fast, pfifo, prio, fq_codel, cake [--set]',
    ],
    [
      'link.mtu=500',
      'link.mtu: unknown key; expected one of encapsulation, mtuBytes, fcsBytes, arq, maxRetries, broadcastRepeats, deadlineMs, interactiveDeadlineMs, aggregate, chatter [--set]',
    ],
    [
      'link.broadcastRepeats=4',
      'link.broadcastRepeats: 4 is not allowed; expected an integer from 0 to 3 (repetitions) [--set]',
    ],
    [
      'radio=1',
      'radio: unknown key; expected one of id, title, class, source, line, air, driver, link, mac, limits, backPressure, neighbours, interface, log [--set]',
    ],
    [
      '__proto__.x=1',
      '__proto__: unknown key; expected one of id, title, class, source, line, air, driver, link, mac, limits, backPressure, neighbours, interface, log [--set]',
    ],
    ['neighbours.10.0.0.9=300', 'neighbours.10.0.0.9: 300 is not allowed; expected an integer from 1 to 254 [--set]'],
    ['neighbours.bob=9', 'neighbours.bob: key is not allowed; expected an IPv4 or IPv6 address as the key [--set]'],
    ['interface.station=255', 'interface.station: 255 is not allowed; expected an integer from 1 to 254 [--set]'],
    [
      'interface.port=ttyUSB0',
      'interface.port: "ttyUSB0" is not allowed; expected a device path or tcp://host:port [--set]',
    ],
    [
      'interface.name=far too long a name',
      'interface.name: "far too long a name" is not allowed; expected an interface name of 1 to 15 characters without spaces, / and : [--set]',
    ],
    [
      'interface.addresses=[10.0.0.1]',
      'interface.addresses[0]: "10.0.0.1" is not allowed; expected an address with its prefix length, such as 10.0.0.1/24 [--set]',
    ],
    ['log.intervalS=0', 'log.intervalS: 0 is not allowed; expected an integer from 1 to 86400 (s) [--set]'],
    ['log.file=/var/log/', 'log.file: "/var/log/" is not allowed; expected a path [--set]'],
    ['interface.metrics=soon', 'interface.metrics: "soon" is not allowed; expected [HOST:]PORT [--set]'],
  ])('%s', (setting, message) => {
    expect(complaints([...NEEDED, setting])).toEqual([message]);
  });

  it('at the other driver', () => {
    expect(complaints([...NEEDED, 'driver.txDelayMs=15'], 'kiss-1200')).toEqual([
      'driver.txDelayMs: 15 is not allowed; expected a multiple of 10 from 0 to 2550 (ms) [--set]',
    ]);
    expect(complaints([...NEEDED, 'driver.silenceOctets=4'], 'kiss-1200')[0]).toMatch(
      /^driver\.silenceOctets: unknown key; expected one of kind, port, txDelayMs,/,
    );
  });

  it('all problems at once', () => {
    expect(complaints(['air.rate=1', 'line.baudRate=x', 'mac.channelAccess=me'])).toEqual([
      'line.baudRate: "x" is not allowed; expected an integer from 50 to 4000000 (bit/s) [--set]',
      expect.stringMatching(/^air\.rate: unknown key/),
      'mac.channelAccess: "me" is not allowed; expected one of host, modem, none [--set]',
      'interface.station: is missing; expected an integer from 1 to 254',
      'interface.port: is missing; expected a device path or tcp://host:port',
    ]);
  });

  it.each([
    [
      ['link.encapsulation=ip', 'link.mtuBytes=2049'],
      'link.mtuBytes: 2049 is not allowed; expected at most 2048: driver.maxFrameBytes 2048 less 0 for the link frame [--set]',
    ],
    [
      ['driver.maxFrameBytes=32', 'link.mtuBytes=3000'],
      'link.mtuBytes: 3000 is not allowed; expected at most 2813: 128 fragments in frames of driver.maxFrameBytes 32 [--set]',
    ],
    [
      ['link.encapsulation=ip', 'link.broadcastRepeats=1'],
      'link.broadcastRepeats: 1 is not allowed; expected 0: only link.encapsulation sluice lets receivers tell a repetition [--set]',
    ],
    [['air.duplex=full'], 'mac.channelAccess: "host" is not allowed; expected modem or none with air.duplex full'],
    [
      ['mac.channelAccess=none'],
      'mac.channelAccess: "none" is not allowed; expected host or modem with air.duplex half [--set]',
    ],
    [['driver.kind=kiss'], 'mac.channelAccess: "host" is not allowed; expected modem or none with driver.kind kiss ['],
    [
      ['driver.kind=hc12', 'driver.framing=cobs', 'driver.mode=2'],
      'line.baudRate: 19200 is not allowed; expected one of 1200, 2400, 4800 (bit/s) with these settings of driver.kind hc12',
    ],
    [
      ['driver.kind=evologics', 'driver.maxFrameBytes=65', 'link.mtuBytes=500'],
      'driver.maxFrameBytes: 65 is not allowed; expected at most 64 (octets) with these settings of driver.kind evologics [--set]',
    ],
    [
      ['driver.kind=micromodem', 'driver.rate=0', 'driver.maxFrameBytes=32', 'link.mtuBytes=500'],
      'driver.maxFrameBytes: 32 is not allowed; expected at most 31 (octets) with these settings of driver.kind micromodem',
    ],
    [
      [
        ...[
          'driver.kind=rylr',
          'driver.frequencyHz=868100000',
          'driver.spreadingFactor=7',
          'driver.bandwidthHz=125000',
        ],
        ...['driver.maxFrameBytes=121', 'link.mtuBytes=500'],
      ],
      'driver.maxFrameBytes: 121 is not allowed; expected at most 120 (octets) with these settings of driver.kind rylr',
    ],
    [
      ['driver.carrierLine=cts', 'line.flowControl=rtscts'],
      'driver.carrierLine: "cts" is not allowed; expected none, dcd, dsr or ri with line.flowControl rtscts, which has CTS for itself',
    ],
    [['air.pacing=line'], 'air.pacing: "line" is not allowed; expected rate, unless mac.channelAccess is none [--set]'],
    [
      ['line.flowControl=xonxoff'],
      'line.flowControl: "xonxoff" is not allowed; expected none or rtscts: only driver.framing hdlc keeps XON and XOFF out of the data [--set]',
    ],
  ])('settings that contradict each other: %j', (settings, message) => {
    const [complaint, ...more] = complaints([...NEEDED, ...settings]);
    expect(complaint?.startsWith(message)).toBe(true);
    expect(more).toEqual([]);
  });

  it('names the file that a value comes from', () => {
    const file = write('site.yaml', 'air: { rateBps: slow }\ninterface: { station: 1, port: /dev/a }\n');
    expect(complaints([], 'radio-9600', file)).toEqual([`air.rateBps: "slow" is not allowed; ${RATE} [${file}]`]);
  });

  it.each([
    ['air: {', /site\.yaml:\d+:\d+: /],
    ['air: {}\nair: {}\n', /site\.yaml:2:1: Map keys must be unique/],
    ['- 1\n', /site\.yaml: is not a mapping/],
    ['profile: 3\n', /^profile: 3 is not allowed; expected the id of a profile/],
  ])('a file that is none: %j', (text, message) => {
    expect(complaints([], 'radio-9600', write('site.yaml', text)).join('\n')).toMatch(message);
  });

  it('a file that is missing, a profile that is unknown, or none', () => {
    expect(complaints([], 'radio-9600', join(folder, 'none.yaml'))[0]).toMatch(/none\.yaml: cannot be read \(ENOENT\)/);
    expect(complaints([], 'radio-96')[0]).toMatch(
      /^profile: "radio-96" is not known; expected one of acoustic-1k, .*radio-9600/,
    );
    expect(() => merge(undefined, NEEDED)).toThrow(/^profile: is missing/);
  });

  it.each(['air.rateBps', '=1', 'air.rateBps=', ''])('a setting that is none: %j', (text) => {
    expect(() => parseSetting(text)).toThrow(/is not allowed; expected KEY=VALUE/);
  });
});

describe('profile < file < flags', () => {
  const file = (): string =>
    write(
      'site.yaml',
      [
        'profile: kiss-1200',
        'air: { rateBps: 2400 }',
        'driver: { txDelayMs: 200 }',
        'interface: { name: mesh0, station: 7, port: "tcp://tnc:8001" }',
        'neighbours: { 10.0.0.9: 9, "fd00::3": 3 }',
      ].join('\n'),
    );

  it('merges key by key', () => {
    const configuration = merge(
      undefined,
      ['driver.txDelayMs=100', 'neighbours.10.0.0.9=19', 'interface.name=mesh1'],
      file(),
    );
    expect(configuration.id).toBe('kiss-1200');
    expect(configuration.air.rateBps).toBe(2400);
    expect(configuration.air.propagationUs).toBe(300);
    expect(configuration.driver).toMatchObject({ kind: 'kiss', txDelayMs: 100, txTailMs: 100 });
    expect(configuration.interface).toEqual({
      name: 'mesh1',
      station: 7,
      port: 'tcp://tnc:8001',
      addresses: [],
      keepGate: 'auto',
    });
    expect(configuration.neighbours).toEqual({ '10.0.0.9': 19, 'fd00::3': 3 });
  });

  it('a flag names the profile before the file does', () => {
    const driverless = write('other.yaml', 'profile: kiss-1200\ninterface: { station: 7, port: /dev/a }\n');
    expect(merge('radio-9600', [], driverless).id).toBe('radio-9600');
  });

  it('another kind of driver brings nothing of the old one along', () => {
    const { driver } = merge('kiss-1200', [...NEEDED, 'driver.kind=transparent']);
    expect(driver).toEqual({
      ...{ kind: 'transparent', framing: 'slip', silenceOctets: 4, maxFrameBytes: 2048 },
      ...{ carrierLine: 'none', carrierLevel: 'asserted' },
    });
  });

  it('later flags win over earlier ones, lists replace lists', () => {
    const configuration = merge('radio-9600', [
      ...NEEDED,
      'link.mtuBytes=100',
      'link.mtuBytes=200',
      'interface.addresses=[10.0.0.1/24]',
      'interface.addresses=[10.0.0.2/24, "fd00::2/64"]',
    ]);
    expect(configuration.link.mtuBytes).toBe(200);
    expect(configuration.interface.addresses).toEqual(['10.0.0.2/24', 'fd00::2/64']);
  });
});

describe('the station number', () => {
  it.each([
    [['10.0.0.7/24'], 7],
    [['fd00::1/64', '192.168.1.254/24'], 254],
    [['10.0.1.7/16'], undefined],
    [['10.0.0.0/24'], undefined],
    [['10.0.0.255/24'], undefined],
    [['10.0.0.37/28'], 5],
    [[], undefined],
  ])('of %j is %s', (addresses, station) => {
    expect(stationFromAddresses(addresses)).toBe(station);
  });

  it('comes from the address where it is not set', () => {
    const settings = ['interface.port=/dev/a', 'interface.addresses=[10.0.0.7/24]'];
    expect(merge('radio-9600', settings).interface.station).toBe(7);
    expect(merge('radio-9600', [...settings, 'interface.station=8']).interface.station).toBe(8);
  });
});
