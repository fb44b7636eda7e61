/** What a device had before us, to be put back when we leave it. */

import { isSluiceError } from '../base/errors.js';
import { TC_H_ROOT } from '../netlink/constants.js';
import type { Qdisc } from '../netlink/qdisc.js';
import type { RouteNetlink } from '../netlink/route-netlink.js';

/** The kernel's answers when there is nothing to take off: no explicit qdisc (ENOENT), no device (ENODEV). */
const NOTHING_THERE: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENODEV', 'EINVAL']);

export class DeviceState {
  readonly #netlink: RouteNetlink;
  readonly #ifindex: number;
  readonly #isOurs: (root: Qdisc) => boolean;
  readonly #txQueueLength: number;
  /** The root qdisc, if somebody had set one up. */
  readonly #root: Qdisc | undefined;
  #restored = false;

  /** `isOurs` knows a root qdisc that an earlier run of ours left behind. */
  constructor(netlink: RouteNetlink, ifindex: number, isOurs: (root: Qdisc) => boolean) {
    this.#netlink = netlink;
    this.#ifindex = ifindex;
    this.#isOurs = isOurs;
    this.#txQueueLength = netlink.linkByIndex(ifindex).txQueueLength;
    const root = this.#foreignRoot();
    if (root === undefined) return;
    this.#root = root;
    this.clearRoot();
  }

  /**
   * Takes off a root qdisc of somebody else's: its number may be the one that we want to use for another kind. Gives the
   * packets that waited in it, which are lost with it.
   */
  clearRoot(): number {
    const root = this.#foreignRoot();
    if (root === undefined) return 0;
    this.#deleteRoot();
    return root.backlogPackets;
  }

  /**
   * Takes our qdiscs off, which drops what waits in them, and puts back the length of the queue and the root qdisc that
   * was there, without its classes. What somebody else has put in their place meanwhile stays. Idempotent; a device that
   * is gone needs nothing.
   */
  restore(): void {
    if (this.#restored) return;
    this.#restored = true;
    try {
      // Before the qdisc: the kernel's default one takes its length from here.
      this.#netlink.setLink(this.#ifindex, { txQueueLength: this.#txQueueLength });
    } catch (failure) {
      if (isSluiceError(failure) && failure.details.errno === 'ENODEV') return;
      throw failure;
    }
    if (this.#foreignRoot() !== undefined) return;
    this.#deleteRoot();
    if (this.#root !== undefined) this.#netlink.recreateQdisc(this.#ifindex, this.#root);
  }

  /** One that somebody set up; the kernel's default has no handle. */
  #foreignRoot(): Qdisc | undefined {
    const roots = this.#netlink.qdiscs(this.#ifindex).filter((qdisc) => qdisc.parent === TC_H_ROOT);
    return roots.find((qdisc) => qdisc.handle !== 0 && !this.#isOurs(qdisc));
  }

  #deleteRoot(): void {
    try {
      this.#netlink.deleteQdisc(this.#ifindex, { parent: TC_H_ROOT, handle: 0 });
    } catch (failure) {
      if (!isSluiceError(failure) || !NOTHING_THERE.has(failure.details.errno)) throw failure;
    }
  }
}

/** Closes what could not be set up wholly; that setting it up failed is what the caller must hear of. */
export function abandon(unfinished: { close(): void }): void {
  try {
    unfinished.close();
  } catch (failure) {
    if (!isSluiceError(failure)) throw failure;
  }
}
