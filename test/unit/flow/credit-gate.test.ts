/** The credit gate against a kernel of paper: what it asks for, what it counts, what it leaves. */

import { describe, expect, it } from 'vitest';
import { CreditGate, gateBurstBytes } from '../../../src/flow/credit-gate.js';
import type { InnerQdisc } from '../../../src/flow/inner-qdisc.js';
import { EAGAIN, ENOBUFS, isKickFrame, kickFrame } from '../../../src/flow/kick.js';
import { TC_H_ROOT } from '../../../src/netlink/constants.js';
import { tbfRateOf } from '../../../src/netlink/qdisc-options.js';
import { RouteNetlink } from '../../../src/netlink/route-netlink.js';
import { FakeKernel } from './fake-kernel.js';

const ENETDOWN = 100;

interface Setup {
  readonly kernel: FakeKernel;
  readonly gate: CreditGate;
  readonly sockets: { sent: Uint8Array[]; closed: boolean }[];
}

/** `answers` are what the kick sockets answer, each its own; they accept where nothing is said. */
function setUp(kind: InnerQdisc = 'pfifo_fast', answers: readonly number[] = [], kernel = new FakeKernel()): Setup {
  const sockets: Setup['sockets'] = [];
  const openKicker = () => {
    const socket = { sent: [] as Uint8Array[], closed: false };
    const answer = answers[sockets.length] ?? 18;
    sockets.push(socket);
    return {
      send: (frame: Uint8Array) => {
        socket.sent.push(frame.slice());
        return answer;
      },
      close: () => {
        socket.closed = true;
      },
    };
  };
  const gate = new CreditGate({
    netlink: new RouteNetlink(kernel),
    ifindex: kernel.ifindex,
    inner: { kind, frameAirtimeUs: 500_000 },
    openKicker,
    reason: 'test',
  });
  return { kernel, gate, sockets };
}

describe('setting up', () => {
  it('puts the bucket at the root, the discipline below it, and lengthens the ring', () => {
    const { kernel, gate } = setUp();
    expect(kernel.log).toEqual(['replace tbf 1:', 'replace pfifo_fast 10:']);
    expect(kernel.txQueueLength).toBe(1000);
    expect(gate.burstBytes).toBe(1500 + 14 + 4 + 18);
    expect(gate.leakBytesPerS).toBe(6);
    expect(tbfRateOf(kernel.qdiscs[0]?.options ?? new Uint8Array(0))).toBe(6);
  });

  it('leaks less where frames are short', () => {
    const kernel = new FakeKernel();
    kernel.mtuBytes = 128;
    expect(setUp('pfifo_fast', [], kernel).gate.leakBytesPerS).toBe(1);
  });

  it('gives prio bands of an explicit length', () => {
    const { kernel } = setUp('prio');
    expect(kernel.log.slice(1)).toEqual([
      'replace prio 12:',
      'replace pfifo 121:',
      'replace pfifo 122:',
      'replace pfifo 123:',
    ]);
    expect(kernel.qdiscs.map((qdisc) => qdisc.parent)).toEqual([TC_H_ROOT, 0x10001, 0x120001, 0x120002, 0x120003]);
  });

  it('refuses what the kernel lacks, by name, and leaves nothing', () => {
    const kernel = new FakeKernel(['tbf', 'pfifo_fast']);
    expect(() => setUp('cake', [], kernel)).toThrow('does not have the queueing discipline cake');
    expect(kernel.qdiscs).toEqual([]);
    expect(kernel.txQueueLength).toBe(500);
    expect(() => setUp('pfifo_fast', [], new FakeKernel(['pfifo_fast']))).toThrow(/tbf/);
  });

  it('takes over a gate that was left, but not a token bucket of somebody else', () => {
    const { kernel } = setUp();
    const [root] = kernel.qdiscs;
    setUp('pfifo_fast', [], kernel).gate.close();
    expect(root && kernel.log.filter((entry) => entry === 'delete root')).toHaveLength(1);
    expect(kernel.qdiscs).toEqual([]);

    const options = Uint8Array.of(16, 0, 1, 0, 3, 1, 0, 0, 0xff, 0xff, 0, 0, 0x40, 0x42, 0x0f, 0);
    const foreign = { kind: 'tbf', handle: 0x10000, parent: TC_H_ROOT, options, dropped: 0, backlogPackets: 0 };
    kernel.qdiscs = [foreign];
    setUp('pfifo_fast', [], kernel).gate.close();
    expect(kernel.qdiscs).toEqual([foreign]);
  });
});

