/** RS-485: when RTS goes back, and who may switch the driver. */
import { describe, expect, it } from 'vitest';
import { mergeConfiguration, parseSetting } from '../../../../src/modem/configuration.js';
import { createDriver } from '../../../../src/modem/drivers/registry.js';
import type { Line } from '../../../../src/serial/line.js';
import { VirtualTime } from '../../../../src/sim/virtual-time.js';

function station(...settings: readonly string[]) {
  const time = new VirtualTime();
  const base = ['interface.station=1', 'interface.port=/dev/virtual', 'mac.hostLatencyUs=0', ...settings];
  const driver = createDriver(mergeConfiguration({ profile: 'rs485-19200', settings: base.map(parseSetting) }), {
    scheduler: time,
  });
  const diary: (readonly [string, number])[] = [];
  const note = (what: string): void => void diary.push([what, time.nowUs()]);
  let drained: (() => void) | undefined;
  const line: Line = {
    path: 'virtual',
    unwrittenBytes: 0,
    statistics: { bytesIn: 0, bytesOut: 0, bytesDropped: 0 },
    open: async () => {},
    close: async () => {},
    write: (octets) => note(`write ${octets.length}`),
    pendingInputBytes: () => 0,
    setOutputs: ({ rts }) => {
      note(rts === true ? 'rts' : 'no rts');
      return true;
    },
    drain: (done) => {
      note('drain');
      drained = done;
      return true;
    },
  };
  driver.attach({
    carrier: () => {},
    received: () => true,
    sent: (outcome) => note(outcome),
    discarded: () => {},
    ready: () => {},
  });
  driver.lineOpened(line);
  diary.length = 0;
  return { time, driver, diary, drained: () => drained?.() };
}

const RTS = ['driver.direction=rts', 'driver.beforeSendUs=100', 'driver.afterSendUs=200', 'driver.framing=cobs'];

describe('the RS-485 driver', () => {
  it('holds RTS until the octets have had their time and the port is empty, and only then has sent', () => {
    const { time, driver, diary, drained } = station(...RTS);
    driver.transmit(new Uint8Array(96).fill(1));
    time.runFor(1_000_000);
    expect(diary.map(([what]) => what)).toEqual(['rts', 'write 99', 'drain']);
    const [[, rtsUs = 0] = [], [, writeUs = 0] = [], [, drainUs = 0] = []] = diary;
    expect(writeUs - rtsUs).toBe(100);
    // 99 octets of 10 bits at 19200 bit/s.
    expect(drainUs - writeUs).toBe(Math.ceil((99 * 10_000_000) / 19_200));
    drained();
    time.runFor(10_000);
    expect(diary.slice(3).map(([what]) => what)).toEqual(['no rts', 'sent']);
  });

  it('lets the wire go when the line is lost', () => {
    const { time, driver, diary } = station(...RTS);
    driver.transmit(new Uint8Array(96));
    time.runFor(10_000);
    driver.lineLost();
    time.runFor(1_000_000);
    expect(diary.map(([what]) => what)).toEqual(['rts', 'write 99', 'line-down']);
  });

  it('has one who switches, not two and not none', () => {
    expect(() => station('driver.direction=kernel')).toThrow(/^line\.rs485: is missing/);
    expect(() => station('line.rs485={}')).toThrow(/^line\.rs485: .* no such section with driver\.direction adapter/);
    expect(station('driver.direction=kernel', 'line.rs485={ delayAfterSendMs: 1 }').driver.timing.airtimeUs(10)).toBe(
      station('driver.afterSendUs=1000').driver.timing.airtimeUs(10),
    );
  });
});
