/** What the log says at intervals, and how much of it. */
import { beforeEach, describe, expect, it } from 'vitest';
import { ChannelLog } from '../../../src/daemon/channel-log.js';
import { QueueDelay } from '../../../src/daemon/queue-delay.js';
import type { BridgeStatus } from '../../../src/daemon/status.js';
import { Neighbours } from '../../../src/mac/neighbours.js';
import type { MacSnapshot } from '../../../src/mac/ports.js';
import { DurationHistogram, newMacCounters } from '../../../src/mac/statistics.js';
import { createLog } from '../../../src/observe/log.js';
import { VirtualTime } from '../../../src/sim/virtual-time.js';

const INTERVAL_US = 10_000_000;

let time: VirtualTime;
let neighbours: Neighbours;
let drops: BridgeStatus['drops'];
let backPressure: { mode: 'gate' | 'none'; tapDropped: number; qdisc: { dropped: number } };
let texts: string[];
let log: ChannelLog;

const lines = (event: string): Record<string, unknown>[] =>
  texts.map((text) => JSON.parse(text)).filter((line) => line.event === event);

beforeEach(() => {
  time = new VirtualTime(0);
  neighbours = new Neighbours();
  drops = {};
  // From before our time.
  backPressure = { mode: 'gate', tapDropped: 40, qdisc: { dropped: 7 } };
  texts = [];
  const counters = newMacCounters();
  const snapshot = (): Partial<MacSnapshot> => ({
    ...{ busyUs: 0, txUs: 0, stuckUs: 0, contentionWindow: 16, retries: [], counters, budgetLeft: 0.25 },
    ...{ delays: new DurationHistogram(), neighbours: neighbours.list(), unheard: neighbours.unheard() },
  });
  const qdisc = { kind: 'pfifo', backlogPackets: 3, backlogBytes: 300 };
  log = new ChannelLog({
    scheduler: time,
    log: createLog({
      level: 'info',
      format: 'json',
      base: { interface: 'sluice0', station: 1 },
      output: { write: (text) => void texts.push(text) },
      later: (ms, callback) => time.at(time.nowUs() + 1000 * ms, callback),
    }),
    intervalUs: INTERVAL_US,
    dutyBudgetUs: 36_000_000,
    mac: { neighbours, snapshot: () => snapshot() as MacSnapshot },
    status: () => ({
      drops: { ...drops },
      backPressure: {
        ...backPressure,
        reason: '',
        grants: 0,
        repairs: 0,
        queueDelayMs: 0,
        qdisc: { ...qdisc, ...backPressure.qdisc },
      },
    }),
    queueDelayMs: () => undefined,
    logged: () => undefined,
  });
  log.start();
});

describe('channel lines', () => {
  it('come at the interval, and one is final', () => {
    time.runFor(2.5 * INTERVAL_US);
    log.end();
    time.runFor(10 * INTERVAL_US);
    expect(lines('channel').map(({ final }) => final)).toEqual([undefined, undefined, true]);
    expect(lines('channel')[0]).toMatchObject({
      level: 30,
      queue: 3,
      queueBytes: 300,
      backPressure: 'gate',
      dutyLeftMs: 9000,
    });
  });
});

describe('drops', () => {
  it('are told of by cause, with what they mean, and not again for a while', () => {
    for (let interval = 1; interval <= 61; interval++) {
      drops = { ...drops, deadline: 4 * interval, 'chatter-mdns': interval };
      time.runFor(INTERVAL_US);
    }
    const told = lines('drop').map(({ level, cause, frames, total }) => ({ level, cause, frames, total }));
    expect(told).toEqual([
      { level: 40, cause: 'deadline', frames: 4, total: 4 },
      { level: 40, cause: 'deadline', frames: 240, total: 244 },
    ]);
    expect(lines('drop')[0]?.meaning).toContain('deadline');
    // What the lines leave out, the intervals have.
    const inIntervals = lines('channel').map((line) => (line.drops as BridgeStatus['drops']).deadline ?? 0);
    expect(inIntervals.reduce((sum, frames) => sum + frames)).toBe(244);
    drops = { ...drops, deadline: 250 };
    log.end();
    expect(lines('drop').at(-1)).toMatchObject({ cause: 'deadline', frames: 6, total: 250 });
  });

  it('that back pressure should have prevented are an error, once in ten minutes', () => {
    for (let interval = 0; interval < 30; interval++) {
      backPressure = { ...backPressure, tapDropped: 40 + interval };
      time.runFor(INTERVAL_US);
    }
    expect(lines('back-pressure-leak')).toMatchObject([{ level: 50, tapDropped: 41, qdiscDropped: 7 }]);
  });
});

