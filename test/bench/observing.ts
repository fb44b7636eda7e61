/**
 * What it costs to be watched: metrics that are scraped and a log, beside the CPU of a bridge on a line without a pace. Each
 * cost is measured by itself, because a difference of two whole runs is smaller than what any two runs differ by.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ChannelLog } from '../../src/daemon/channel-log.js';
import { bridgeMetrics, type Figures } from '../../src/daemon/metric-registry.js';
import { QueueDelay } from '../../src/daemon/queue-delay.js';
import type { DaemonStatus } from '../../src/daemon/status.js';
import { Neighbours } from '../../src/mac/neighbours.js';
import type { MacSnapshot } from '../../src/mac/ports.js';
import { newMacCounters, ServiceDelays } from '../../src/mac/statistics.js';
import { createLog, type Log } from '../../src/observe/log.js';
import type { BenchRow } from './rows.js';
import { speedRows } from './speed.js';

const NEIGHBOURS = 20;
/** Prometheus' own default, and ours for the log. */
const SCRAPE_S = 15;
const INTERVAL_S = 10;
const FRAMES = 1_000_000;
const TARGET = 0.02;

function row(measure: string, value: number | null, unit: string, target?: [text: string, met: boolean]): BenchRow {
  return { suite: 'bridge', measure, value, unit, target: target?.[0] ?? null, met: target?.[1] ?? null };
}

/** CPU of one call, in microseconds. */
async function cpuUs(times: number, call: () => unknown): Promise<number> {
  for (let warm = 0; warm < times / 4; warm++) await call();
  const before = process.cpuUsage();
  for (let time = 0; time < times; time++) await call();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / times;
}

/** A bridge that has counted and heard a lot. */
function busyBridge(): { mac: MacSnapshot; neighbours: Neighbours; status: DaemonStatus } {
  const neighbours = new Neighbours();
  for (let station = 2; station < NEIGHBOURS + 2; station++) {
    neighbours.heard(station, 0, 1000 * station, { rssiDbm: -80 });
    neighbours.attempted(station, station % 3 > 0);
  }
  const delays = new ServiceDelays();
  for (let us = 100; us < 1e8; us *= 1.3) {
    delays.begin(0);
    delays.end(us);
  }
  const mac: MacSnapshot = {
    ...{ state: 'idle', counters: newMacCounters(), contentionWindow: 16, busyUs: 1, txUs: 1, stuckUs: 0 },
    ...{ retries: [9, 3, 1], ...delays.snapshot(), carrierStuck: false, budgetLeft: 1, unheard: [], inHand: 0 },
    neighbours: neighbours.list(),
  };
  const status: DaemonStatus = {
    ...{ interface: 'sluice0', station: 1, profile: 'null-modem', uptimeMs: 1e6, unheard: [] },
    line: { state: 'open', path: '/dev/x', bytesIn: 1, bytesOut: 1, reopens: 0, stalls: 0, bytesDropped: 0 },
    backPressure: {
      ...{ mode: 'gate', reason: '', grants: 1, repairs: 0, tapDropped: 0, queueDelayMs: 0 },
      qdisc: { kind: 'pfifo_fast', backlogPackets: 1, backlogBytes: 1, dropped: 0 },
    },
    mac: {
      ...{ state: 'idle', busyRatio: 0, txRatio: 0, contentionWindow: 16, airtimeUs: 1, busyUs: 1, stuckUs: 0 },
      ...{ carrierStuck: false, budgetLeft: 1, slotUs: 1, delayMs: { p50: 1, p99: 1 }, ...newMacCounters() },
    },
    neighbours: mac.neighbours.map(({ lastHeardUs: _lastHeardUs, ...each }) => ({ ...each, lastHeardMs: 1 })),
    drops: { deadline: 3, 'rx-fcs': 1 },
    capture: { readers: 0, frames: 0, dropped: 0 },
  };
  return { mac, neighbours, status };
}

function quietLog(): Log {
  return createLog({
    ...{ level: 'info', format: 'json', base: { interface: 'sluice0', station: 1 } },
    output: { write: () => undefined },
  });
}

