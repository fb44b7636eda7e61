/** What a profile says to a modem when the line opens, whatever the driver. */
import { describe, expect, it } from 'vitest';
import { mergeConfiguration, parseSetting } from '../../../../src/modem/configuration.js';
import { createDriver } from '../../../../src/modem/drivers/registry.js';
import { VirtualTime } from '../../../../src/sim/virtual-time.js';
import { Diary, FakeLine, hex } from './bench.js';

const octets = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

function bench(profile: string, init: string) {
  const time = new VirtualTime();
  const settings = ['interface.station=1', 'interface.port=/dev/fake', 'mac.hostLatencyUs=0', `line.init=${init}`];
  const configuration = mergeConfiguration({ profile, settings: settings.map(parseSetting) });
  const remarks: string[] = [];
  const driver = createDriver(configuration, { scheduler: time, remark: (meaning) => void remarks.push(meaning) });
  const diary = new Diary(time);
  const line = new FakeLine();
  driver.attach(diary);
  driver.lineOpened(line);
  const said = (): string[] => line.written.splice(0).map((each) => String.fromCharCode(...each));
  const told = (): string[] => diary.entries.splice(0).map((entry) => entry.replace(/^\d+ /, ''));
  return { time, driver, line, said, told, remarks };
}

const TWO = '[{ send: "AT+MODE=1\\r", expect: "OK (1)" }, { send: "ATO\\r", expect: "CONNECT" }]';

describe('line.init', () => {
  it('goes step by step, each when the last one was answered, before the modem is ready', () => {
    const { driver, said, told } = bench('radio-9600', TWO);
    expect([said(), told()]).toEqual([['AT+MODE=1\r'], []]);
    driver.lineData(octets('AT+MODE=1\r\nO'));
    driver.lineData(octets('K (1)\r\n'));
    expect([said(), told()]).toEqual([['ATO\r'], []]);
    driver.lineData(octets('CONNECT'));
    expect([said(), told()]).toEqual([[], ['ready']]);
  });

  it('hands what follows the last answer to the driver', () => {
    const { driver, told } = bench('radio-9600', '[{ send: "x", expect: "OK" }]');
    driver.lineData(Uint8Array.of(...octets('OK'), ...hex('c00102c0')));
    expect(told()).toEqual(['ready', 'busy', 'received 0102', 'idle']);
  });

  it('takes an answer as it stands, not as a pattern', () => {
    const { driver, told } = bench('radio-9600', '[{ send: "x", expect: "a.c" }]');
    driver.lineData(octets('abc'));
    expect(told()).toEqual([]);
    driver.lineData(octets('a.c'));
    expect(told()).toEqual(['ready']);
  });

  it('tries again, then says so and begins anew', () => {
    const init = '[{ send: "1", timeoutMs: 5 }, { send: "2", expect: "OK", timeoutMs: 100, retries: 1 }]';
    const { driver, said, told, time, remarks } = bench('radio-9600', init);
    time.runFor(250_000);
    expect([said(), told()]).toEqual([['1', '2', '2'], []]);
    expect(remarks).toEqual(['line.init: no answer with "OK" to "2"; it is said again']);
    time.runFor(5_000_000);
    expect(said()).toEqual(['1', '2']);
    driver.lineData(octets('OK'));
    expect(told()).toEqual(['ready']);
  });

  it('waits for no answer where none is expected, and throws away what comes', () => {
    const { driver, said, told, time } = bench('radio-9600', '[{ send: "+++\\xff", timeoutMs: 500 }]');
    driver.lineData(octets('hello'));
    time.runFor(499_000);
    expect([said(), told()]).toEqual([['+++\u00ff'], []]);
    time.runFor(10_000);
    expect(told()).toEqual(['discarded rx-framing 5', 'ready']);
  });

  it('stops with the line, and is said again when it is back', () => {
    const { driver, line, said, told, time, remarks } = bench('radio-9600', TWO);
    driver.lineLost();
    time.runFor(60_000_000);
    expect([said(), told(), remarks]).toEqual([['AT+MODE=1\r'], [], []]);
    driver.lineOpened(line);
    expect(said()).toEqual(['AT+MODE=1\r']);
  });

  it("comes before the driver's own set-up", () => {
    const { driver, said, told } = bench('kiss-1200', '[{ send: "KISS ON\\r", expect: "cmd:" }]');
    expect(said()).toEqual(['KISS ON\r']);
    driver.lineData(octets('cmd:'));
    expect(said().join('')).toMatch(/^\xc0/);
    expect(told()).toEqual(['ready']);
  });
});
