/**
 * Back pressure put to the test on the running kernel, in whatever network namespace the calling thread is in. Needs node
 * and the addon only, so that it also runs in a bare initramfs. Senders are packet sockets that do not block: EAGAIN is
 * what would block them.
 */

import { writeFileSync } from 'node:fs';
import { liveProbeTools } from '../../src/daemon/back-pressure-probe.js';
import type { BackPressure, BackPressureMode } from '../../src/flow/back-pressure.js';
import { CreditGate } from '../../src/flow/credit-gate.js';
import { Egress } from '../../src/flow/egress.js';
import type { InnerQdisc } from '../../src/flow/inner-qdisc.js';
import { EAGAIN, type FrameSender, KICK_PRIORITY } from '../../src/flow/kick.js';
import { NativeBackPressure } from '../../src/flow/native-back-pressure.js';
import { NoBackPressure } from '../../src/flow/no-back-pressure.js';
import { type LatencyUs, type ProbeTools, percentiles, type ScratchDevice } from '../../src/flow/probe.js';

const CLONE_PATH = '/dev/net/tun';
/** IEEE 802, local experimental EtherType 2. */
const ETHERTYPE = 0x88b6;
export const LOW_PRIORITY = 0;
/** What the kernel makes of TOS 0x10 (rt_tos2priority): the first band. */
export const HIGH_PRIORITY = 6;
/** Ring of the control experiment, mode `none`. */
const STOCK_RING_PACKETS = 10;
/** Patience with another processor that is just running the queue. */
const PATIENCE_US = 500_000;
/** Frame of the published measurement: 800 octets of UDP payload. */
const DEFAULT_FRAME_BYTES = 842;
/** Shortest that carries a number. */
export const SHORTEST_FRAME_BYTES = 18;

export interface Bench {
  readonly tools: ProbeTools;
  readonly device: ScratchDevice;
  readonly backPressure: BackPressure;
  readonly egress: Egress;
  close(): void;
}

export interface BenchOptions {
  readonly inner?: InnerQdisc;
  readonly frameAirtimeUs?: number;
}

function install(mode: BackPressureMode, tools: ProbeTools, ifindex: number, options: BenchOptions): BackPressure {
  const { netlink } = tools;
  const inner = { kind: options.inner ?? 'pfifo_fast', frameAirtimeUs: options.frameAirtimeUs ?? 1_000_000 } as const;
  const reason = 'test';
  switch (mode) {
    case 'gate':
      return new CreditGate({
        netlink,
        ifindex,
        inner,
        reason,
        openKicker: () => tools.openSender(ifindex, KICK_PRIORITY),
      });
    case 'native':
      return new NativeBackPressure({ netlink, ifindex, inner, reason });
    case 'none':
      netlink.setLink(ifindex, { txQueueLength: STOCK_RING_PACKETS });
      return new NoBackPressure(netlink, ifindex, reason);
  }
}

/** Keeps IPv6 from sending packets of its own through the device; where that cannot be set, they are passed over. */
function silence(name: string): void {
  try {
    writeFileSync(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, '1');
  } catch {
    // A kernel without IPv6, or /proc/sys is read-only.
  }
}

/** A TAP that is up and has the back pressure of that mode. */
export function openBench(mode: BackPressureMode, options: BenchOptions = {}): Bench {
  const tools = liveProbeTools(CLONE_PATH);
  const device = tools.createScratch({ backPressure: mode === 'native' });
  const closeAll = (): void => {
    device.close();
    tools.close();
  };
  try {
    const backPressure = install(mode, tools, device.ifindex, options);
    silence(tools.netlink.linkByIndex(device.ifindex).name);
    tools.netlink.setLink(device.ifindex, { up: true });
    const close = (): void => {
      backPressure.close();
      closeAll();
    };
    return { tools, device, backPressure, egress: new Egress(device, backPressure), close };
  } catch (failure) {
    closeAll();
    throw failure;
  }
}

/** A frame that carries a stream and a number within it. */
export function numberedFrame(stream: number, sequence: number, lengthBytes: number): Uint8Array {
  const frame = new Uint8Array(Math.max(lengthBytes, SHORTEST_FRAME_BYTES));
  frame.set([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1]);
  const view = new DataView(frame.buffer);
  view.setUint16(12, ETHERTYPE);
  view.setUint32(14, stream * 0x1000000 + sequence);
  return frame;
}

function numberOf(frame: Uint8Array): { stream: number; sequence: number } | null {
  if (frame.length < SHORTEST_FRAME_BYTES) return null;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (view.getUint16(12) !== ETHERTYPE) return null;
  const number = view.getUint32(14);
  return { stream: number >>> 24, sequence: number & 0xffffff };
}

/** The next numbered frame, what others (IPv6) sent passed over; null when none comes. */
export function pullNumbered(
  bench: Pick<Bench, 'tools' | 'egress'>,
  patienceUs = PATIENCE_US,
): { stream: number; sequence: number } | null {
  const deadline = bench.tools.nowUs() + patienceUs;
  for (;;) {
    const frame = bench.egress.pullFrame();
    const number = frame === null ? null : numberOf(frame);
    if (number !== null) return number;
    if (frame === null && bench.tools.nowUs() >= deadline) return null;
    if (frame === null) bench.tools.sleepUs(500);
  }
}

interface Stream {
  readonly sender: FrameSender;
  readonly id: number;
  sent: number;
  blocked: number;
  refused: number;
}

function openStreams(bench: Bench, priorities: readonly number[]): Stream[] {
  return priorities.map((priority, id) => {
    return { sender: bench.tools.openSender(bench.device.ifindex, priority), id, sent: 0, blocked: 0, refused: 0 };
  });
}