/** A `channel` line with the look at the MAC that it takes; what the kernel is asked for `status` anyway is not in it. */
async function lineUs(): Promise<number> {
  const { mac, neighbours, status } = busyBridge();
  let due: (() => void) | undefined;
  const scheduler = {
    nowUs: () => Math.round(1000 * performance.now()),
    at: (_us: number, callback: () => void) => {
      due = callback;
      return () => undefined;
    },
  };
  const channelLog = new ChannelLog({
    ...{ scheduler, log: quietLog(), intervalUs: 1e6 * INTERVAL_S, mac: { neighbours, snapshot: () => mac } },
    ...{ status: () => status, queueDelayMs: () => ({ p50: 1, p99: 2 }), logged: () => undefined },
  });
  channelLog.start();
  return await cpuUs(5000, () => due?.());
}

async function scrapeUs(): Promise<number> {
  const { mac, status } = busyBridge();
  const figures: Figures = { mac, status };
  const metrics = bridgeMetrics(() => figures);
  return await cpuUs(500, () => metrics.text());
}

/** What every frame adds: a read from the queue, a delay, and a debug line that is not written. */
function frameNs(): { readonly counted: number; readonly disabled: number } {
  const clock = { nowUs: () => Math.round(1000 * performance.now()) };
  const queue = new QueueDelay({ clock, backlog: () => 100 });
  const delays = new ServiceDelays();
  const log = quietLog();
  const timed = (call: (frame: number) => void): number => {
    for (let frame = 0; frame < FRAMES / 10; frame++) call(frame);
    const start = process.cpuUsage();
    for (let frame = 0; frame < FRAMES; frame++) call(frame);
    const { user, system } = process.cpuUsage(start);
    return (1000 * (user + system)) / FRAMES;
  };
  const counted = timed((frame) => {
    queue.read();
    delays.begin(frame);
    delays.end(frame + 100);
  });
  const empty = timed((frame) => void (frame % 7));
  const disabled = timed((frame) => {
    if (log.enabled('debug')) log.debug('line-retry', { line: 'x', cause: 'y', nextMs: frame });
  });
  return { counted, disabled: Math.max(0, disabled - empty) };
}

/** Share of a core that prom-client's own watch of the event loop takes while nothing happens. */
async function loopWatchShare(): Promise<number> {
  const idle = async (): Promise<number> => {
    const before = process.cpuUsage();
    await sleep(3000);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 3e6;
  };
  const without = await idle();
  const { mac, status } = busyBridge();
  bridgeMetrics(() => ({ mac, status }));
  return Math.max(0, (await idle()) - without);
}

export async function observingRows(): Promise<readonly BenchRow[]> {
  const loopShare = await loopWatchShare();
  const [line, scrape] = [await lineUs(), await scrapeUs()];
  const { counted, disabled } = frameNs();
  const speed = await speedRows();
  const measured = (measure: string): number => speed.find((each) => each.measure === measure)?.value ?? Number.NaN;
  const frameUs = measured('unlimited pty, TCP: CPU a frame, sending bridge');
  const framesPerS = measured('unlimited pty, TCP: frames') / 10;
  const bridgeShare = (frameUs * framesPerS) / 1e6;
  const watchShare =
    loopShare + line / (1e6 * INTERVAL_S) + scrape / (1e6 * SCRAPE_S) + ((counted + disabled) * framesPerS) / 1e9;
  const ratio = watchShare / bridgeShare;
  return [
    row(`log: a channel line with ${NEIGHBOURS} neighbours`, line, 'us of CPU'),
    row(`metrics: a scrape with ${NEIGHBOURS} neighbours`, scrape, 'us of CPU'),
    row('log and metrics: what they count of each frame', counted, 'ns of CPU'),
    row('log: a debug line that is not written', disabled, 'ns of CPU', ['<= 100', disabled <= 100]),
    row('metrics: their watch of the event loop', 100 * loopShare, '% of a core'),
    row('log and metrics, of the CPU of the sending bridge on an unlimited pty (TCP)', 100 * ratio, '%', [
      `<= ${100 * TARGET}`,
      ratio <= TARGET,
    ]),
  ];
}
