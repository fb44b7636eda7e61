/** The credit gate on the running kernel, in a network namespace of this process's own. Needs root. */

import { beforeAll, describe, expect, it } from 'vitest';
import type { BackPressure } from '../../src/flow/back-pressure.js';
import { KICK_BYTES } from '../../src/flow/kick.js';
import { unshareNetwork } from '../../src/native/descriptors.js';
import {
  type Bench,
  floodScenario,
  HIGH_PRIORITY,
  LOW_PRIORITY,
  numberedFrame,
  openBench,
  pairsScenario,
  pullNumbered,
  SHORTEST_FRAME_BYTES,
} from './back-pressure-scenarios.js';

const FULL_FRAME_BYTES = 1514;
/** Full frame with an 802.1Q tag: the kernel allows it four octets more. */
const TAGGED_FRAME_BYTES = 1518;

beforeAll(() => unshareNetwork());

/** Runs `body` on a device with the gate, whatever happens. */
function withGate(body: (bench: Bench) => void): void {
  const bench = openBench('gate');
  try {
    body(bench);
  } finally {
    bench.close();
  }
}

/** Sends numbered frames until the sender is held back; gives how many. */
function fill(bench: Bench, lengthBytes = 842, priority = LOW_PRIORITY): number {
  const sender = bench.tools.openSender(bench.device.ifindex, priority);
  let sent = 0;
  while (sent < 1000 && sender.send(numberedFrame(0, sent, lengthBytes)) > 0) sent++;
  sender.close();
  return sent;
}

