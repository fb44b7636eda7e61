/**
 * Back pressure on any kernel that has sch_tbf: the credit gate.
 *
 * 1. At the root of the TAP hangs a token bucket whose rate is next to nothing and whose burst is one maximum frame; the
 *    real queueing discipline is its child. So packets wait in the child, charged to their sockets.
 * 2. A grant changes the bucket, which fills it, and sends a kick, whose enqueue runs the queue.
 * 3. One burst of octets falls into the ring of the TAP: the kick, and one full frame or several small ones.
 * 4. On lines without a pace of their own (ptys, TCP) the burst is several frames: there a grant costs as much as the rest
 *    of a frame's way. It must not shrink while packets wait: a TCP packet not yet cut into segments may be as long as
 *    the burst (TBF cuts up longer ones, tbf_segment), and would then wait for ever.
 *
 * The rate cannot be zero: it leaks one burst within at most 274 s (6 octets/s at an MTU of 1500). The leak is wanted, it
 * keeps sockets from hanging for ever when nobody grants; what leaks waits in the ring and is read before the next grant.
 */

import { SluiceError } from '../base/errors.js';
import { TC_H_ROOT } from '../netlink/constants.js';
import { formatHandle, type Qdisc, tcHandle } from '../netlink/qdisc.js';
import { slowestTbfRate, type TbfOptions, tbfRateOf } from '../netlink/qdisc-options.js';
import type { RouteNetlink } from '../netlink/route-netlink.js';
import type { HungBackPressure, QdiscStatistics } from './back-pressure.js';
import { abandon, DeviceState } from './device-state.js';
import { findInner, GATED_PFIFO_LIMIT_PACKETS, type InnerQdiscChoice, installInnerQdisc } from './inner-qdisc.js';
import {
  EAGAIN,
  ENOBUFS,
  ETHERNET_HEADER_BYTES,
  type FrameSender,
  fillerFrame,
  isKickFrame,
  KICK_BYTES,
  kickFrame,
  VLAN_TAG_BYTES,
} from './kick.js';

const GATE_HANDLE = tcHandle(1);
const GATE_CLASS = tcHandle(1, 1);

/**
 * At the least: the ring must take a whole burst of the smallest frames, and pfifo_fast takes its length from here: it must
 * hold more than a socket's send buffer does (277 tiny frames), or the queue drops before the socket blocks.
 */
const RING_PACKETS = 1000;

/** TBF hands this to a child FIFO: as octets to the bfifo that it begins with, as packets to a pfifo. */
const UNUSED_LIMIT = 4_000_000;

/** Each holds 277 kicks by default; pfifo_fast has room for 1000 frames and kicks in a band. */
const MAX_KICK_SOCKETS = 6;

/**
 * One full frame, tagged, and the kick: the kick goes first and takes its octets from the same credit. TBF drops what is
 * longer than the burst.
 */
export function gateBurstBytes(mtuBytes: number): number {
  return mtuBytes + ETHERNET_HEADER_BYTES + VLAN_TAG_BYTES + KICK_BYTES;
}

/** So many of the shortest frames fit into the ring, whatever they are: bare Ethernet headers. */
const LARGEST_CREDIT_BYTES = RING_PACKETS * ETHERNET_HEADER_BYTES;

export interface CreditGateOptions {
  readonly netlink: RouteNetlink;
  readonly ifindex: number;
  readonly inner: InnerQdiscChoice;
  /** Opens a packet socket bound to the TAP with SO_PRIORITY KICK_PRIORITY. */
  openKicker(): FrameSender;
  /** Why this mode, for the log. */
  readonly reason: string;
  /** What one credit is good for: one frame, or as many as the ring holds of the shortest. Default: one frame. */
  readonly credit?: 'frame' | 'ring';
}

/** No channel is this slow by intention: a TBF with such a rate was left by a run of ours that was killed. */
const FASTEST_LEAK_BYTES_PER_S = slowestTbfRate(gateBurstBytes(0xffff));

