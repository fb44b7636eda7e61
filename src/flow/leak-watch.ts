/** Keeps an eye on the promise: nothing is dropped between the socket and the MAC. */

import type { RouteNetlink } from '../netlink/route-netlink.js';
import type { BackPressure, QdiscStatistics } from './back-pressure.js';

export interface LeakReport {
  /** Frames that the full ring of the TAP dropped, since the device was made. */
  readonly tapDropped: number;
  /** The same since the last check. */
  readonly tapDroppedNow: number;
  readonly qdisc: QdiscStatistics;
  /** Packets that the qdisc dropped, since the last check: by its policy (an AQM, a full queue), or too long for the gate. */
  readonly qdiscDroppedNow: number;
  readonly mtuBytes: number;
}

export class LeakWatch {
  readonly #netlink: RouteNetlink;
  readonly #ifindex: number;
  readonly #backPressure: BackPressure;
  #tapDropped: number;
  #qdiscDropped: number;

  /** What was dropped before this moment counts as known. */
  constructor(netlink: RouteNetlink, ifindex: number, backPressure: BackPressure) {
    this.#netlink = netlink;
    this.#ifindex = ifindex;
    this.#backPressure = backPressure;
    this.#tapDropped = netlink.linkStatistics(ifindex).txDropped;
    this.#qdiscDropped = backPressure.qdisc().dropped;
  }

  /** Compares the counters with those of the last check. Throws SluiceError when the device is gone. */
  check(): LeakReport {
    const link = this.#netlink.linkByIndex(this.#ifindex);
    const qdisc = this.#backPressure.qdisc();
    const tapDropped = link.statistics.txDropped;
    const report = {
      tapDropped,
      tapDroppedNow: tapDropped - this.#tapDropped,
      qdisc,
      // A qdisc that was set up anew counts from zero.
      qdiscDroppedNow: qdisc.dropped >= this.#qdiscDropped ? qdisc.dropped - this.#qdiscDropped : qdisc.dropped,
      mtuBytes: link.mtuBytes,
    };
    this.#tapDropped = tapDropped;
    this.#qdiscDropped = qdisc.dropped;
    return report;
  }
}
