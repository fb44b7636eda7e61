/** The native mode and none against a kernel of paper, CoDel's times, the choice of a mode. */

import { describe, expect, it } from 'vitest';
import { SluiceError } from '../../../src/base/errors.js';
import { chooseMode } from '../../../src/flow/choose-mode.js';
import { codelTimes, type InnerQdisc, innerQdiscRequests } from '../../../src/flow/inner-qdisc.js';
import { IFF_BACKPRESSURE, NativeBackPressure } from '../../../src/flow/native-back-pressure.js';
import { NoBackPressure } from '../../../src/flow/no-back-pressure.js';
import { type ModeProof, type ProbeTools, percentiles, probe } from '../../../src/flow/probe.js';
import { TC_H_ROOT } from '../../../src/netlink/constants.js';
import { RouteNetlink } from '../../../src/netlink/route-netlink.js';
import { FakeKernel } from './fake-kernel.js';

function native(kernel: FakeKernel, kind: InnerQdisc): NativeBackPressure {
  const inner = { kind, frameAirtimeUs: 500_000 };
  return new NativeBackPressure({
    netlink: new RouteNetlink(kernel),
    ifindex: kernel.ifindex,
    inner,
    reason: 'proven',
  });
}

describe('native mode', () => {
  it('shortens the ring and lets prio stand in for pfifo_fast', () => {
    const kernel = new FakeKernel();
    const mode = native(kernel, 'pfifo_fast');
    expect(kernel.txQueueLength).toBe(2);
    expect(kernel.log).toEqual(['replace prio 12:', 'replace pfifo 121:', 'replace pfifo 122:', 'replace pfifo 123:']);
    expect(mode.reason).toMatch(/^proven; prio stands in/);
    const [root] = kernel.qdiscs;
    if (root === undefined) throw new Error('no qdisc');
    root.dropped = 4;
    root.backlogPackets = 3;
    expect(mode.qdisc()).toMatchObject({ kind: 'prio', dropped: 4, backlogPackets: 3 });
    mode.grant();
    expect(mode.grants).toBe(0);
    mode.close();
    expect(kernel.qdiscs).toEqual([]);
    expect(kernel.txQueueLength).toBe(500);
  });

  it('says that priorities are lost where there is no prio either', () => {
    const kernel = new FakeKernel(['pfifo', 'pfifo_fast']);
    const mode = native(kernel, 'pfifo_fast');
    expect(mode.qdisc().kind).toBe('pfifo');
    expect([...(kernel.qdiscs[0]?.options ?? [])]).toEqual([0xe8, 0x03, 0, 0]);
    expect(mode.reason).toMatch(/priorities are not honoured/);
  });

  it('takes what was asked for by name, or refuses it', () => {
    expect(native(new FakeKernel(), 'fq_codel').qdisc().kind).toBe('fq_codel');
    const kernel = new FakeKernel(['pfifo']);
    expect(() => native(kernel, 'prio')).toThrow(/does not have the queueing discipline prio/);
    expect(kernel.txQueueLength).toBe(500);
  });
});

describe('no back pressure', () => {
  it('touches nothing', () => {
    const kernel = new FakeKernel();
    const mode = new NoBackPressure(new RouteNetlink(kernel), kernel.ifindex, 'off');
    mode.grant();
    expect(mode.qdisc().kind).toBe('pfifo_fast');
    mode.close();
    expect(kernel.log).toEqual([]);
    expect(kernel.txQueueLength).toBe(500);
  });
});

describe("CoDel's times", () => {
  it('are those of RFC 8289 on a fast channel, and grow with the airtime of a frame', () => {
    expect(codelTimes(500)).toEqual({ targetUs: 5_000, intervalUs: 100_000 });
    expect(codelTimes(500_000)).toEqual({ targetUs: 1_000_000, intervalUs: 10_000_000 });
    expect(codelTimes(1e12)).toEqual({ targetUs: 0xffffffff, intervalUs: 0xffffffff });
  });

  it('reach the discipline', () => {
    const [request] = innerQdiscRequests({ kind: 'cake', frameAirtimeUs: 500_000 }, TC_H_ROOT);
    expect(request?.options).toEqual({ kind: 'cake', targetUs: 1_000_000, intervalUs: 10_000_000 });
  });
});

function proof(works: boolean, why: string): ModeProof {
  return { works, why, sent: 0, received: 0, tapDropped: 0, qdiscDropped: 0, latencyUs: null };
}

describe('the choice of a mode', () => {
  const yes = proof(true, 'seen');
  const no = proof(false, 'not seen');

  it.each([
    [yes, yes, 'native'],
    [no, yes, 'gate'],
    [no, no, 'none'],
  ] as const)('auto takes the best that was proven', (nativeProof, gate, mode) => {
    const chosen = chooseMode('auto', { native: nativeProof, gate });
    expect(chosen.mode).toBe(mode);
    if (mode !== 'native') expect(chosen.reason).toContain('not seen');
  });

  it('a mode by name must have been proven', () => {
    expect(chooseMode('gate', { native: yes, gate: yes }).mode).toBe('gate');
    expect(chooseMode('none', { native: yes, gate: yes }).mode).toBe('none');
    for (const wanted of ['native', 'gate'] as const) {
      expect(() => chooseMode(wanted, { native: no, gate: no })).toThrow(/does not work here: not seen/);
    }
  });
});

describe('the self-test', () => {
  const refused = (): never => {
    throw new SluiceError('privilege', 'tap: not permitted (TUNSETIFF: EPERM)');
  };
  const tools = (features: number): ProbeTools => ({
    netlink: new RouteNetlink(new FakeKernel()),
    features: () => features,
    createScratch: refused,
    openSender: refused,
    nowUs: () => 0,
    sleepUs: () => undefined,
  });

  it('turns refusals into results', () => {
    const result = probe(tools(0x7173));
    expect(result.native).toMatchObject({ works: false, why: expect.stringContaining('IFF_BACKPRESSURE') });
    expect(result.gate).toMatchObject({ works: false, why: expect.stringContaining('EPERM') });
    expect(result.qdiscs.tbf).toContain('EPERM');
    expect(probe(tools(0x7173 | IFF_BACKPRESSURE)).native.why).toContain('EPERM');
  });

  it('does not hide a fault of our own', () => {
    const broken = {
      ...tools(0),
      features: () => {
        throw new TypeError('fault');
      },
    };
    expect(() => probe(broken)).toThrow(TypeError);
  });

  it('summarises its measurements', () => {
    expect(percentiles([])).toBeNull();
    expect(percentiles([3, 1, 2])).toEqual({ p50: 2, p99: 3, max: 3, samples: 3 });
    expect(percentiles(Array.from({ length: 1000 }, (_, i) => i))).toMatchObject({ p50: 500, p99: 990, max: 999 });
  });
});
