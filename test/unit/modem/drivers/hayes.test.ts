/** Dialling: how long it waits between calls, what it makes of the modem's words, and what it needs to be told. */
import { describe, expect, it } from 'vitest';
import { mergeConfiguration, parseSetting } from '../../../../src/modem/configuration.js';
import { createDriver } from '../../../../src/modem/drivers/registry.js';
import { VirtualLine } from '../../../../src/sim/virtual-line.js';
import { VirtualTime } from '../../../../src/sim/virtual-time.js';

const OFF = { cts: true, dsr: true, dcd: false, ring: false };

/** A driver and what it writes; the test speaks for the modem, which says OK to everything but calls. */
function caller(...settings: readonly string[]) {
  const time = new VirtualTime();
  const line = new VirtualLine('virtual');
  const base = ['interface.station=1', 'interface.port=/dev/virtual', 'mac.hostLatencyUs=0', ...settings];
  const driver = createDriver(mergeConfiguration({ profile: 'hayes-v32', settings: base.map(parseSetting) }), {
    scheduler: time,
  });
  const calls: number[] = [];
  const state = { ready: false, result: 'BUSY', received: 0 };
  const say = (text: string): void => void line.port.send(Buffer.from(text, 'latin1'));
  line.port.onData((octets) => {
    const text = Buffer.from(octets).toString('latin1');
    if (text.startsWith('ATDT')) {
      calls.push(time.nowUs());
      time.at(time.nowUs() + 1000, () => say(`\r\n${state.result}\r\n`));
    } else if (text.startsWith('AT')) time.at(time.nowUs() + 1000, () => say('\r\nOK\r\n'));
  });
  driver.attach({
    carrier: () => {},
    received: () => {
      state.received++;
      return true;
    },
    sent: () => {},
    discarded: () => {},
    ready: (up) => {
      state.ready = up;
    },
  });
  line.openNow({ data: (octets) => driver.lineData(octets), lost: () => {} });
  driver.lineOpened(line);
  return { time, line, driver, calls, state, say };
}

const DIAL = ['driver.call=dial', 'driver.number="123"', 'driver.redialMs=10000', 'driver.redialMaxMs=60000'];
const gapsS = (calls: readonly number[]): number[] =>
  calls.slice(1).map((atUs, i) => Math.floor((atUs - (calls[i] ?? 0)) / 10_000_000) * 10);

describe('the Hayes driver', () => {
  it('waits longer after each call that came to nothing, up to a limit', () => {
    const { time, calls } = caller(...DIAL);
    time.runFor(400_000_000);
    expect(gapsS(calls).slice(0, 6)).toEqual([10, 20, 40, 60, 60, 60]);
  });

  it('begins anew with the shortest pause when a call has held', () => {
    const { time, calls, state, line } = caller(...DIAL);
    time.runFor(80_000_000);
    state.result = 'CONNECT 9600';
    time.runFor(60_000_000);
    expect(state.ready).toBe(true);
    line.port.setInputs?.({ ...OFF, dcd: true });
    time.runFor(90_000_000);
    const before = calls.length;
    line.port.setInputs?.(OFF);
    time.runFor(15_000_000);
    expect(calls.length).toBe(before + 1);
    expect(state.ready).toBe(true);
  });

  it('takes its words for the end of the call only when nothing follows', () => {
    const { time, state, say } = caller(...DIAL);
    state.result = 'CONNECT 9600';
    time.runFor(5_000_000);
    expect(state.ready).toBe(true);
    say('~data\r\nNO CARRIER\r\n');
    time.runFor(100_000);
    say('more data~');
    time.runFor(2_000_000);
    expect(state.ready).toBe(true);
    say('\r\nNO CARRIER\r\n');
    time.runFor(400_000);
    expect(state.ready).toBe(false);
  });

  it('hears what comes right behind CONNECT', () => {
    const { time, state } = caller(...DIAL, 'driver.framing=slip');
    state.result = 'CONNECT 9600\r\n\xc0frame\xc0';
    time.runFor(5_000_000);
    expect(state).toMatchObject({ ready: true, received: 1 });
  });

  it('needs a number to dial, and no channel to contend for', () => {
    expect(() => caller('driver.call=dial')).toThrow(/^driver\.number: is missing/);
    expect(() => caller('mac.channelAccess=host')).toThrow(/expected none with driver\.kind hayes/);
  });
});