/** Tries to send the stream's next frame; false when that would block or was refused. */
function offer(stream: Stream, lengthBytes: number): boolean {
  const result = stream.sender.send(numberedFrame(stream.id, stream.sent, lengthBytes));
  if (result === -EAGAIN) stream.blocked++;
  else if (result < 0) stream.refused++;
  else stream.sent++;
  return result >= 0;
}

export interface FloodOptions extends BenchOptions {
  readonly reads?: number;
  readonly frameBytes?: number;
  /** SO_PRIORITY of each sender; one sender of priority 0 if left out. */
  readonly priorities?: readonly number[];
}

export interface FloodResult {
  readonly scenario: 'flood';
  readonly mode: BackPressureMode;
  readonly sent: number;
  readonly received: number;
  /** How often a sender was held back (EAGAIN). */
  readonly blocked: number;
  /** How often a sender was told of a drop (ENOBUFS). */
  readonly refused: number;
  /** Frames out of order or missing, by stream. */
  readonly gaps: number;
  readonly kicks: number;
  readonly grants: number;
  readonly tapDropped: number;
  readonly qdiscDropped: number;
  /** From asking for a frame to having it. */
  readonly latencyUs: LatencyUs | null;
}

/** In the mode `none` nothing ever blocks: enough to overflow the ring. */
const UNBLOCKED_BATCH = 200;

/** Senders send whatever they can, all the time; frames are pulled one by one, at last until nothing is left. */
export function floodScenario(mode: BackPressureMode, options: FloodOptions = {}): FloodResult {
  const { reads = 300, frameBytes = DEFAULT_FRAME_BYTES, priorities = [LOW_PRIORITY] } = options;
  const bench = openBench(mode, options);
  const streams = openStreams(bench, priorities);
  try {
    const flood = (): void => {
      for (const stream of streams) {
        for (let i = 0; i < UNBLOCKED_BATCH; i++) if (!offer(stream, frameBytes)) break;
      }
    };
    const expected = streams.map(() => 0);
    const latencies: number[] = [];
    let received = 0;
    let gaps = 0;
    const pull = (patienceUs?: number): boolean => {
      const before = bench.tools.nowUs();
      const got = pullNumbered(bench, patienceUs);
      if (got === null) return false;
      latencies.push(bench.tools.nowUs() - before);
      if (got.sequence !== expected[got.stream]) gaps++;
      expected[got.stream] = got.sequence + 1;
      received++;
      return true;
    };
    flood();
    for (let i = 0; i < reads && pull(); i++) flood();
    const sent = (): number => streams.reduce((sum, stream) => sum + stream.sent, 0);
    while (received < sent() && pull(mode === 'none' ? 0 : undefined));
    return {
      scenario: 'flood',
      mode,
      sent: sent(),
      received,
      blocked: streams.reduce((sum, stream) => sum + stream.blocked, 0),
      refused: streams.reduce((sum, stream) => sum + stream.refused, 0),
      gaps,
      kicks: bench.egress.kicks,
      grants: bench.backPressure.grants,
      tapDropped: bench.tools.netlink.linkStatistics(bench.device.ifindex).txDropped,
      qdiscDropped: bench.backPressure.qdisc().dropped,
      latencyUs: percentiles(latencies),
    };
  } finally {
    for (const stream of streams) stream.sender.close();
    bench.close();
  }
}

export interface PairsResult {
  readonly scenario: 'pairs';
  readonly mode: BackPressureMode;
  readonly reads: number;
  readonly highReads: number;
  /** Of all reads, those of high priority. */
  readonly highShare: number;
  readonly highOffered: number;
  /** Of the high-priority frames offered before the last read, those that were read. */
  readonly highDelivered: number;
  readonly lowBlocked: number;
  readonly highBlocked: number;
  readonly tapDropped: number;
  readonly qdiscDropped: number;
}

/** Pairs for each read: each class alone offers 0.9 of what the reader takes. */
const PAIRS_PER_READ = 0.9;
/** The senders begin before the reader does, as in the published measurement (0.2 s there). */
const HEAD_START_PAIRS = 30;

/** Pairs of frames, the low one first, at 1.8 times what the reader takes; one frame is read at a time. */
export function pairsScenario(mode: BackPressureMode, options: BenchOptions & { reads?: number } = {}): PairsResult {
  const { reads = 300 } = options;
  const bench = openBench(mode, options);
  const streams = openStreams(bench, [LOW_PRIORITY, HIGH_PRIORITY]);
  const [low, high] = streams;
  try {
    if (low === undefined || high === undefined) throw new Error('two streams were opened');
    let offered = 0;
    const offerPair = (): void => {
      offer(low, DEFAULT_FRAME_BYTES);
      offer(high, DEFAULT_FRAME_BYTES);
      offered++;
    };
    while (offered < HEAD_START_PAIRS) offerPair();
    let highReads = 0;
    let done = 0;
    for (let read = 1; read <= reads; read++) {
      while (offered < HEAD_START_PAIRS + PAIRS_PER_READ * read) offerPair();
      const got = pullNumbered(bench, mode === 'none' ? 0 : undefined);
      if (got === null && mode !== 'none') break;
      if (got === null) continue;
      done++;
      if (got.stream === high.id) highReads++;
    }
    return {
      scenario: 'pairs',
      mode,
      reads: done,
      highReads,
      highShare: highReads / Math.max(1, done),
      highOffered: offered,
      highDelivered: highReads / offered,
      lowBlocked: low.blocked,
      highBlocked: high.blocked,
      tapDropped: bench.tools.netlink.linkStatistics(bench.device.ifindex).txDropped,
      qdiscDropped: bench.backPressure.qdisc().dropped,
    };
  } finally {
    for (const stream of streams) stream.sender.close();
    bench.close();
  }
}
