import { describe, expect, it } from 'vitest';
import type { LineInputs } from '../../../src/serial/line.js';
import { InputWatch, PortWaits, readInputs } from '../../../src/serial/modem-lines.js';
import { VirtualTime } from '../../../src/sim/virtual-time.js';

const ENOTTY = -25;
/** No thread to wait in (asm-generic/errno-base.h). */
const EAGAIN = -11;
const CTS = 0x020;
const DCD = 0x040;

/** A port whose lines the test sets, and whose waits it ends. */
function port(canWait: boolean) {
  const state = { bits: CTS, waits: [] as ((result: number) => void)[], ended: 0 };
  const extras = {
    modemLines: () => state.bits,
    awaitModemLines: (_fd: number, _mask: number, done: (result: number) => void) => {
      if (canWait) state.waits.push(done);
      else queueMicrotask(() => done(ENOTTY));
      return () => {
        state.ended++;
      };
    },
  };
  return { state, extras };
}

const dcds = (changes: readonly LineInputs[]): boolean[] => changes.map(({ dcd }) => dcd);

describe('modem lines', () => {
  it('tells what the modem drives, and that a pty has nothing', () => {
    expect(readInputs(3, { modemLines: () => CTS | DCD })).toEqual({ cts: true, dsr: false, dcd: true, ring: false });
    expect(readInputs(3, { modemLines: () => ENOTTY })).toBeUndefined();
    expect(readInputs(3, undefined)).toBeUndefined();
  });

  it('tells each change while somebody waits for it, none twice, and none after the end', () => {
    const { state, extras } = port(true);
    const changes: LineInputs[] = [];
    const watch = new InputWatch(3, new VirtualTime(), extras, (inputs) => changes.push(inputs));
    state.bits = CTS | DCD;
    state.waits.shift()?.(0);
    // A wait that ends without a change.
    state.waits.shift()?.(0);
    state.bits = CTS;
    state.waits.shift()?.(0);
    expect(dcds(changes)).toEqual([true, false]);
    watch.end();
    state.bits = DCD;
    state.waits.shift()?.(-125);
    expect(changes).toHaveLength(2);
    expect(state.ended).toBe(4);
  });

  it('tells in bounded time a change that came while the thread was not waiting yet', () => {
    const { state, extras } = port(true);
    const time = new VirtualTime();
    const changes: LineInputs[] = [];
    const watch = new InputWatch(3, time, extras, (inputs) => changes.push(inputs));
    state.bits = CTS | DCD;
    time.runFor(300_000);
    expect(dcds(changes)).toEqual([true]);
    expect(state.waits).toHaveLength(1);
    watch.end();
    state.bits = CTS;
    time.runFor(1_000_000);
    expect(changes).toHaveLength(1);
    expect(time.nextDueUs).toBeUndefined();
  });

  it('looks again and again where the driver cannot wait', async () => {
    const { state, extras } = port(false);
    const time = new VirtualTime();
    const changes: LineInputs[] = [];
    const watch = new InputWatch(3, time, extras, (inputs) => changes.push(inputs));
    await Promise.resolve();
    state.bits = CTS | DCD;
    time.runFor(100_000);
    state.bits = CTS;
    time.runFor(100_000);
    expect(dcds(changes)).toEqual([true, false]);
    watch.end();
    state.bits = DCD;
    time.runFor(100_000);
    expect(changes).toHaveLength(2);
  });

  it('calls back once all is sent, and not for a port that was closed before', () => {
    const waits = new PortWaits();
    const pending: ((result: number) => void)[] = [];
    let ended = 0;
    const drain = (_fd: number, done: (result: number) => void) => {
      pending.push(done);
      return () => {
        ended++;
      };
    };
    const calls: string[] = [];
    expect(waits.drain(3, { drain }, () => calls.push('first'))).toBe(true);
    pending.shift()?.(0);
    expect(waits.drain(3, { drain }, () => calls.push('second'))).toBe(true);
    waits.endAll();
    pending.shift()?.(-125);
    expect({ calls, ended }).toEqual({ calls: ['first'], ended: 2 });
    expect(waits.drain(3, undefined, () => calls.push('third'))).toBe(false);
  });

  it('calls back also where waiting failed, so that nobody holds a wire for ever', () => {
    const calls: string[] = [];
    const waits = new PortWaits();
    let fail: (result: number) => void = () => undefined;
    const drain = (_fd: number, done: (result: number) => void) => {
      fail = done;
      return () => undefined;
    };
    waits.drain(3, { drain }, () => calls.push('let go'));
    fail(EAGAIN);
    fail(EAGAIN);
    expect(calls).toEqual(['let go']);
  });
});
