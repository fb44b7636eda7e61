/** The transparent modem: exact rates, octets as they arrive, a small buffer, half duplex. */
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../../src/base/random.js';
import type { EmulatorSettings } from '../../../../src/sim/emulators/emulator.js';
import { TransparentEmulator } from '../../../../src/sim/emulators/transparent.js';
import { Medium, type MediumOptions } from '../../../../src/sim/medium.js';
import { VirtualLine } from '../../../../src/sim/virtual-line.js';
import { VirtualTime } from '../../../../src/sim/virtual-time.js';

function modems(count: number, settings: EmulatorSettings = {}, options: Partial<MediumOptions> = {}) {
  const time = new VirtualTime();
  const medium = new Medium({
    scheduler: time,
    random: seededRandom(1),
    rateBps: 9600,
    stations: Array.from({ length: count }, (_, i) => ({ id: i + 1 })),
    ...options,
  });
  const stations = medium.stations.map((station) => {
    const line = new VirtualLine(`virtual-${station}`);
    const context = { scheduler: time, random: seededRandom(station), medium, station, port: line.port, settings };
    const modem = new TransparentEmulator(context);
    const heard: [number, number][] = [];
    line.openNow({
      data: (octets) => {
        for (const octet of octets) heard.push([time.nowUs(), octet]);
      },
      lost: () => {},
    });
    return { line, modem, heard };
  });
  const at = (n: number) => {
    const found = stations[n - 1];
    if (found === undefined) throw new Error(`no station ${n}`);
    return found;
  };
  return { time, medium, at };
}

const counting = (length: number): Uint8Array => Uint8Array.from({ length }, (_, k) => k & 0xff);

