/** Acoustic drivers on the wire: the words they use, and their airtimes; what the contract suite does not look at. */
import { describe, expect, it } from 'vitest';
import { listProfiles, loadProfile } from '../../../../src/modem/profiles.js';
import { bench } from './bench.js';

const ascii = (text: string): Uint8Array => Buffer.from(text, 'latin1');
type Bench = ReturnType<typeof bench>;

/** Lets the driver write, and returns what it wrote since the last look. */
function wrote({ time, line }: Bench, forUs = 0): string[] {
  time.runFor(forUs);
  return line.written.splice(0).map((octets) => Buffer.from(octets).toString('latin1'));
}

describe('Nanomodem v3', () => {
  const ready = (): Bench => {
    const made = bench('nanomodem-v3');
    expect(wrote(made, 20_000)).toEqual(['$?']);
    made.driver.lineData(ascii('E\r\n#A042V24000\r\n'));
    made.time.runFor(600_000);
    expect(wrote(made)).toEqual(['$?']);
    made.driver.lineData(ascii('#A042V24000\r\n'));
    expect(wrote(made)).toEqual(['$A001']);
    made.driver.lineData(ascii('#A001\r\n'));
    expect(made.diary.entries.at(-1)).toMatch(/ ready$/);
    made.diary.entries.length = 0;
    return made;
  };

  it('sends a broadcast, and reckons 0.105 + (n + 16) * 0.0125 s', () => {
    const made = ready();
    expect([2, 8, 16, 32, 64].map((octets) => made.driver.timing.airtimeUs(octets))).toEqual([
      330_000, 405_000, 505_000, 705_000, 1_105_000,
    ]);
    made.driver.transmit(Uint8Array.of(0x0d, 0x0a, 0x24));
    expect(wrote(made)).toEqual(['$B03\r\n$']);
    const startUs = made.time.nowUs();
    made.driver.lineData(ascii('$B03\r\n'));
    made.time.runFor(1_000_000);
    expect(made.diary.entries).toEqual([`${startUs + 342_500} sent`]);
  });

  it('takes any octet in a broadcast, suffixes behind it, and refuses what is too short', () => {
    const made = ready();
    made.driver.lineData(ascii('#B00704\r\n#BQ12D+0003\r\n#U02ab\r\n#R001T00100\r\n'));
    expect(made.diary.entries.map((entry) => entry.slice(entry.indexOf(' ') + 1))).toEqual([
      'received 0d0a2342',
      'received 6162',
      'discarded rx-other 11',
    ]);
    made.driver.transmit(Uint8Array.of(1));
    made.time.runFor(1);
    expect(made.diary.entries.at(-1)).toMatch(/ refused$/);
    expect(wrote(made)).toEqual([]);
  });
});

describe('EvoLogics S2C', () => {
  const ready = (): Bench => {
    const made = bench('evologics-s2cr-im');
    for (const [command, reply] of [
      ['+++ATC\r', 'ERROR UNKNOWN COMMAND'],
      ['AT@ZX1\r', 'OK'],
      ['AT!AL1\r', '[*]OK'],
    ] as const) {
      expect(wrote(made, 1)).toEqual([command]);
      made.driver.lineData(ascii(`${reply}\r\n`));
    }
    expect(made.diary.entries.at(-1)).toMatch(/ ready$/);
    made.diary.entries.length = 0;
    return made;
  };

  it('has the table of instant messages', () => {
    const { driver } = ready();
    expect([1, 8, 16, 24, 32, 48, 64].map((octets) => driver.timing.airtimeUs(octets) / 1000)).toEqual([
      172, 238, 328, 414, 500, 688, 860,
    ]);
  });

  it('hands a message up while the carrier is busy, also behind the prefix of data mode', () => {
    const made = ready();
    made.driver.lineData(ascii('RECVSTART\r\nRECVEND,1,2,-40,150\r\nRECVIM,4,2,255,noack,1,-40,150,0.1,\r\n,x\r\n'));
    made.driver.lineData(ascii('+++AT:39:RECVIM,p0,2,2,255,noack,1,-40,150,0.1,+A\r\n'));
    made.driver.lineData(ascii('RECVPBM,1,2,255,9,-40,150,0.1,\r\r\n'));
    expect(made.diary.entries.map((entry) => entry.slice(entry.indexOf(' ') + 1))).toEqual([
      'busy',
      'received 0d0a2c78',
      'idle',
      'received 2b41',
      'discarded rx-other 31',
    ]);
  });

  it('answers a frame once its signal is over, tries again when busy, and is told of failure', () => {
    const made = ready();
    made.driver.lineData(ascii('RECVSTART\r\n'));
    made.driver.transmit(ascii('ab'));
    expect(wrote(made)).toEqual([]);
    made.driver.lineData(ascii('RECVFAILED,0,-40,20\r\n'));
    expect(wrote(made)).toEqual(['AT*SENDIM,2,255,noack,ab\r']);
    made.driver.lineData(ascii('BUSY BACKOFF STATE\r\n'));
    expect(wrote(made, 499_999)).toEqual([]);
    expect(wrote(made, 1)).toEqual(['AT*SENDIM,2,255,noack,ab\r']);
    made.driver.lineData(ascii('OK\r\nSENDSTART,255,im,0,0\r\nFAILEDIM,255\r\nSENDEND,255,im,0,0\r\n'));
    expect(made.diary.entries.map((entry) => entry.slice(entry.indexOf(' ') + 1))).toEqual(['busy', 'idle', 'refused']);
  });
});

describe('WHOI Micro-Modem', () => {
  it('reckons whole frames of the rate, and the documented 3.25 s of rate 6', () => {
    const { driver } = bench('micromodem-psk-490');
    expect(driver.timing.airtimeUs(191) / 1e6).toBeCloseTo(3.25, 2);
    expect(driver.timing.airtimeUs(1)).toBe(driver.timing.airtimeUs(31));
    expect(driver.timing.airtimeUs(32)).toBe(driver.timing.airtimeUs(31) + 492_000);
    expect(driver.capabilities.maxFrameBytes).toBe(191);
  });
});

describe('acoustic profiles', () => {
  const acoustic = listProfiles().profiles.filter((profile) => profile.class === 'acoustic');

  it('are there for every acoustic driver', () => {
    const drivers = new Set(acoustic.map(({ driver }) => driver));
    expect([...drivers]).toEqual(
      expect.arrayContaining(['nanomodem', 'evologics', 'micromodem', 'unetstack', 'popoto', 'benthos']),
    );
  });

  it.each(acoustic.map(({ id }) => id))(
    '%s: a frame is on the air for less than a minute, and no less than its bits',
    (id) => {
      const { driver } = bench(id, [], false);
      const { maxFrameBytes } = driver.capabilities;
      const airtimeUs = driver.timing.airtimeUs(maxFrameBytes);
      expect(airtimeUs).toBeLessThan(60_000_000);
      const { rateBps } = loadProfile(id).air;
      if (rateBps !== 'auto') expect(airtimeUs).toBeGreaterThanOrEqual((0.9 * maxFrameBytes * 8e6) / rateBps);
      expect(driver.timing.airtimeUs(8)).toBeLessThanOrEqual(airtimeUs);
    },
  );
});
