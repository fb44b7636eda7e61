/**
 * Back pressure by the kernel itself, Linux 7.3 and later: with IFF_BACKPRESSURE (given when the TAP is opened) a full
 * ring stops the queue instead of dropping, if a qdisc is attached. The ring is made as short as can be, because what is
 * in it has left its socket's charge and is past all priorities.
 */

import { isSluiceError } from '../base/errors.js';
import { TC_H_ROOT } from '../netlink/constants.js';
import type { Qdisc } from '../netlink/qdisc.js';
import type { RouteNetlink } from '../netlink/route-netlink.js';
import type { HungBackPressure, QdiscStatistics } from './back-pressure.js';
import { isGate } from './credit-gate.js';
import { abandon, DeviceState } from './device-state.js';
import { type InnerQdiscChoice, installInnerQdisc, isInnerQdisc, rootStatistics } from './inner-qdisc.js';

/** Flag of TUNSETIFF and TUNGETFEATURES. Older kernels ignore it without a word: look at the features first. */
export const IFF_BACKPRESSURE = 0x0080;

/** Measured on 7.3 with two: 91 % of the reads were of high priority at an overload of 1.8. */
const RING_PACKETS = 2;

export interface NativeOptions {
  readonly netlink: RouteNetlink;
  readonly ifindex: number;
  readonly inner: InnerQdiscChoice;
  /** Why this mode, for the log. */
  readonly reason: string;
}

export class NativeBackPressure implements HungBackPressure {
  readonly mode = 'native';
  readonly reason: string;
  readonly grants = 0;
  readonly #netlink: RouteNetlink;
  readonly #ifindex: number;
  readonly #inner: InnerQdiscChoice;
  readonly #before: DeviceState;
  #left = false;

  /**
   * For a TAP that was opened with IFF_BACKPRESSURE. pfifo_fast takes its length from the ring's, which is 2 here, so prio
   * with the same bands stands in for it, or, where the kernel has no prio, a FIFO; `reason` then says so.
   * Throws SluiceError `kernel-feature` (not this inner qdisc) or `privilege`, and leaves nothing behind.
   */
  constructor({ netlink, ifindex, inner, reason }: NativeOptions) {
    this.#netlink = netlink;
    this.#ifindex = ifindex;
    this.#inner = inner;
    const isLeftover = (root: Qdisc): boolean => isGate(root) || isInnerQdisc(root);
    this.#before = new DeviceState(netlink, ifindex, isLeftover);
    try {
      netlink.setLink(ifindex, { txQueueLength: RING_PACKETS });
      const substitute = this.#install(inner);
      this.reason = substitute === undefined ? reason : `${reason}; ${substitute}`;
    } catch (failure) {
      abandon(this);
      throw failure;
    }
  }

  grant(): void {}

  isKick(): boolean {
    return false;
  }

  qdisc(): QdiscStatistics {
    return rootStatistics(this.#netlink, this.#ifindex);
  }

  rehang(): number {
    const lostPackets = this.#before.clearRoot();
    this.#netlink.setLink(this.#ifindex, { txQueueLength: RING_PACKETS });
    this.#install(this.#inner);
    return lostPackets;
  }

  /** Any qdisc that somebody chose is as good as ours; without one, or with the kernel's own, a full ring drops. */
  fault(): string | null {
    const root = this.#netlink.qdiscs(this.#ifindex).find((qdisc) => qdisc.parent === TC_H_ROOT);
    if (root === undefined || root.handle === 0) return `the root qdisc is ${root?.kind ?? 'none'} in place of ours`;
    const { txQueueLength } = this.#netlink.linkByIndex(this.#ifindex);
    return txQueueLength > RING_PACKETS ? `txqueuelen is ${txQueueLength}, more than ${RING_PACKETS}` : null;
  }

  followMtu(): void {}

  shut(): void {}

  leave(): void {
    this.#left = true;
  }

  close(): void {
    if (this.#left) return;
    this.#before.restore();
  }

  /** Says what stands in for the wanted discipline, if something does. */
  #install(inner: InnerQdiscChoice): string | undefined {
    const install = (kind: InnerQdiscChoice['kind']): void =>
      installInnerQdisc(this.#netlink, this.#ifindex, { ...inner, kind }, TC_H_ROOT);
    if (inner.kind !== 'pfifo_fast') {
      install(inner.kind);
      return undefined;
    }
    try {
      install('prio');
      return 'prio stands in for pfifo_fast, whose length would be that of the ring';
    } catch (failure) {
      if (!isSluiceError(failure, 'kernel-feature')) throw failure;
      install('pfifo');
      return 'a plain pfifo stands in for pfifo_fast because this kernel lacks prio: priorities are not honoured';
    }
  }
}
