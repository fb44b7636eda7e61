/** The queueing discipline in which packets wait: what the operator chose, as requests to the kernel. */

import { isSluiceError, SluiceError } from '../base/errors.js';
import { TC_H_ROOT } from '../netlink/constants.js';
import { type Qdisc, type QdiscRequest, tcHandle } from '../netlink/qdisc.js';
import { type CodelTimes, PRIO_BANDS, type QdiscOptions } from '../netlink/qdisc-options.js';
import type { RouteNetlink } from '../netlink/route-netlink.js';
import type { QdiscStatistics } from './back-pressure.js';

export const INNER_QDISCS = ['pfifo_fast', 'pfifo', 'prio', 'fq_codel', 'cake'] as const;
export type InnerQdisc = (typeof INNER_QDISCS)[number];

/** One number for each kind: the kernel changes what has the same number, and refuses to change one kind into another. */
const HANDLES: Readonly<Record<InnerQdisc, number>> = {
  pfifo_fast: tcHandle(0x10),
  pfifo: tcHandle(0x11),
  prio: tcHandle(0x12),
  fq_codel: tcHandle(0x13),
  cake: tcHandle(0x14),
};

/** Whether it bears the number that we give to its kind. */
export function isInnerQdisc(qdisc: Qdisc): boolean {
  return INNER_QDISCS.some((kind) => kind === qdisc.kind && HANDLES[kind] === qdisc.handle);
}

/** More than one socket's send buffer holds of full frames, so that the socket blocks before the queue overflows. */
export const INNER_LIMIT_PACKETS = 1000;

/**
 * Under the gate a plain FIFO holds kicks too, at most one for each frame in it, because each grant adds one and passes
 * at least one frame. Half of them must fit the kick sockets' send buffers (277 each by default).
 */
export const GATED_PFIFO_LIMIT_PACKETS = 500;

/** RFC 8289, section 4.4: the values for the Internet at large; they are lower bounds here. */
const MIN_TARGET_US = 5_000;
const MIN_INTERVAL_US = 100_000;
/** A frame waits at least for the one on the air before it, and on a shared channel for another station's. */
const TARGET_FRAMES = 2;
/** RFC 8289, section 4.3: the target is best at 5 to 10 % of the interval. */
const INTERVAL_TARGETS = 10;
const MAX_U32 = 0xffffffff;

/** Target and interval of CoDel for a channel on which a frame of MTU size takes `frameAirtimeUs`. */
export function codelTimes(frameAirtimeUs: number): CodelTimes {
  const targetUs = Math.max(MIN_TARGET_US, Math.ceil(TARGET_FRAMES * frameAirtimeUs));
  const intervalUs = Math.min(MAX_U32, Math.max(MIN_INTERVAL_US, INTERVAL_TARGETS * targetUs));
  return { targetUs: Math.min(targetUs, MAX_U32), intervalUs };
}

export interface InnerQdiscChoice {
  readonly kind: InnerQdisc;
  /** Time on the air of a frame of MTU size, for fq_codel and cake. */
  readonly frameAirtimeUs: number;
}

function optionsOf(choice: InnerQdiscChoice, pfifoLimitPackets: number): QdiscOptions {
  switch (choice.kind) {
    case 'pfifo_fast':
    case 'prio':
      return { kind: choice.kind };
    case 'pfifo':
      return { kind: 'pfifo', limitPackets: pfifoLimitPackets };
    case 'fq_codel':
      return { kind: 'fq_codel', limitPackets: INNER_LIMIT_PACKETS, ...codelTimes(choice.frameAirtimeUs) };
    case 'cake':
      return { kind: 'cake', ...codelTimes(choice.frameAirtimeUs) };
  }
}

/**
 * The requests that put `choice` under `parent`, in order. prio gets FIFOs of an explicit length: its own would take
 * their length from the ring's.
 */
export function innerQdiscRequests(
  choice: InnerQdiscChoice,
  parent: number,
  pfifoLimitPackets = INNER_LIMIT_PACKETS,
): QdiscRequest[] {
  const handle = HANDLES[choice.kind];
  const requests: QdiscRequest[] = [{ parent, handle, options: optionsOf(choice, pfifoLimitPackets) }];
  if (choice.kind !== 'prio') return requests;
  for (let band = 1; band <= PRIO_BANDS; band++) {
    requests.push({
      parent: handle + band,
      handle: tcHandle((handle >>> 16) * 0x10 + band),
      options: { kind: 'pfifo', limitPackets: INNER_LIMIT_PACKETS },
    });
  }
  return requests;
}

/** Puts `choice` under `parent`. Throws SluiceError `kernel-feature` when this kernel does not have it. */
export function installInnerQdisc(
  netlink: RouteNetlink,
  ifindex: number,
  choice: InnerQdiscChoice,
  parent: number,
  pfifoLimitPackets?: number,
): void {
  for (const request of innerQdiscRequests(choice, parent, pfifoLimitPackets)) {
    try {
      netlink.replaceQdisc(ifindex, request);
    } catch (cause) {
      throw isSluiceError(cause, 'kernel-feature') ? missingQdisc(request.options.kind, cause) : cause;
    }
  }
}

function missingQdisc(kind: string, cause: SluiceError): SluiceError {
  return new SluiceError('kernel-feature', `this kernel does not have the queueing discipline ${kind}`, {
    ...cause.details,
    subject: kind,
    remedy: `Load it with \`modprobe sch_${kind}\`, or set backPressure.qdisc to pfifo_fast, which every kernel has.`,
    cause,
  });
}

/** The one that hangs below `parent`; where there is none, the root. */
export function findInner(qdiscs: readonly Qdisc[], parent: number): Qdisc | undefined {
  return qdiscs.find((qdisc) => qdisc.parent === parent) ?? qdiscs.find((qdisc) => qdisc.parent === TC_H_ROOT);
}

/** Of the one at the root, where no gate hangs. */
export function rootStatistics(netlink: RouteNetlink, ifindex: number): QdiscStatistics {
  const root = findInner(netlink.qdiscs(ifindex), TC_H_ROOT);
  return {
    kind: root?.kind ?? 'none',
    backlogPackets: root?.backlogPackets ?? 0,
    backlogBytes: root?.backlogBytes ?? 0,
    dropped: root?.dropped ?? 0,
  };
}
