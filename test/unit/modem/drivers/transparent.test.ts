/** The transparent driver: octets on the line, carrier by activity, and when a frame counts as sent. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bench, hex } from './bench.js';

/** 9600 bit/s on the air behind a line of 19200: 833.3 us and 520.8 us an octet. */
const RADIO = 'radio-9600';
const FRAME = hex('c0 01 02 03 04 05 06 07 08 09 00 0b');
/** SLIP of FRAME written by hand from RFC 1055: 15 octets. */
const SLIP = 'c0dbdc010203040506070809000bc0';

describe('transparent: capabilities and timing', () => {
  it('declares a host that contends and hears by activity', () => {
    expect(bench(RADIO).driver.capabilities).toEqual({
      channelAccess: 'host',
      duplex: 'half',
      carrierSense: 'activity',
      sentReport: 'modelled',
      checksIntegrity: false,
      maxFrameBytes: 576 + 14 + 8,
    });
  });

  it('derives its times from the profile', () => {
    const { timing } = bench(RADIO, ['air.preambleUs=20000', 'air.tailUs=5000', 'air.turnaroundUs=3000']).driver;
    // 100 octets, 2 delimiters, 100 * 2/256 escapes on average, 833.33 us each.
    expect(timing.airtimeUs(100)).toBe(Math.ceil(20_000 + (102 + 200 / 256) * (8e6 / 9600) + 5000));
    expect(timing.turnaroundUs).toBe(521 + 3000);
    expect(timing.carrierDetectUs).toBe(Math.ceil(20_000 + 8e6 / 9600 + 10e6 / 19200));
    expect(timing.propagationUs).toBe(100);
    expect(timing.hostLatencyUs).toBe(0);
  });

  it('takes the measured host latency where the profile says auto', () => {
    expect(bench(RADIO, ['mac.hostLatencyUs=7000']).driver.timing.hostLatencyUs).toBe(7000);
    expect(bench(RADIO, ['mac.hostLatencyUs=auto']).driver.timing.hostLatencyUs).toBe(4000);
  });

  it('with HDLC framing needs no FCS in the link frame', () => {
    expect(bench(RADIO, ['driver.framing=hdlc']).driver.capabilities.checksIntegrity).toBe(true);
    expect(bench(RADIO, ['driver.framing=cobs']).driver.capabilities.checksIntegrity).toBe(false);
  });
});

describe('transparent: transmission', () => {
  it('puts exactly the SLIP octets on the line and reports when the last has left the air', () => {
    const { driver, line, diary, time } = bench(RADIO);
    driver.transmit(FRAME);
    expect(line.hex()).toEqual([SLIP]);
    time.runAll();
    expect(diary.entries).toEqual([`${Math.ceil(521 + (15 * 8e6) / 9600)} sent`]);
  });

  it('reckons with a line that is slower than the air', () => {
    const { driver, diary, time } = bench(RADIO, ['line.baudRate=2400']);
    driver.transmit(FRAME);
    time.runAll();
    // Fifteen octets of ten bits at 2400, and the last octet's time on the air.
    expect(diary.entries).toEqual([`${Math.ceil((15 * 10e6) / 2400 + 8e6 / 9600)} sent`]);
  });

  it('adds preamble, tail and turnaround', () => {
    const settings = ['air.preambleUs=20000', 'air.tailUs=5000', 'air.turnaroundUs=3000'];
    const { driver, diary, time } = bench(RADIO, settings);
    driver.transmit(FRAME);
    time.runAll();
    expect(diary.entries).toEqual([`${521 + 3000 + 20_000 + 12_500 + 5000} sent`]);
  });

  it('is not over while the kernel has not taken the octets', () => {
    const { driver, line, diary, time } = bench(RADIO);
    line.unwrittenBytes = 10;
    driver.transmit(FRAME);
    time.runUntil(40_000);
    expect(diary.entries).toEqual([]);
    line.unwrittenBytes = 0;
    time.runAll();
    expect(diary.entries).toHaveLength(1);
    expect(diary.entries[0]).toMatch(/ sent$/);
    expect(Number.parseInt(diary.entries[0] ?? '', 10)).toBeGreaterThan(40_000);
  });

  it('refuses a frame that is too long, and writes nothing', () => {
    const { driver, line, diary, time } = bench(RADIO);
    driver.transmit(new Uint8Array(599));
    expect(diary.entries).toEqual([]);
    time.runAll();
    expect(diary.entries).toEqual(['0 refused']);
    expect(line.written).toEqual([]);
  });

  it('takes one transmission at a time, and none before it is ready', () => {
    const { driver } = bench(RADIO);
    driver.transmit(FRAME);
    expect(() => driver.transmit(FRAME)).toThrow(/not over/);
    expect(() => bench(RADIO, [], false).driver.transmit(FRAME)).toThrow(/not ready/);
  });

  it('does not start within the tail of the signal that it answers', () => {
    const { driver, line, diary, time } = bench(RADIO, ['air.tailUs=5000']);
    diary.onReceived = () => driver.transmit(FRAME);
    driver.lineData(hex('c00102c0'));
    expect(line.written).toEqual([]);
    time.runUntil(4479);
    expect(line.written).toEqual([]);
    time.runUntil(4480);
    expect(line.hex()).toEqual([SLIP]);
  });
});