/** Whether a root qdisc is a gate of ours. */
export function isGate(root: Qdisc): boolean {
  if (root.kind !== 'tbf' || root.handle !== GATE_HANDLE) return false;
  return (tbfRateOf(root.rawOptions) ?? Number.POSITIVE_INFINITY) <= FASTEST_LEAK_BYTES_PER_S;
}

export class CreditGate implements HungBackPressure {
  readonly mode = 'gate';
  readonly reason: string;
  /** Kicks that found the queue full; the queue ran all the same. */
  kicksDropped = 0;
  /** Kicks that could not be sent at all: the interface was down. */
  kicksFailed = 0;

  readonly #options: CreditGateOptions;
  readonly #before: DeviceState;
  readonly #kickers: FrameSender[] = [];
  readonly #kick = kickFrame();
  #grants = 0;
  #mtuBytes = 0;
  #refill: () => void = () => undefined;
  #closed = false;

  /**
   * Puts the gate on the device and closes it; one credit stands from the start. Where a gate of ours hangs there
   * already, it and what waits in it stay.
   * Throws SluiceError `kernel-feature` (no sch_tbf, or not this inner qdisc) or `privilege`, and leaves nothing behind.
   */
  constructor(options: CreditGateOptions) {
    this.#options = options;
    this.reason = options.reason;
    this.#before = new DeviceState(options.netlink, options.ifindex, isGate);
    try {
      this.#openKicker();
      this.rehang();
    } catch (failure) {
      abandon(this);
      throw failure;
    }
  }