describe('a grant', () => {
  it('is one change of the bucket and one kick', () => {
    const { kernel, gate, sockets } = setUp();
    const asked = kernel.log.length;
    gate.grant();
    gate.grant();
    expect(kernel.log.slice(asked)).toEqual(['change tbf 1:', 'change tbf 1:']);
    expect(sockets.map((socket) => socket.sent.length)).toEqual([2]);
    expect(sockets[0]?.sent.every((frame) => gate.isKick(frame))).toBe(true);
    expect(gate.grants).toBe(2);
  });

  it('takes another socket for the kick when one is full of them, and no more than six', () => {
    const { gate, sockets } = setUp('pfifo_fast', [-EAGAIN, -EAGAIN, 18]);
    gate.grant();
    expect(sockets.map((socket) => socket.sent.length)).toEqual([1, 1, 1]);
    expect(gate.kicksFailed).toBe(0);
    const full = setUp(
      'pfifo_fast',
      Array.from({ length: 10 }, () => -EAGAIN),
    );
    full.gate.grant();
    expect(full.sockets).toHaveLength(6);
    expect(full.gate.kicksFailed).toBe(1);
  });

  it('counts a kick that the full queue dropped, and takes it off the drops of the queue', () => {
    const { kernel, gate, sockets } = setUp('pfifo', [-ENOBUFS]);
    gate.grant();
    expect(sockets).toHaveLength(1);
    expect(gate.kicksDropped).toBe(1);
    for (const qdisc of kernel.qdiscs) qdisc.dropped = 3;
    expect(gate.qdisc()).toMatchObject({ kind: 'pfifo', dropped: 2 });
  });

  it('counts a kick that could not be sent because the interface is down', () => {
    const { gate } = setUp('pfifo_fast', [-ENETDOWN]);
    gate.grant();
    expect(gate).toMatchObject({ kicksFailed: 1, kicksDropped: 0, grants: 1 });
  });

  it('throws when the gate was taken away', () => {
    const { kernel, gate } = setUp();
    kernel.qdiscs = [];
    expect(() => gate.grant()).toThrow(/does not answer/);
    expect(gate.grants).toBe(0);
  });
});

describe('closing', () => {
  it('puts back what was there, once, and closes the sockets', () => {
    const { kernel, gate, sockets } = setUp();
    gate.close();
    gate.close();
    expect(kernel.qdiscs).toEqual([]);
    expect(kernel.txQueueLength).toBe(500);
    expect(sockets.every((socket) => socket.closed)).toBe(true);
    expect(kernel.log.filter((entry) => entry === 'delete root')).toHaveLength(1);
  });
});

describe('the MTU', () => {
  it('is followed when it changes, with a credit of the new size', () => {
    const { kernel, gate } = setUp();
    gate.followMtu(1500);
    expect(gate.grants).toBe(0);
    gate.followMtu(9000);
    expect(gate.grants).toBe(1);
    expect(gate.burstBytes).toBe(gateBurstBytes(9000));
    expect(tbfRateOf(kernel.qdiscs[0]?.options ?? new Uint8Array(0))).toBe(33);
  });
});

describe('the statistics', () => {
  it('are what waits at the root, and what root or inner qdisc dropped', () => {
    const { kernel, gate } = setUp();
    const [root, inner] = kernel.qdiscs;
    if (root === undefined || inner === undefined) throw new Error('no gate');
    root.dropped = 4;
    root.backlogPackets = 3;
    expect(gate.qdisc()).toMatchObject({ kind: 'pfifo_fast', backlogPackets: 3, dropped: 4 });
    inner.dropped = 5;
    expect(gate.qdisc()).toMatchObject({ dropped: 5 });
  });
});

describe('kicks', () => {
  it('are known octet by octet: what others send under that EtherType is not ours', () => {
    expect(isKickFrame(kickFrame())).toBe(true);
    for (let i = 0; i < kickFrame().length; i++) {
      const other = kickFrame();
      other[i] = (other[i] ?? 0) ^ 1;
      expect(isKickFrame(other)).toBe(false);
    }
    expect(isKickFrame(kickFrame().subarray(0, 17))).toBe(false);
    const longer = new Uint8Array(60);
    longer.set(kickFrame());
    expect(isKickFrame(longer)).toBe(false);
  });
});
