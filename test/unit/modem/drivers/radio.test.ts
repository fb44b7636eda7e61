/** The transparent driver with a line that says that a signal is on the air. */
import { describe, expect, it } from 'vitest';
import { mergeConfiguration, parseSetting } from '../../../../src/modem/configuration.js';
import { createDriver } from '../../../../src/modem/drivers/registry.js';
import type { LineInputs } from '../../../../src/serial/line.js';
import { VirtualTime } from '../../../../src/sim/virtual-time.js';
import { Diary, FakeLine, hex } from './bench.js';

const RELEASED: LineInputs = { cts: false, dsr: false, dcd: false, ring: false };
/** SLIP: a whole frame. */
const FRAME = hex('c00102c0');
const NOISE = hex('55aa');

class WiredLine extends FakeLine {
  levels = RELEASED;
  #changed: ((inputs: LineInputs) => void) | undefined;

  inputs(): LineInputs {
    return this.levels;
  }

  watchInputs(changed: (inputs: LineInputs) => void): boolean {
    this.#changed = changed;
    return true;
  }

  set(levels: Partial<LineInputs>): void {
    this.levels = { ...this.levels, ...levels };
    this.#changed?.(this.levels);
  }
}

function bench(line: FakeLine, ...settings: string[]) {
  const time = new VirtualTime();
  const base = ['interface.station=1', 'interface.port=/dev/fake', 'mac.hostLatencyUs=0', ...settings];
  const configuration = mergeConfiguration({ profile: 'radio-9600', settings: base.map(parseSetting) });
  const remarks: string[] = [];
  const driver = createDriver(configuration, {
    scheduler: time,
    remark: (meaning, remedy) => void remarks.push(`${meaning} ${remedy}`),
  });
  const diary = new Diary(time);
  driver.attach(diary);
  driver.lineOpened(line);
  const told = (): string[] => diary.entries.splice(0).map((entry) => entry.replace(/^\d+ /, ''));
  return { time, driver, line, told, remarks };
}

describe('a carrier line', () => {
  it.each([
    ['dcd', 'dcd'],
    ['cts', 'cts'],
    ['dsr', 'dsr'],
    ['ri', 'ring'],
  ] as const)('%s makes the channel busy before the first octet, and as long as it says so', (name, input) => {
    const line = new WiredLine();
    const { driver, told, time } = bench(line, `driver.carrierLine=${name}`);
    expect(told()).toEqual(['ready']);
    line.set({ [input]: true });
    expect([told(), driver.senseBusy()]).toEqual([['busy'], true]);
    driver.lineData(NOISE);
    time.runFor(1_000_000);
    // The octets have long ceased.
    expect([told(), driver.senseBusy()]).toEqual([[], true]);
    line.set({ [input]: false });
    expect([told(), driver.senseBusy()]).toEqual([['idle'], false]);
  });

  it('means the other level where the wiring inverts it', () => {
    const line = new WiredLine();
    const { told } = bench(line, 'driver.carrierLine=dcd', 'driver.carrierLevel=released');
    expect(told()).toEqual(['busy', 'ready']);
    line.set({ dcd: true });
    expect(told()).toEqual(['idle']);
  });

  it('that falls early leaves the octets to say so', () => {
    const line = new WiredLine();
    const { told, driver } = bench(line, 'driver.carrierLine=dcd');
    line.set({ dcd: true });
    driver.lineData(NOISE);
    line.set({ dcd: false });
    expect(told()).toEqual(['ready', 'busy']);
    expect(driver.senseBusy()).toBe(true);
  });

  it('that a radio holds after a good frame is over with that frame, until it rises again', () => {
    const line = new WiredLine();
    const { told, driver } = bench(line, 'driver.carrierLine=dcd');
    line.set({ dcd: true });
    driver.lineData(FRAME);
    expect(told()).toEqual(['ready', 'busy', 'received 0102', 'idle']);
    line.set({ dcd: false });
    line.set({ dcd: true });
    expect(told()).toEqual(['busy']);
  });

  it('that rises while we send is ours', () => {
    const line = new WiredLine();
    const { told, driver, time } = bench(line, 'driver.carrierLine=dcd');
    driver.transmit(hex('0102'));
    line.set({ dcd: true });
    time.runFor(100_000);
    expect([told(), driver.senseBusy()]).toEqual([['ready', 'sent'], false]);
    line.set({ dcd: false });
    line.set({ dcd: true });
    expect(told()).toEqual(['busy']);
  });

  it('is looked at anew when the line was lost and is back', () => {
    const line = new WiredLine();
    const { told, driver } = bench(line, 'driver.carrierLine=dcd');
    line.set({ dcd: true });
    driver.lineLost();
    expect(told()).toEqual(['ready', 'busy', 'not ready', 'idle']);
    driver.lineOpened(line);
    expect(told()).toContain('busy');
  });

  it('that the port does not have is told once, and octets count alone', () => {
    const { told, driver, remarks, line } = bench(new FakeLine(), 'driver.carrierLine=ri');
    driver.lineData(NOISE);
    expect(told()).toEqual(['ready', 'busy']);
    driver.lineLost();
    driver.lineOpened(line);
    expect(remarks).toEqual([
      expect.stringMatching(/^\/dev\/fake has no modem lines: driver\.carrierLine ri .*none\.$/),
    ]);
  });

  it('none is not asked for', () => {
    const { remarks } = bench(new FakeLine());
    expect(remarks).toEqual([]);
  });
});

describe('CTS, where it holds data back', () => {
  const held = (line: WiredLine) => bench(line, 'line.flowControl=rtscts');

  it('is waited for before a frame counts as sent', () => {
    const line = new WiredLine();
    const { driver, told, time } = held(line);
    driver.transmit(FRAME);
    time.runFor(5_000_000);
    expect(told()).toEqual(['ready']);
    line.set({ cts: true });
    time.runFor(10_000);
    expect(told()).toEqual(['sent']);
  });

  it('that never comes is told of, once for each time', () => {
    const line = new WiredLine();
    const { driver, remarks, time } = held(line);
    driver.transmit(FRAME);
    time.runFor(9_000_000);
    expect(remarks).toEqual([]);
    time.runFor(60_000_000);
    expect(remarks).toEqual([expect.stringMatching(/CTS .* takes nothing.* line\.flowControl/)]);
    line.set({ cts: true });
    time.runFor(1_000_000);
    line.set({ cts: false });
    driver.transmit(FRAME);
    time.runFor(60_000_000);
    expect(remarks).toHaveLength(2);
  });
});