describe('transparent: carrier by activity', () => {
  it('is busy from the first octet, and idle after the frame was handed up', () => {
    const { driver, diary, time } = bench(RADIO);
    driver.lineData(hex('c0'));
    expect(driver.senseBusy()).toBe(true);
    time.runUntil(833);
    driver.lineData(hex('0102'));
    time.runUntil(2500);
    driver.lineData(hex('c0'));
    expect(diary.entries).toEqual(['0 busy', '2500 received 0102', '2500 idle']);
    expect(driver.senseBusy()).toBe(false);
  });

  it('stays busy when octets follow a frame in the same read', () => {
    const { driver, diary, time } = bench(RADIO);
    driver.lineData(hex('c00102c0c003'));
    expect(diary.entries).toEqual(['0 busy', '0 received 0102']);
    driver.lineData(hex('04c0'));
    expect(diary.entries).toEqual(['0 busy', '0 received 0102', '0 received 0304', '0 idle']);
    time.runAll();
    expect(diary.entries).toHaveLength(4);
  });

  it('stays busy when only the next frame’s first delimiter follows', () => {
    const { driver, diary } = bench(RADIO);
    driver.lineData(hex('c00102c0c0'));
    expect(diary.entries).toEqual(['0 busy', '0 received 0102']);
  });

  it.each([1, 2, 3, 5])('gives the same frames when the line splits them every %i octets', (size) => {
    const { driver, diary } = bench(RADIO);
    const octets = hex(`${SLIP}${SLIP}`);
    for (let at = 0; at < octets.length; at += size) driver.lineData(octets.subarray(at, at + size));
    const frames = diary.entries.filter((entry) => entry.includes('received'));
    const one = `0 received ${Buffer.from(FRAME).toString('hex')}`;
    expect(frames).toEqual([one, one]);
    expect(diary.entries.at(-1)).toBe('0 idle');
  });

  it('is not ended by what only looks like a frame: noise has delimiters, too', () => {
    const { driver, diary, time } = bench(RADIO);
    diary.whole = false;
    for (let i = 0; i < 4; i++) {
      driver.lineData(hex('c00102c0'));
      time.runFor(2000);
    }
    expect(diary.entries.filter((entry) => entry.endsWith('idle'))).toEqual([]);
    time.runAll();
    expect(diary.entries.at(-1)).toBe('9334 idle');
  });

  it('ends after a silence of four octets when no frame ended it', () => {
    const { driver, diary, time } = bench(RADIO);
    driver.lineData(hex('55aa'));
    time.runUntil(2000);
    driver.lineData(hex('55'));
    time.runUntil(2000 + 3333);
    expect(diary.entries).toEqual(['0 busy']);
    time.runAll();
    expect(diary.entries).toEqual(['0 busy', '5334 idle']);
  });

  it('does not take a broken frame’s end for the end of the signal', () => {
    const { driver, diary, time } = bench(RADIO);
    driver.lineData(hex('c0db77c0'));
    expect(diary.entries).toEqual(['0 busy', '0 discarded rx-framing 2']);
    time.runAll();
    expect(diary.entries.at(-1)).toBe('3334 idle');
  });

  it('waits out the sender’s tail, less the line time of the last octet', () => {
    const { driver, diary, time } = bench(RADIO, ['air.tailUs=5000']);
    driver.lineData(hex('c00102c0'));
    time.runAll();
    expect(diary.entries).toEqual(['0 busy', '0 received 0102', `${Math.ceil(5000 - 10e6 / 19200)} idle`]);
  });

  it('does not take unread octets for a silence', () => {
    const { driver, line, diary, time } = bench(RADIO);
    driver.lineData(hex('c001'));
    line.pending = 3;
    time.runUntil(5000);
    expect(diary.entries).toEqual(['0 busy']);
    line.pending = 0;
    driver.lineData(hex('0203c0'));
    expect(diary.entries.slice(1)).toEqual(['5000 received 010203', '5000 idle']);
  });

  it('sees octets that have reached the host but not yet the driver', () => {
    const { driver, line } = bench(RADIO);
    expect(driver.senseBusy()).toBe(false);
    line.pending = 1;
    expect(driver.senseBusy()).toBe(true);
  });

  it('gives up a frame that broke off, and hears the next one', () => {
    const { driver, diary, time } = bench(RADIO, ['driver.framing=cobs']);
    driver.lineData(hex('00050102'));
    time.runUntil(100_000);
    driver.lineData(hex('00020700'));
    expect(diary.entries).toEqual([
      '0 busy',
      '3334 idle',
      '100000 discarded rx-framing 3',
      '100000 busy',
      '100000 received 07',
      '100000 idle',
    ]);
  });

  it('comes to rest after any octets in any rhythm, busy and idle by turns, and hears the next frame', () => {
    const reads = fc.array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(20_000)), { maxLength: 20 });
    fc.assert(
      fc.property(reads, fc.constantFrom('slip', 'hdlc', 'cobs'), (arrivals, framing) => {
        const { driver, line, diary, time } = bench(RADIO, [`driver.framing=${framing}`]);
        for (const [octets, gapUs] of arrivals) {
          driver.lineData(octets);
          time.runFor(gapUs);
        }
        time.runAll();
        driver.transmit(FRAME);
        time.runFor(100_000);
        driver.lineData(line.written[0] ?? FRAME);
        time.runAll();
        const carrier = diary.entries
          .map((entry) => entry.split(' ')[1])
          .filter((word) => /busy|idle/.test(word ?? ''));
        expect(carrier).toEqual(carrier.map((_, i) => (i % 2 === 0 ? 'busy' : 'idle')));
        expect(carrier.length % 2).toBe(0);
        const received = diary.entries.filter((entry) => entry.includes('received')).at(-1);
        expect(received?.endsWith(` ${Buffer.from(FRAME).toString('hex')}`)).toBe(true);
      }),
    );
  });

  it('counts frames that are too long', () => {
    const { driver, diary } = bench(RADIO, ['link.mtuBytes=68', 'driver.maxFrameBytes=90']);
    driver.lineData(Uint8Array.of(0xc0, ...new Array<number>(91).fill(1), 0xc0));
    expect(diary.entries).toContain('0 discarded rx-too-long 91');
  });
});

