/**
 * The live self-test: what this kernel does, shown by doing it. A scratch TAP is flooded through a packet socket, whose
 * frames are charged to its send buffer as a UDP socket's are: EAGAIN means that the sender is held back, ENOBUFS that
 * something was dropped.
 */

import { isSluiceError, type SluiceError } from '../base/errors.js';
import { TC_H_ROOT } from '../netlink/constants.js';
import { type QdiscOptions, slowestTbfRate } from '../netlink/qdisc-options.js';
import type { RouteNetlink } from '../netlink/route-netlink.js';
import type { BackPressure } from './back-pressure.js';
import { CreditGate } from './credit-gate.js';
import { Egress } from './egress.js';
import { codelTimes, INNER_QDISCS } from './inner-qdisc.js';
import { EAGAIN, ETHERNET_HEADER_BYTES, type FrameSender, KICK_PRIORITY } from './kick.js';
import { IFF_BACKPRESSURE, NativeBackPressure } from './native-back-pressure.js';

/** A TAP of our own making; it goes with `close`. */
export interface ScratchDevice {
  readonly ifindex: number;
  read(): Uint8Array | null;
  close(): void;
}

/** What the probe needs of the machine. */
export interface ProbeTools {
  readonly netlink: RouteNetlink;
  /** The mask of TUNGETFEATURES. */
  features(): number;
  createScratch(flags: { readonly backPressure: boolean }): ScratchDevice;
  /** A packet socket with that SO_PRIORITY; `sendBufferBytes` as SO_SNDBUF, else the system's default. */
  openSender(ifindex: number, priority: number, sendBufferBytes?: number): FrameSender;
  /** Monotonic, in microseconds; fractions welcome. */
  nowUs(): number;
  sleepUs(us: number): void;
}

export interface LatencyUs {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly samples: number;
}

export interface ModeProof {
  readonly works: boolean;
  /** Why not; where it works, what was seen. */
  readonly why: string;
  readonly sent: number;
  readonly received: number;
  readonly tapDropped: number;
  readonly qdiscDropped: number;
  /** From the grant to the frame in hand; in native mode, of the read. */
  readonly latencyUs: LatencyUs | null;
}

export interface ProbeResult {
  readonly native: ModeProof;
  readonly gate: ModeProof;
  /** By kind: null when this kernel has it, else why not. */
  readonly qdiscs: Readonly<Record<string, string | null>>;
}

/** IEEE 802, local experimental EtherType 2. */
const TEST_ETHERTYPE = 0x88b6;
const SHORT_FRAME_BYTES = 60;
const SEQUENCE_OFFSET = ETHERNET_HEADER_BYTES;
/** Small enough to hold back the sender before any queue of 1000 is full, whatever the system's default is. */
const SEND_BUFFER_BYTES = 131_072;
const FLOOD_LIMIT_FRAMES = 4_000;
const PULLS = 200;
/** How long a frame may take that another processor is just putting into the ring. */
const PATIENCE_US = 200_000;
const PAUSE_US = 1_000;

/** Full frames and short ones in turn: the full ones show that the burst suffices after the kick. */
function testFrame(sequence: number, mtuBytes: number): Uint8Array {
  const length = sequence % 2 === 0 ? mtuBytes + ETHERNET_HEADER_BYTES : SHORT_FRAME_BYTES;
  const frame = new Uint8Array(length);
  frame.set([0x02, 0x53, 0x4c, 0x43, 0x45, 0x02, 0x02, 0x53, 0x4c, 0x43, 0x45, 0x03]);
  const view = new DataView(frame.buffer);
  view.setUint16(ETHERNET_HEADER_BYTES - 2, TEST_ETHERTYPE);
  view.setUint32(SEQUENCE_OFFSET, sequence);
  return frame;
}

/** The number of a test frame; null for what others, such as IPv6, sent through the device. */
function sequenceOf(frame: Uint8Array): number | null {
  if (frame.length < SHORT_FRAME_BYTES) return null;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  return view.getUint16(ETHERNET_HEADER_BYTES - 2) === TEST_ETHERTYPE ? view.getUint32(SEQUENCE_OFFSET) : null;
}

