/** The third mode: the kernel drops what does not fit the ring, and the device is left as it is. */

import { TC_H_ROOT } from '../netlink/constants.js';
import type { RouteNetlink } from '../netlink/route-netlink.js';
import type { BackPressure, QdiscStatistics } from './back-pressure.js';
import { findInner } from './inner-qdisc.js';

export class NoBackPressure implements BackPressure {
  readonly mode = 'none';
  readonly reason: string;
  readonly grants = 0;
  readonly #netlink: RouteNetlink;
  readonly #ifindex: number;

  constructor(netlink: RouteNetlink, ifindex: number, reason: string) {
    this.#netlink = netlink;
    this.#ifindex = ifindex;
    this.reason = reason;
  }

  grant(): void {}

  isKick(): boolean {
    return false;
  }

  qdisc(): QdiscStatistics {
    const root = findInner(this.#netlink.qdiscs(this.#ifindex), TC_H_ROOT);
    return {
      kind: root?.kind ?? 'none',
      backlogPackets: root?.backlogPackets ?? 0,
      backlogBytes: root?.backlogBytes ?? 0,
      dropped: root?.dropped ?? 0,
    };
  }

  close(): void {}
}