describe('transparent: opening and losing the line', () => {
  it('is ready once the modem has settled, and ignores what it says before', () => {
    const { driver, line, diary, time } = bench(RADIO, ['line.settleMs=50'], false);
    driver.lineOpened(line);
    driver.lineData(hex('c00102c0'));
    time.runAll();
    expect(diary.entries).toEqual(['0 discarded rx-framing 4', '50000 ready']);
  });

  it('loses a frame half received and one half sent, each once', () => {
    const { driver, diary, time } = bench(RADIO);
    driver.lineData(hex('c00102'));
    driver.transmit(FRAME);
    time.runUntil(1000);
    driver.lineLost();
    driver.lineLost();
    time.runAll();
    expect(diary.entries).toEqual([
      '0 busy',
      '1000 not ready',
      '1000 discarded rx-framing 2',
      '1000 idle',
      '1000 line-down',
    ]);
  });

  it('starts afresh on the next line', () => {
    const { driver, line, diary, time } = bench(RADIO);
    driver.lineData(hex('c00102'));
    driver.lineLost();
    driver.lineOpened(line);
    diary.entries.length = 0;
    driver.lineData(hex('0304c0c005c0'));
    driver.transmit(FRAME);
    time.runAll();
    expect(diary.entries.filter((entry) => entry.includes('received'))).toEqual(['0 received 05']);
    expect(diary.entries.at(-1)).toMatch(/ sent$/);
  });

  it('forgets a line that is lost before the modem has settled', () => {
    const { driver, line, diary, time } = bench(RADIO, ['line.settleMs=50'], false);
    driver.lineOpened(line);
    driver.lineLost();
    time.runAll();
    expect(diary.entries).toEqual([]);
  });
});