  /** Puts it back on, after somebody else's root qdisc has taken its place or our parts of it were deleted. */
  rehang(): number {
    const { netlink, ifindex, inner } = this.#options;
    const lostPackets = this.#before.clearRoot();
    this.#mtuBytes = netlink.linkByIndex(ifindex).mtuBytes;
    netlink.setLink(ifindex, { txQueueLength: this.#ringPackets });
    netlink.replaceQdisc(ifindex, { parent: TC_H_ROOT, handle: GATE_HANDLE, options: this.#bucket(UNUSED_LIMIT) });
    installInnerQdisc(netlink, ifindex, inner, GATE_CLASS, GATED_PFIFO_LIMIT_PACKETS);
    this.#prepare();
    return lostPackets;
  }

  /** The policy below the gate is the operator's: any discipline at 1:1 is as good as ours. */
  fault(): string | null {
    const { netlink, ifindex } = this.#options;
    const qdiscs = netlink.qdiscs(ifindex);
    const root = qdiscs.find((qdisc) => qdisc.parent === TC_H_ROOT);
    if (root === undefined) return 'the root qdisc is gone';
    if (!isGate(root)) return `the root qdisc is ${root.kind} ${formatHandle(root.handle)} in place of the gate`;
    if (!qdiscs.some((qdisc) => qdisc.parent === GATE_CLASS)) return 'the qdisc below the gate (1:1) is gone';
    const { txQueueLength } = netlink.linkByIndex(ifindex);
    const wanted = this.#ringPackets;
    return txQueueLength < wanted ? `txqueuelen is ${txQueueLength}, less than ${wanted}` : null;
  }

  get grants(): number {
    return this.#grants;
  }

  /** Octets that one grant lets pass, the kick included. */
  get burstBytes(): number {
    const frameBytes = gateBurstBytes(this.#mtuBytes);
    return this.#options.credit === 'ring' ? Math.max(frameBytes, LARGEST_CREDIT_BYTES) : frameBytes;
  }

  /** Octets that pass each second without any grant. */
  get leakBytesPerS(): number {
    return slowestTbfRate(this.burstBytes);
  }

  /**
   * One message to the kernel, one kick; 5 to 40 us. Throws SluiceError when the gate is not there any more, because
   * somebody replaced or deleted it.
   */
  grant(): void {
    try {
      this.#refill();
    } catch (cause) {
      throw new SluiceError('system', 'the credit gate does not answer: its qdisc was changed or taken off', {
        remedy:
          'Leave the root qdisc (tbf 1:) alone; the policy goes below it, at parent 1:1. Restart to set it up again.',
        cause,
      });
    }
    this.#grants++;
    this.#sendKick();
  }

  isKick(frame: Uint8Array): boolean {
    return isKickFrame(frame);
  }

  /** The inner discipline; its drops are those of the whole, kicks not counted. */
  qdisc(): QdiscStatistics {
    const qdiscs = this.#options.netlink.qdiscs(this.#options.ifindex);
    const inner = findInner(qdiscs, GATE_CLASS);
    const root = qdiscs.find((qdisc) => qdisc.parent === TC_H_ROOT) ?? inner;
    return {
      kind: inner?.kind ?? 'none',
      backlogPackets: root?.backlogPackets ?? 0,
      backlogBytes: root?.backlogBytes ?? 0,
      dropped: Math.max(0, Math.max(root?.dropped ?? 0, inner?.dropped ?? 0) - this.kicksDropped),
    };
  }

  /** Fits the burst to another MTU of the device, because TBF drops frames that are longer. */
  followMtu(mtuBytes: number): void {
    if (mtuBytes === this.#mtuBytes || this.#closed) return;
    const ringPackets = this.#ringPackets;
    this.#mtuBytes = mtuBytes;
    const { netlink, ifindex } = this.#options;
    if (this.#ringPackets > ringPackets) netlink.setLink(ifindex, { txQueueLength: this.#ringPackets });
    this.#prepare();
    this.grant();
  }

  /**
   * Where nothing waits, a credit stands; a frame of ours as long as the MTU uses it up, and must be read and thrown away
   * like a kick. What is left lets nothing pass but what leaks.
   */
  shut(): void {
    if (this.qdisc().backlogPackets > 0) return;
    this.#kickers[0]?.send(fillerFrame(this.#mtuBytes));
    this.#kickers[0]?.send(this.#kick);
  }

  leave(): void {
    this.#closed = true;
    for (const kicker of this.#kickers) kicker.close();
  }

  close(): void {
    if (this.#closed) return;
    this.leave();
    this.#before.restore();
  }

  /** So many frames may pass on one credit, were they all of the shortest. */
  get #ringPackets(): number {
    return Math.max(RING_PACKETS, Math.ceil(this.burstBytes / ETHERNET_HEADER_BYTES));
  }

  #bucket(limit: number): TbfOptions {
    return { kind: 'tbf', rateBytesPerS: this.leakBytesPerS, burstBytes: this.burstBytes, limit };
  }

  #prepare(): void {
    const { netlink, ifindex, inner } = this.#options;
    const limit = inner.kind === 'pfifo' ? GATED_PFIFO_LIMIT_PACKETS : UNUSED_LIMIT;
    const request = { parent: TC_H_ROOT, handle: GATE_HANDLE, options: this.#bucket(limit) };
    this.#refill = netlink.preparedChange(ifindex, request);
  }

  /**
   * Kicks that wait behind data of their own band are charged to their socket; when its send buffer is full of them,
   * another socket takes over, because a credit without a kick would wait for minutes.
   */
  #sendKick(): void {
    for (let i = 0; i < MAX_KICK_SOCKETS; i++) {
      const result = (this.#kickers[i] ?? this.#openKicker()).send(this.#kick);
      if (result === -EAGAIN) continue;
      if (result === -ENOBUFS) this.kicksDropped++;
      else if (result < 0) this.kicksFailed++;
      return;
    }
    this.kicksFailed++;
  }

  #openKicker(): FrameSender {
    const kicker = this.#options.openKicker();
    this.#kickers.push(kicker);
    return kicker;
  }
}
