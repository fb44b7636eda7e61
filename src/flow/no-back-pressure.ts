/** The third mode: the kernel drops what does not fit the ring, and the device is left as it is. */

import type { RouteNetlink } from '../netlink/route-netlink.js';
import type { BackPressure, QdiscStatistics } from './back-pressure.js';
import { rootStatistics } from './inner-qdisc.js';

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
    return rootStatistics(this.#netlink, this.#ifindex);
  }

  close(): void {}
}