describe('a qdisc that was set up anew', () => {
  it('counts from zero', () => {
    backPressure = { ...backPressure, qdisc: { dropped: 0 } };
    time.runFor(INTERVAL_US);
    expect(lines('back-pressure-leak')).toEqual([]);
    backPressure = { ...backPressure, qdisc: { dropped: 3 } };
    time.runFor(INTERVAL_US);
    expect(lines('back-pressure-leak')).toMatchObject([{ tapDropped: 40, qdiscDropped: 3 }]);
  });

  it('and dropped within the same interval', () => {
    backPressure = { ...backPressure, qdisc: { dropped: 3 } };
    time.runFor(INTERVAL_US);
    expect(lines('back-pressure-leak')).toMatchObject([{ tapDropped: 40, qdiscDropped: 3 }]);
  });
});

describe('neighbours', () => {
  it('that are silent for a quarter of an hour are lost, once', () => {
    neighbours.heard(7, 0, 1, {});
    time.runFor(90 * INTERVAL_US);
    expect(lines('neighbour')).toEqual([]);
    time.runFor(90 * INTERVAL_US);
    expect(lines('neighbour')).toMatchObject([{ level: 40, neighbour: 7, change: 'lost', silentMs: 910_000 }]);
  });

  it('that miss their calls are lost sooner', () => {
    neighbours.heard(7, 0, 1, {});
    for (let call = 0; call < 24; call++) neighbours.attempted(7, false);
    time.runFor(INTERVAL_US);
    expect(lines('neighbour')).toMatchObject([{ neighbour: 7, change: 'lost', silentMs: 10_000 }]);
  });
});

describe('the volume', () => {
  it('is 1 kB an interval at most, with every cause counting and twenty neighbours', () => {
    const causes = [
      'retry-limit',
      'deadline',
      'no-neighbour',
      'rx-fcs',
      'rx-framing',
      'chatter-arp',
      'rx-other',
    ] as const;
    for (let interval = 1; interval <= 360; interval++) {
      drops = Object.fromEntries(causes.map((cause) => [cause, 17 * interval]));
      for (let station = 2; station <= 21; station++) {
        neighbours.heard(station, time.nowUs(), 123_456, {});
        neighbours.attempted(station, station % 3 > 0);
      }
      time.runFor(INTERVAL_US);
    }
    const bytes = texts.reduce((sum, text) => sum + text.length, 0);
    expect(bytes / 360).toBeLessThanOrEqual(1024);
    expect(lines('channel')).toHaveLength(360);
  });
});

describe('the queue’s delay', () => {
  it('is the time until what waited before a packet has been read', () => {
    let backlog = 0;
    let asked = 0;
    const delay = new QueueDelay({
      clock: time,
      backlog: () => {
        asked++;
        return backlog;
      },
    });
    expect(delay.take()).toBeUndefined();
    // A read every 100 ms: asked at 0, 300, 600 ms; five wait at first, then none.
    backlog = 5;
    for (let packet = 0; packet < 7; packet++) {
      delay.read();
      time.runFor(100_000);
      if (packet === 4) backlog = 0;
    }
    expect(asked).toBe(3);
    // The first sample passed when five more had been read, and the one after them; the second when nothing waited.
    expect(delay.take()).toEqual({ p50: 300, p99: 600 });
    expect(delay.take()).toBeUndefined();
  });

  it('at present is that of the latest that passed, or of who waits longer already', () => {
    const delay = new QueueDelay({ clock: time, backlog: () => 1 });
    expect(delay.presentMs()).toBe(0);
    delay.read();
    time.runFor(100_000);
    expect(delay.presentMs()).toBe(100);
    delay.read();
    delay.read();
    time.runFor(400_000);
    expect(delay.presentMs()).toBe(100);
    delay.read();
    time.runFor(900_000);
    expect(delay.presentMs()).toBe(900);
  });
});