function pullAll(bench: Bench): number[] {
  const sequences: number[] = [];
  for (let got = pullNumbered(bench, 100_000); got !== null; got = pullNumbered(bench, 100_000)) {
    sequences.push(got.sequence);
  }
  return sequences;
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe('a flood under the gate', () => {
  it.each([
    ['of ordinary frames', { frameBytes: 842 }],
    ['of full frames', { frameBytes: FULL_FRAME_BYTES }],
    ['of the shortest frames, a whole credit of them at a time', { frameBytes: SHORTEST_FRAME_BYTES }],
    ['through a plain FIFO, where kicks wait behind data', { inner: 'pfifo', frameBytes: 842 }],
    ['through a plain FIFO, full frames', { inner: 'pfifo', frameBytes: FULL_FRAME_BYTES }],
    [
      'of five senders in the band of the kicks, more kicks than one socket holds',
      { frameBytes: 842, priorities: Array.from({ length: 5 }, () => HIGH_PRIORITY), reads: 700 },
    ],
  ] as const)('%s holds the sender back and drops nothing', (_what, options) => {
    const result = floodScenario('gate', options);
    expect(result).toMatchObject({ refused: 0, gaps: 0, tapDropped: 0, qdiscDropped: 0 });
    expect(result.blocked).toBeGreaterThan(0);
    expect(result.received).toBe(result.sent);
    expect(result.received).toBeGreaterThan(300);
  });

  it('takes microseconds a grant', () => {
    const { latencyUs, grants } = floodScenario('gate', { reads: 2000 });
    process.stdout.write(`grant to frame in hand, us: ${JSON.stringify(latencyUs)} (${grants} grants)\n`);
    expect(latencyUs?.samples).toBeGreaterThan(2000);
    // The target is 60 us; this only tells microseconds from the minutes of TBF's own timer.
    expect(latencyUs?.p50).toBeLessThan(20_000);
  });

  it('overflows the ring without it: the scenario can fail', () => {
    const result = floodScenario('none');
    expect(result.blocked).toBe(0);
    expect(result.tapDropped).toBeGreaterThan(1000);
  });
});

describe('pairs at 1.8 times the load', () => {
  it('leave the channel to the high priority', () => {
    const result = pairsScenario('gate');
    expect(result).toMatchObject({ reads: 300, tapDropped: 0, qdiscDropped: 0, highBlocked: 0 });
    expect(result.highShare).toBeGreaterThanOrEqual(0.95);
    expect(result.highDelivered).toBeGreaterThanOrEqual(0.99);
    expect(result.lowBlocked).toBeGreaterThan(0);
  });

  it('mostly lose the high priority without the gate', () => {
    expect(pairsScenario('none').highShare).toBeLessThan(0.5);
  });
});

describe('one credit', () => {
  it('lets a full tagged frame pass after the kick', () => {
    withGate((bench) => {
      const sender = bench.tools.openSender(bench.device.ifindex, LOW_PRIORITY);
      const tagged = new Uint8Array(TAGGED_FRAME_BYTES);
      tagged.set([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x81, 0x00]);
      for (let i = 0; i < 5; i++) expect(sender.send(tagged)).toBe(TAGGED_FRAME_BYTES);
      for (let i = 0; i < 5; i++) expect(bench.egress.pullFrame()?.length).toBe(TAGGED_FRAME_BYTES);
      expect(bench.egress.pullFrame()).toBeNull();
      sender.close();
    });
  });

  it('stands where nothing waits, and lets the next packet pass at once', () => {
    withGate((bench) => {
      while (bench.egress.pullFrame() !== null);
      fill(bench, FULL_FRAME_BYTES);
      let inRing = 0;
      while (bench.device.read() !== null) inRing++;
      expect(inRing).toBe(1);
    });
  });

  it('is never more than one, however often it is granted', () => {
    withGate((bench) => {
      while (bench.egress.pullFrame() !== null);
      for (let i = 0; i < 10; i++) bench.backPressure.grant();
      fill(bench, FULL_FRAME_BYTES);
      let data = 0;
      for (let frame = bench.device.read(); frame !== null; frame = bench.device.read()) {
        if (!bench.backPressure.isKick(frame)) data++;
      }
      expect(data).toBe(1);
    });
  });

  it('takes one kick with pfifo_fast, because the kick overtakes what waits', () => {
    withGate((bench) => {
      fill(bench);
      for (let i = 0; i < 20; i++) {
        expect(pullNumbered(bench)?.sequence).toBe(i);
        expect(bench.egress.kicks).toBe(bench.backPressure.grants);
      }
    });
  });

  it('full of kicks is followed by another, when a FIFO has gathered them', () => {
    const bench = openBench('gate', { inner: 'pfifo' });
    try {
      const sent = fill(bench, FULL_FRAME_BYTES);
      for (let i = 0; i < sent; i++) expect(pullNumbered(bench)?.sequence).toBe(i);
      // More than fit one credit now stand before the next frame.
      expect(bench.backPressure.grants - bench.egress.kicks).toBeGreaterThan(FULL_FRAME_BYTES / KICK_BYTES);
      const sender = bench.tools.openSender(bench.device.ifindex, LOW_PRIORITY);
      expect(sender.send(numberedFrame(0, sent, FULL_FRAME_BYTES))).toBe(FULL_FRAME_BYTES);
      sender.close();
      expect(bench.egress.pullFrame()?.length).toBe(FULL_FRAME_BYTES);
    } finally {
      bench.close();
    }
  });

  it('of a great MTU has room in the ring for all the short frames that pass on it', () => {
    withGate((bench) => {
      const { netlink } = bench.tools;
      const { ifindex } = bench.device;
      const mtuBytes = 60_000;
      netlink.setLink(ifindex, { mtuBytes });
      follow(bench.backPressure, mtuBytes);
      // Each socket holds fewer than 300; the first credit, which stands, takes the most of them at once.
      const sent = Array.from({ length: 8 }, () => fill(bench, SHORTEST_FRAME_BYTES));
      expect(sent.reduce((sum, frames) => sum + frames, 0)).toBeGreaterThan(1500);
      expect(pullAll(bench)).toEqual(sent.flatMap(upTo));
      expect(netlink.linkStatistics(ifindex).txDropped).toBe(0);
    });
  });

  it('follows a greater MTU', () => {
    withGate((bench) => {
      const { netlink } = bench.tools;
      const { ifindex } = bench.device;
      netlink.setLink(ifindex, { mtuBytes: 1600 });
      const longFrameBytes = 1614;
      fill(bench, longFrameBytes);
      const { dropped } = bench.backPressure.qdisc();
      expect(dropped).toBeGreaterThan(0);
      follow(bench.backPressure, 1600);
      const sent = fill(bench, longFrameBytes);
      expect(pullAll(bench)).toEqual(upTo(sent));
      expect(bench.backPressure.qdisc().dropped).toBe(dropped);
    });
  });
});

function follow(backPressure: BackPressure, mtuBytes: number): void {
  if (!('followMtu' in backPressure) || typeof backPressure.followMtu !== 'function') throw new Error('not a gate');
  backPressure.followMtu(mtuBytes);
}

describe('the kernel counts', () => {
  it('what a ring drops where nothing holds senders back', () => {
    const bench = openBench('none');
    try {
      const dropped = (): number => bench.tools.netlink.linkStatistics(bench.device.ifindex).txDropped;
      expect(dropped()).toBe(0);
      fill(bench);
      expect(dropped()).toBeGreaterThan(100);
    } finally {
      bench.close();
    }
  });

  it('what waits in the inner qdisc', () => {
    withGate((bench) => {
      const sent = fill(bench, FULL_FRAME_BYTES);
      const qdisc = bench.backPressure.qdisc();
      expect(qdisc).toMatchObject({ kind: 'pfifo_fast', dropped: 0 });
      // One passed on the credit that stands from the start; IPv6 may have added a packet of its own.
      expect(qdisc.backlogPackets).toBeGreaterThanOrEqual(sent - 1);
      expect(qdisc.backlogBytes).toBeGreaterThanOrEqual((sent - 1) * FULL_FRAME_BYTES);
    });
  });
});