describe('transparent modem', () => {
  it('1000 octets at 9600 bit/s take 1000 * 8 / 9600 s on the air, in order, at octet times', () => {
    const { time, medium, at } = modems(2, { lineBaud: 115_200, turnaroundUs: 20_000, bufferBytes: 2000 });
    at(1).line.write(counting(1000));
    time.runAll();
    const lineUs = 1e7 / 115_200;
    const startUs = Math.round(lineUs) + 20_000;
    const heard = at(2).heard;
    expect(heard.map(([, octet]) => octet)).toEqual([...counting(1000)]);
    heard.forEach(([atUs], k) => {
      const exact = startUs + ((k + 1) * 8e6) / 9600 + lineUs;
      expect(Math.abs(atUs - exact)).toBeLessThanOrEqual(1);
    });
    expect(medium.counts(1)).toMatchObject({ frames: 1, octetsSent: 1000, airtimeUs: 833_333 });
    expect(medium.counts(2)).toMatchObject({ deliveries: 1, octetsReceived: 1000 });
    expect(medium.channelTime()).toMatchObject({ busyUs: 833_333, collisionUs: 0 });
  });

  it('takes from the host only at the pace of its line, and with flow control only what its buffer holds', () => {
    const { time, medium, at } = modems(2, { lineBaud: 115_200, bufferBytes: 64 });
    at(1).line.write(new Uint8Array(5000));
    time.runFor(1_000_000);
    // On the air after a second, and no more than buffer and line ahead of it.
    const onAir = medium.counts(1).octetsSent;
    expect(Math.abs(onAir - 1200)).toBeLessThanOrEqual(1);
    const { fromHost = 0, buffered = 0, inputOverrun = 0 } = at(1).modem.counts();
    expect(fromHost - onAir).toBe(buffered);
    expect(buffered).toBeLessThanOrEqual(64);
    expect(inputOverrun).toBe(0);
    time.runAll();
    expect(at(2).heard.length).toBe(5000);
    expect(medium.counts(1).frames).toBe(1);
  });

  it('without flow control counts what its buffer cannot take', () => {
    const { time, medium, at } = modems(2, { lineBaud: 115_200, bufferBytes: 64, flowControl: 'none' });
    at(1).line.write(new Uint8Array(5000));
    time.runAll();
    const { fromHost = 0, inputOverrun = 0 } = at(1).modem.counts();
    expect(fromHost + inputOverrun).toBe(5000);
    expect(medium.counts(1).octetsSent).toBe(fromHost);
    // The line brings 9.6 octets in the time in which the air takes one.
    expect(Math.abs(fromHost - (5000 / 9.6 + 64))).toBeLessThan(10);
  });

  it('holds back a host that writes more than the line takes', () => {
    const { time, at } = modems(2, { lineBaud: 9600 });
    const line = at(1).line;
    // The first write is taken whole, as a kernel hands over what it has; the next ones wait.
    line.write(new Uint8Array(400));
    line.write(new Uint8Array(400));
    expect(line.unwrittenBytes).toBe(400);
    time.runFor(400_000);
    expect(line.unwrittenBytes).toBe(0);
    time.runAll();
    expect(at(2).heard.length).toBe(800);
  });

  it('keeps the key down over the gaps of a line that is slower than the air', () => {
    const { time, medium, at } = modems(2, { lineBaud: 9600 });
    at(1).line.write(counting(100));
    time.runAll();
    expect(medium.counts(1).frames).toBe(1);
    expect(at(2).heard.map(([, octet]) => octet)).toEqual([...counting(100)]);
    // 100 octets come at the line's pace; the key goes 2 line octets after the last one's end.
    const expected = (99 * 1e7) / 9600 + 8e6 / 9600 + (2 * 1e7) / 9600;
    expect(Math.abs(medium.counts(1).airtimeUs - expected)).toBeLessThanOrEqual(3);
  });

  it('lets the key go at once after the last octet where the line is faster than the air', () => {
    const { time, medium, at } = modems(2);
    at(1).line.write(counting(12));
    time.runAll();
    expect(medium.counts(1).airtimeUs).toBe(10_000);
  });

  it('hears nothing while it sends, and hands on spoiled octets as they come', () => {
    const { time, medium, at } = modems(3);
    at(1).line.write(new Uint8Array(100).fill(0x11));
    time.runFor(30_000);
    at(2).line.write(new Uint8Array(100).fill(0x22));
    time.runAll();
    const clean = (n: number, value: number): number => at(n).heard.filter(([, octet]) => octet === value).length;
    // What the others sent while a station sent is lost to it, so its host counts fewer than were sent.
    expect(at(1).heard.length).toBeLessThan(50);
    expect(clean(1, 0x22)).toBe(at(1).heard.length);
    expect(clean(2, 0x11)).toBe(at(2).heard.length);
    expect(medium.counts(3)).toMatchObject({ collisionsHeard: 2, deliveries: 0 });
    const destroyed = at(3).heard.length - clean(3, 0x11) - clean(3, 0x22);
    expect(destroyed).toBeGreaterThan(50);
    expect(clean(3, 0x11)).toBeGreaterThan(30);
    expect(clean(3, 0x22)).toBeGreaterThan(30);
  });

  it('counts what the line to the host cannot carry, and what a host does not take', () => {
    const time = new VirtualTime();
    const stations = [{ id: 1 }, { id: 2 }, { id: 3 }];
    const medium = new Medium({ scheduler: time, random: seededRandom(1), rateBps: 96_000, stations });
    const modem = (station: number, lineBaud: number): { line: VirtualLine; modem: TransparentEmulator } => {
      const line = new VirtualLine(`virtual-${station}`);
      const random = seededRandom(station);
      const settings = { lineBaud, bufferBytes: 10_000 };
      const context = { scheduler: time, random, medium, station, port: line.port, settings };
      return { line, modem: new TransparentEmulator(context) };
    };
    const [fast, slow, closed] = [modem(1, 1_000_000), modem(2, 9600), modem(3, 1_000_000)];
    let heard = 0;
    let firstUs = 0;
    let lastUs = 0;
    slow.line.openNow({
      data: (octets) => {
        if (heard === 0) firstUs = time.nowUs();
        lastUs = time.nowUs();
        heard += octets.length;
      },
      lost: () => {},
    });
    fast.line.openNow({ data: () => {}, lost: () => {} });
    // 12,000 octets in a second come from the air, 960 leave to the host, 4096 may wait.
    fast.line.write(new Uint8Array(12_000));
    time.runAll();
    const overrun = slow.modem.counts().outputOverrun ?? 0;
    expect(heard + overrun).toBe(12_000);
    expect(Math.abs(heard - 4096 - 960)).toBeLessThan(10);
    expect(Math.abs(lastUs - firstUs - ((heard - 1) * 1e7) / 9600)).toBeLessThanOrEqual(1);
    expect(closed.modem.counts()).toMatchObject({ toHost: 0, outputOverrun: 12_000 });
  });

  it('full duplex: both directions at the whole rate at once, without a collision', () => {
    const { time, medium, at } = modems(2, {}, { duplex: 'full' });
    at(1).line.write(counting(1200));
    at(2).line.write(counting(1200));
    time.runFor(1_010_000);
    for (const n of [1, 2]) {
      expect(at(n).heard.map(([, octet]) => octet)).toEqual([...counting(1200)]);
      expect(medium.counts(n)).toMatchObject({ collisions: 0, missedWhileSending: 0, octetsReceived: 1200 });
    }
  });
});
