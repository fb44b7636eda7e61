/**
 * What the log says at intervals: the channel of the interval, what was dropped in it and why, and what leaked past the back
 * pressure. Figures since the start come in; those of the interval are differences.
 */
import type { Scheduler } from '../base/clock.js';
import { DROP_CAUSES, type DropCause } from '../base/drops.js';
import type { Mac } from '../mac/mac.js';
import { newMacCounters } from '../mac/statistics.js';
import type { Log } from '../observe/log.js';
import { type BridgeStatus, ratio } from './status.js';

export interface ChannelLogParts {
  readonly scheduler: Scheduler;
  readonly log: Log;
  readonly intervalUs: number;
  readonly mac: Pick<Mac, 'snapshot'>;
  status(): BridgeStatus;
  /** An interval is over, and told. */
  logged(): void;
}

const ROUTINE_DROPS = /^chatter-|^rx-(framing|truncated|fcs|duplicate)$|^shutdown$/;

export class ChannelLog {
  readonly #parts: ChannelLogParts;
  readonly #loggedDrops = new Map<DropCause, number>();
  #cancel: (() => void) | undefined;
  #last = {
    atUs: 0,
    unixMs: Date.now(),
    busyUs: 0,
    txUs: 0,
    counters: newMacCounters(),
    drops: {} as BridgeStatus['drops'],
  };
  #lastDropped = { tap: 0, qdisc: 0 };

  /** The first interval begins now. */
  constructor(parts: ChannelLogParts) {
    this.#parts = parts;
    this.#last.atUs = parts.scheduler.nowUs();
  }

  start(): void {
    const { scheduler, intervalUs } = this.#parts;
    this.#cancel = scheduler.at(scheduler.nowUs() + intervalUs, () => {
      this.#tell({});
      this.#parts.logged();
      this.start();
    });
  }

  /** Tells of the last, shorter interval. */
  end(): void {
    this.#cancel?.();
    this.#tell({ final: true });
  }

  #tell(last: { final?: true }): void {
    const { log, scheduler } = this.#parts;
    const nowUs = scheduler.nowUs();
    const status = this.#parts.status();
    const mac = this.#parts.mac.snapshot();
    const before = this.#last;
    const spanUs = nowUs - before.atUs;
    const { counters } = mac;
    const fresh = (name: 'attempts' | 'acked' | 'unacked' | 'unconfirmed' | 'backoffs' | 'backoffSlots'): number =>
      counters[name] - before.counters[name];
    const endUnixMs = Date.now();
    log.info('channel', {
      startUnixMs: before.unixMs,
      endUnixMs,
      ...last,
      busyRatio: ratio(mac.busyUs - before.busyUs, spanUs),
      txRatio: ratio(mac.txUs - before.txUs, spanUs),
      heardMs: {},
      garbled: 0,
      attempts: fresh('attempts'),
      acked: fresh('acked'),
      unacked: fresh('unacked'),
      unconfirmed: fresh('unconfirmed'),
      retries: [],
      backoffs: fresh('backoffs'),
      backoffSlots: fresh('backoffSlots'),
      contentionWindow: mac.contentionWindow,
      queue: status.backPressure.qdisc.backlogPackets,
      queueBytes: status.backPressure.qdisc.backlogBytes,
      drops: Object.fromEntries(
        (Object.entries(status.drops) as [DropCause, number][])
          .map(([cause, count]) => [cause, count - (before.drops[cause] ?? 0)] as const)
          .filter(([, count]) => count > 0),
      ),
    });
    const { busyUs, txUs } = mac;
    this.#last = { atUs: nowUs, unixMs: endUnixMs, busyUs, txUs, counters: { ...counters }, drops: status.drops };
    this.#logDrops(status.drops);
    this.#watchLeaks(status);
  }

  /** One line for each cause that went on counting, losses louder than what was filtered on purpose. */
  #logDrops(drops: BridgeStatus['drops']): void {
    for (const [cause, count] of Object.entries(drops) as [DropCause, number][]) {
      const fresh = count - (this.#loggedDrops.get(cause) ?? 0);
      if (fresh === 0) continue;
      this.#loggedDrops.set(cause, count);
      const fields = { cause, frames: fresh, total: count, meaning: DROP_CAUSES[cause] };
      if (ROUTINE_DROPS.test(cause)) this.#parts.log.debug('drop', fields);
      else this.#parts.log.warn('drop', fields);
    }
  }

  /** Back pressure is there to make these two stand still. */
  #watchLeaks({ backPressure }: Pick<BridgeStatus, 'backPressure'>): void {
    const dropped = { tap: backPressure.tapDropped, qdisc: backPressure.qdisc.dropped };
    if (dropped.tap > this.#lastDropped.tap || dropped.qdisc > this.#lastDropped.qdisc) {
      const { mode } = backPressure;
      const fields = { mode, tapDropped: dropped.tap, qdiscDropped: dropped.qdisc };
      if (mode === 'none') this.#parts.log.warn('back-pressure-leak', fields);
      else this.#parts.log.error('back-pressure-leak', fields);
    }
    this.#lastDropped = dropped;
  }
}