describe('transparent: full duplex, nobody contends', () => {
  it('senses no carrier', () => {
    const { driver, line, diary, time } = bench('null-modem');
    line.pending = 1;
    driver.lineData(hex('c00102c0'));
    expect(driver.senseBusy()).toBe(false);
    expect(driver.capabilities.carrierSense).toBe('none');
    time.runAll();
    expect(diary.entries).toEqual(['0 received 0102']);
  });

  it('asks for the next frame before the line runs dry, and keeps to its rate', () => {
    const { driver, line, diary, time } = bench('null-modem');
    const frame = new Uint8Array(998).fill(1); // 1000 octets of SLIP: 86.8 ms at 115200 bit/s
    let left = 10;
    diary.onSent = () => {
      if (left-- > 0) driver.transmit(frame);
    };
    driver.transmit(frame);
    time.runAll();
    expect(line.written).toHaveLength(11);
    expect(diary.entries[0]).toBe(`${Math.ceil(1e10 / 115_200 - 4000)} sent`);
    expect(diary.entries.at(-1)).toBe(`${Math.ceil(11e10 / 115_200 - 4000)} sent`);
  });

  it('lets the kernel be behind by what the line carries until the next frame comes, not by more', () => {
    const { driver, line, diary, time } = bench('null-modem', ['line.baudRate=19200']);
    line.unwrittenBytes = 7; // 4 ms at 19200 bit/s are 7.68 octets
    driver.transmit(FRAME);
    time.runAll();
    expect(diary.entries).toEqual([`${Math.ceil((15 * 10e6) / 19_200 - 4000)} sent`]);
    diary.entries.length = 0;
    line.unwrittenBytes = 8;
    driver.transmit(FRAME);
    time.runFor(100_000);
    expect(diary.entries).toEqual([]);
  });

  it('does not wait on a new line for what was written to the lost one', () => {
    const { driver, line, diary, time } = bench('null-modem');
    driver.transmit(new Uint8Array(1400));
    driver.lineLost();
    driver.lineOpened(line);
    diary.entries.length = 0;
    driver.transmit(new Uint8Array(98).fill(1));
    time.runAll();
    expect(diary.entries).toEqual([`${Math.ceil(1e9 / 115_200 - 4000)} sent`]);
  });

  it('paced by the line, asks for frames until a buffer full of octets waits, and for more when the line has taken some', () => {
    const { driver, line, diary, time } = bench('null-modem', ['air.pacing=line']);
    driver.transmit(FRAME);
    expect(diary.entries).toEqual([]);
    time.runUntil(0);
    expect(diary.entries).toEqual(['0 sent']);
    line.unwrittenBytes = 16_384;
    driver.transmit(FRAME);
    time.runUntil(5_000);
    expect(diary.entries).toEqual(['0 sent']);
    line.unwrittenBytes = 16_383;
    driver.lineDrained?.();
    time.runUntil(5_001);
    expect(diary.entries[1]).toBe('5000 sent');
  });

  it('paced by the line, looks by itself now and then, for a line that does not say when it has taken octets', () => {
    const { driver, line, diary, time } = bench('null-modem', ['air.pacing=line']);
    line.unwrittenBytes = 16_384;
    driver.transmit(FRAME);
    time.runUntil(1_000);
    line.unwrittenBytes = 0;
    time.runUntil(20_000);
    expect(diary.entries).toEqual(['10000 sent']);
  });
});