export function percentiles(samples: readonly number[]): LatencyUs | null {
  if (samples.length === 0) return null;
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share: number): number => {
    const value = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
    return Math.round(value * 10) / 10;
  };
  return { p50: at(0.5), p99: at(0.99), max: at(1), samples: sorted.length };
}

class FloodTest {
  readonly #tools: ProbeTools;
  readonly #egress: Egress;
  readonly #sender: FrameSender;
  readonly #mtuBytes: number;
  readonly #latencies: number[] = [];
  sent = 0;
  received = 0;
  outOfOrder = 0;
  refused = 0;
  everBlocked = false;

  constructor(tools: ProbeTools, egress: Egress, sender: FrameSender, mtuBytes: number) {
    this.#tools = tools;
    this.#egress = egress;
    this.#sender = sender;
    this.#mtuBytes = mtuBytes;
  }

  /** Sends until the sender is held back. */
  flood(): void {
    while (this.sent < FLOOD_LIMIT_FRAMES) {
      const result = this.#sender.send(testFrame(this.sent, this.#mtuBytes));
      if (result === -EAGAIN) {
        this.everBlocked = true;
        return;
      }
      if (result < 0) {
        this.refused++;
        return;
      }
      this.sent++;
    }
  }

  /** Pulls one test frame; false when none comes. */
  pull(): boolean {
    const deadline = this.#tools.nowUs() + PATIENCE_US;
    for (;;) {
      const before = this.#tools.nowUs();
      const frame = this.#egress.pullFrame();
      const now = this.#tools.nowUs();
      const sequence = frame === null ? null : sequenceOf(frame);
      if (sequence !== null) {
        if (sequence !== this.received) this.outOfOrder++;
        this.received++;
        this.#latencies.push(now - before);
        return true;
      }
      if (now > deadline) return false;
      if (frame === null) this.#tools.sleepUs(PAUSE_US);
    }
  }

