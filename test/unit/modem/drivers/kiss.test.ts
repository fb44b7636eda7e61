/** The KISS driver: parameters, exact octets, what counts as sent by a modem that says nothing. */
import { describe, expect, it } from 'vitest';
import { bench, hex } from './bench.js';

/** Line 9600, air 1200, TXDELAY 300 ms, P 63, slot 100 ms, tail 100 ms. */
const TNC = 'kiss-1200';
const STUFFING = 63 / 62;
const airUs = (octets: number): number => Math.ceil(300_000 + (octets + 4) * STUFFING * (8e6 / 1200) + 100_000);
const lineUs = (octets: number): number => (octets * 10e6) / 9600;
/** Three failed draws on average at p = 1/4, a slot each. */
const MEAN_ACCESS_US = 300_000;

describe('kiss: capabilities and timing', () => {
  it('leaves contention and integrity to the modem', () => {
    expect(bench(TNC).driver.capabilities).toEqual({
      channelAccess: 'modem',
      duplex: 'half',
      carrierSense: 'none',
      sentReport: 'modelled',
      checksIntegrity: true,
      maxFrameBytes: 256 + 14 + 8,
    });
  });

  it('reckons airtime with TXDELAY, flags, FCS, bit stuffing and tail', () => {
    const { timing } = bench(TNC).driver;
    expect(timing.airtimeUs(256)).toBe(airUs(256));
    expect(timing.turnaroundUs).toBe(Math.ceil(lineUs(278 + 3)));
    // 0.75^11 < 0.05: eleven slots, and another station's frame.
    expect(timing.modemAccessUs).toBe(1_100_000 + airUs(278));
  });

  it('a measured preamble replaces txDelayMs', () => {
    const { timing } = bench(TNC, ['air.preambleUs=450000']).driver;
    expect(timing.airtimeUs(10)).toBe(airUs(10) + 150_000);
  });

  it('never waits with persistence 255', () => {
    const { timing } = bench(TNC, ['driver.persistence=255']).driver;
    expect(timing.modemAccessUs).toBe(airUs(278));
  });
});

describe('kiss: the line', () => {
  it('tells the TNC its parameters when the line opens', () => {
    expect(bench(TNC).line.hex()).toEqual(['c0011ec0', 'c0023fc0', 'c0030ac0', 'c0040ac0', 'c00500c0']);
  });

  it('on another port, escaped where they must be', () => {
    const { line } = bench(TNC, ['driver.port=3', 'driver.persistence=192']);
    expect(line.hex().slice(0, 2)).toEqual(['c0311ec0', 'c032dbdcc0']);
  });

  it('keeps silent with sendParameters false', () => {
    expect(bench(TNC, ['driver.sendParameters=false', 'driver.resendMs=1000']).line.written).toEqual([]);
  });

  it('tells them again every resendMs, until the line is lost', () => {
    const { driver, line, time } = bench(TNC, ['driver.resendMs=60000']);
    time.runUntil(60_000_000);
    expect(line.written).toHaveLength(10);
    driver.lineLost();
    time.runAll();
    expect(line.written).toHaveLength(10);
  });

  it('waits for the modem to settle before it says anything', () => {
    const { driver, line, diary, time } = bench(TNC, ['line.settleMs=2000'], false);
    driver.lineOpened(line);
    expect(line.written).toEqual([]);
    time.runAll();
    expect(line.written).toHaveLength(5);
    expect(diary.entries).toEqual(['2000000 ready']);
  });

  it('gives each frame a slot time of its own, where the modems all draw the same numbers', () => {
    const { driver, line, time } = bench(TNC, ['driver.slotTimeSpreadMs=50']);
    const slotTimes = new Set<number>();
    for (let first = 0; first < 100; first++) {
      line.written.length = 0;
      driver.transmit(Uint8Array.of(first, 1, 2, 3));
      time.runAll();
      const [slotTime] = line.hex();
      expect(slotTime).toMatch(/^c003..c0$/);
      slotTimes.add(Number.parseInt(String(slotTime).slice(4, 6), 16));
    }
    expect([...slotTimes].sort((a, b) => a - b)).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
  });

  it('puts exactly the KISS octets on the line', () => {
    const { driver, line } = bench(TNC);
    line.written.length = 0;
    driver.transmit(hex('54 c0 db 54'));
    expect(line.hex()).toEqual(['c00054dbdcdbdd54c0']);
  });
});