  get latencyUs(): LatencyUs | null {
    return percentiles(this.#latencies);
  }
}

function verdict(test: FloodTest, starved: boolean, tapDropped: number, qdiscDropped: number): string | null {
  if (!test.everBlocked) return 'a flooding sender was not held back';
  if (test.refused > 0) return 'the kernel dropped frames of a flooding sender';
  if (tapDropped > 0) return `the ring of the TAP dropped ${tapDropped} frames`;
  if (qdiscDropped > 0) return `the qdisc dropped ${qdiscDropped} packets`;
  if (starved || test.received < test.sent) return 'a grant did not let a waiting frame pass';
  if (test.outOfOrder > 0) return 'frames came out of order';
  return null;
}

/** Floods a device that has its back pressure, pulls frame by frame while the flood goes on, then empties it. */
function prove(tools: ProbeTools, device: ScratchDevice, backPressure: BackPressure): ModeProof {
  const { netlink } = tools;
  netlink.setLink(device.ifindex, { up: true });
  const { mtuBytes } = netlink.linkByIndex(device.ifindex);
  const sender = tools.openSender(device.ifindex, 0, SEND_BUFFER_BYTES);
  try {
    const test = new FloodTest(tools, new Egress(device, backPressure), sender, mtuBytes);
    test.flood();
    let starved = false;
    for (let i = 0; i < PULLS && !starved; i++) {
      starved = !test.pull();
      test.flood();
    }
    while (!starved && test.received < test.sent) starved = !test.pull();
    const tapDropped = netlink.linkStatistics(device.ifindex).txDropped;
    const qdiscDropped = backPressure.qdisc().dropped;
    const failure = verdict(test, starved, tapDropped, qdiscDropped);
    const { sent, received, latencyUs } = test;
    const why = failure ?? 'a flooding sender was held back, nothing was dropped, the order was kept';
    return { works: failure === null, why, sent, received, tapDropped, qdiscDropped, latencyUs };
  } finally {
    sender.close();
  }
}

/** With the remedy: where a privilege is missing, it is named there. */
function refusalText({ message, details }: SluiceError): string {
  return details.remedy === undefined ? message : `${message}. ${details.remedy}`;
}

function notProven(why: string): ModeProof {
  return { works: false, why, sent: 0, received: 0, tapDropped: 0, qdiscDropped: 0, latencyUs: null };
}

/** Runs `body` with a scratch device; a refusal on the way is why the mode does not work. */
function proveOnScratch(tools: ProbeTools, native: boolean, install: (ifindex: number) => BackPressure): ModeProof {
  try {
    const device = tools.createScratch({ backPressure: native });
    try {
      const backPressure = install(device.ifindex);
      try {
        return prove(tools, device, backPressure);
      } finally {
        backPressure.close();
      }
    } finally {
      device.close();
    }
  } catch (failure) {
    if (!isSluiceError(failure)) throw failure;
    return notProven(refusalText(failure));
  }
}

const SCRATCH_INNER = { kind: 'pfifo_fast', frameAirtimeUs: 0 } as const;

/** Proves or refutes the native mode. Throws nothing but programming errors. */
export function proveNative(tools: ProbeTools): ModeProof {
  try {
    if ((tools.features() & IFF_BACKPRESSURE) === 0)
      return notProven('this kernel has no IFF_BACKPRESSURE (Linux 7.3)');
  } catch (failure) {
    if (!isSluiceError(failure)) throw failure;
    return notProven(failure.message);
  }
  return proveOnScratch(
    tools,
    true,
    (ifindex) => new NativeBackPressure({ netlink: tools.netlink, ifindex, inner: SCRATCH_INNER, reason: 'probe' }),
  );
}

/** Proves or refutes the credit gate. Throws nothing but programming errors. */
export function proveGate(tools: ProbeTools): ModeProof {
  return proveOnScratch(tools, false, (ifindex) => {
    const openKicker = (): FrameSender => tools.openSender(ifindex, KICK_PRIORITY);
    return new CreditGate({ netlink: tools.netlink, ifindex, inner: SCRATCH_INNER, openKicker, reason: 'probe' });
  });
}

/** Which queueing disciplines this kernel has, by setting each up. */
export function probeQdiscs(tools: ProbeTools): Record<string, string | null> {
  const burstBytes = 1514;
  const tbf: QdiscOptions = { kind: 'tbf', rateBytesPerS: slowestTbfRate(burstBytes), burstBytes, limit: 1_000_000 };
  const times = codelTimes(0);
  const options: Readonly<Record<string, QdiscOptions>> = {
    tbf,
    pfifo_fast: { kind: 'pfifo_fast' },
    pfifo: { kind: 'pfifo', limitPackets: 1 },
    prio: { kind: 'prio' },
    fq_codel: { kind: 'fq_codel', limitPackets: 1, ...times },
    cake: { kind: 'cake', ...times },
  };
  const found: Record<string, string | null> = {};
  const refusal = (attempt: () => void): string | null => {
    try {
      attempt();
      return null;
    } catch (failure) {
      if (!isSluiceError(failure)) throw failure;
      return failure.message;
    }
  };
  let scratch: ScratchDevice | undefined;
  const noDevice = refusal(() => {
    scratch = tools.createScratch({ backPressure: false });
  });
  for (const kind of ['tbf', ...INNER_QDISCS]) {
    const ifindex = scratch?.ifindex;
    const chosen = options[kind];
    if (ifindex === undefined || chosen === undefined) found[kind] = noDevice ?? 'not probed';
    else
      found[kind] = refusal(() =>
        tools.netlink.replaceQdisc(ifindex, { parent: TC_H_ROOT, handle: 0, options: chosen }),
      );
  }
  scratch?.close();
  return found;
}

/** The whole self-test: well under a second, and nothing of it stays. */
export function probe(tools: ProbeTools): ProbeResult {
  return { native: proveNative(tools), gate: proveGate(tools), qdiscs: probeQdiscs(tools) };
}