describe('kiss: transmission', () => {
  it('is over after line, mean wait for the channel, and airtime', () => {
    const { driver, diary, time } = bench(TNC);
    driver.transmit(new Uint8Array(100).fill(1));
    time.runAll();
    expect(diary.entries).toEqual([`${Math.ceil(lineUs(103) + MEAN_ACCESS_US + airUs(100))} sent`]);
  });

  it('reckons anew when a frame arrives that the TNC must have waited for', () => {
    const { driver, diary, time } = bench(TNC);
    driver.transmit(new Uint8Array(100).fill(1));
    time.runUntil(900_000);
    driver.lineData(hex('c000aabbccc0'));
    time.runAll();
    // The signal ended when the TNC began to tell of it: six octets of line time ago.
    const endUs = 900_000 - lineUs(6) + airUs(100) + MEAN_ACCESS_US;
    expect(diary.entries).toEqual(['900000 received aabbcc', `${Math.ceil(endUs)} sent`]);
  });

  it('does not wait longer for a frame that began after ours can have ended', () => {
    const { driver, diary, time } = bench(TNC);
    const frame = new Uint8Array(10).fill(1);
    const earliestUs = lineUs(13) + airUs(10);
    driver.transmit(frame);
    // Received so late that it began after the earliest end of ours, yet before ours is reported.
    const heardUs = Math.ceil(earliestUs + MEAN_ACCESS_US - 1000);
    time.runUntil(heardUs);
    const tooEarly = heardUs - lineUs(4) - airUs(1) < earliestUs;
    driver.lineData(hex('c000aac0'));
    time.runAll();
    // At 1200 bit/s any reception takes longer than the mean wait, so this one proves that ours had to wait.
    expect(tooEarly).toBe(true);
    expect(diary.entries).toHaveLength(2);

    const fast = bench(TNC, ['driver.txDelayMs=0', 'driver.txTailMs=0', 'driver.slotTimeMs=500']);
    fast.driver.transmit(frame);
    const expectedUs = Math.ceil(lineUs(13) + Math.ceil(14 * STUFFING * (8e6 / 1200)) + 1_500_000);
    fast.time.runUntil(expectedUs - 1000);
    fast.driver.lineData(hex('c000aac0'));
    fast.time.runAll();
    expect(fast.diary.entries.at(-1)).toBe(`${expectedUs} sent`);
  });

  it('does not reckon with frames of other ports', () => {
    const { driver, diary, time } = bench(TNC);
    driver.transmit(new Uint8Array(100).fill(1));
    time.runUntil(900_000);
    driver.lineData(hex('c010aabbccc0'));
    time.runAll();
    expect(diary.entries.at(-1)).toBe(`${Math.ceil(lineUs(103) + MEAN_ACCESS_US + airUs(100))} sent`);
  });

  it('does not take reception for waiting where the modem hears while it sends', () => {
    const { driver, diary, time } = bench(TNC, ['air.duplex=full']);
    driver.transmit(new Uint8Array(100).fill(1));
    time.runUntil(900_000);
    driver.lineData(hex('c000aabbccc0'));
    time.runAll();
    expect(diary.entries.at(-1)).toBe(`${Math.ceil(lineUs(103) + MEAN_ACCESS_US + airUs(100))} sent`);
  });

  it('is not sent when the line is lost', () => {
    const { driver, diary, time } = bench(TNC);
    driver.transmit(hex('01'));
    driver.lineData(hex('c00055'));
    driver.lineLost();
    time.runAll();
    expect(diary.entries).toEqual(['0 not ready', '0 discarded rx-framing 2', '0 line-down']);
  });
});

describe('kiss: reception', () => {
  it('hands up data frames of its own port only, and counts the others', () => {
    const { driver, diary } = bench(TNC, ['driver.port=1']);
    driver.lineData(hex('c01001c0c00002c0c01603c0c010c0'));
    expect(diary.entries).toEqual(['0 received 01', '0 discarded rx-other 2', '0 discarded rx-other 2', '0 received ']);
  });

  it('takes frames in any split, and reports no carrier', () => {
    const { driver, diary } = bench(TNC);
    for (const octet of hex('c000c0c000dbdc01c0')) driver.lineData(Uint8Array.of(octet));
    expect(diary.entries).toEqual(['0 received ', '0 received c001']);
    expect(driver.senseBusy()).toBe(false);
  });

  it('takes text before the first frame for noise, and a broken escape for a broken frame', () => {
    const { driver, diary } = bench(TNC);
    driver.lineData(Buffer.from('cmd:'));
    driver.lineData(hex('c000db00c0c00007c0'));
    expect(diary.entries).toEqual(['0 discarded rx-framing 4', '0 discarded rx-framing 3', '0 received 07']);
  });
});

describe('kiss: a wire without contention', () => {
  it('goes at the rate of the line, without waits and without TXDELAY', () => {
    const settings = ['mac.channelAccess=none', 'air.duplex=full', 'air.rateBps=auto'];
    const { driver, line, diary, time } = bench(TNC, settings);
    expect(line.hex().at(-1)).toBe('c00501c0');
    driver.transmit(new Uint8Array(97).fill(1));
    time.runAll();
    expect(diary.entries).toEqual([`${Math.ceil(lineUs(100) - 4000)} sent`]);
    expect(driver.timing.airtimeUs(97)).toBe(Math.ceil(lineUs(100)));
    expect(driver.timing.modemAccessUs).toBeUndefined();
  });
});
