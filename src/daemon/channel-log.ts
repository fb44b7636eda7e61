/**
 * What the log says at intervals: the channel of the interval, what was dropped and why, neighbours that are gone, and what
 * leaked past the back pressure.
 */
import type { Scheduler } from '../base/clock.js';
import { DROP_CAUSES, type DropCause } from '../base/drops.js';
import type { Mac } from '../mac/mac.js';
import type { DelayMs } from '../observe/events.js';
import type { Log } from '../observe/log.js';
import { type ChannelMoment, channelFields, channelMoment } from './channel-summary.js';
import { type BridgeStatus, milliseconds } from './status.js';

export interface ChannelLogParts {
  readonly scheduler: Scheduler;
  readonly log: Log;
  readonly intervalUs: number;
  readonly mac: Pick<Mac, 'snapshot' | 'neighbours'>;
  /** Airtime that the duty cycle allows in one window; without, there is no limit. */
  readonly dutyBudgetUs?: number | undefined;
  status(): Pick<BridgeStatus, 'backPressure' | 'drops'>;
  /** Of the interval that is over; each time it is asked, another one begins. */
  queueDelayMs(): DelayMs | undefined;
  /** An interval is over, and told. */
  logged(): void;
}

const ROUTINE_DROPS = /^chatter-|^rx-(framing|truncated|fcs|duplicate)$|^shutdown$/;
/** Between two lines about one cause: `channel` has the counts of each interval anyway. */
const DROP_LINE_US = 600_000_000;

/** A neighbour that is silent for so long is gone: stations have nothing to say for minutes, and need not. */
const SILENT_US = 900_000_000;
/** So many calls without an answer, and nothing else heard of it, mean the same sooner. */
const MISSED_MAX = 24;

export class ChannelLog {
  readonly #parts: ChannelLogParts;
  readonly #loggedDrops = new Map<DropCause, { readonly total: number; readonly atUs: number }>();
  #cancel: (() => void) | undefined;
  #before: ChannelMoment;
  /** What a TAP that others made, or a kept queue, dropped before our time is no leak of ours. */
  #lastDropped: { readonly tap: number; readonly qdisc: number };

  /** The first interval begins now. */
  constructor(parts: ChannelLogParts) {
    this.#parts = parts;
    this.#before = this.#moment({});
    const { tapDropped, qdisc } = parts.status().backPressure;
    this.#lastDropped = { tap: tapDropped, qdisc: qdisc.dropped };
  }

  start(): void {
    const { scheduler, intervalUs } = this.#parts;
    this.#cancel = scheduler.at(scheduler.nowUs() + intervalUs, () => {
      this.#tell(false);
      this.#parts.logged();
      this.start();
    });
  }

  /** Tells of the last, shorter interval. */
  end(): void {
    this.#cancel?.();
    this.#tell(true);
  }

  #tell(final: boolean): void {
    const { backPressure, drops } = this.#parts.status();
    const moment = this.#moment(drops);
    const { mode, qdisc } = backPressure;
    const { contentionWindow, budgetLeft } = this.#parts.mac.snapshot();
    const { dutyBudgetUs } = this.#parts;
    const fields = channelFields(this.#before, moment, {
      final,
      backPressure: mode,
      contentionWindow,
      queue: qdisc.backlogPackets,
      queueBytes: qdisc.backlogBytes,
      queueDelayMs: this.#parts.queueDelayMs(),
      dutyLeftMs: dutyBudgetUs === undefined ? undefined : milliseconds(budgetLeft * dutyBudgetUs),
    });
    this.#parts.log.info('channel', fields);
    this.#before = moment;
    this.#logDrops(drops, moment.atUs, final);
    this.#logLost(moment.atUs);
    this.#watchLeaks(backPressure);
  }

  #moment(drops: BridgeStatus['drops']): ChannelMoment {
    const { mac, scheduler } = this.#parts;
    return channelMoment(mac.snapshot(), drops, scheduler.nowUs(), Date.now());
  }

  /** One line for each cause that went on counting, losses louder than what was filtered on purpose. */
  #logDrops(drops: BridgeStatus['drops'], nowUs: number, final: boolean): void {
    for (const [cause, total] of Object.entries(drops) as [DropCause, number][]) {
      const last = this.#loggedDrops.get(cause);
      const frames = total - (last?.total ?? 0);
      const isDue = last === undefined || nowUs - last.atUs >= DROP_LINE_US || final;
      if (frames === 0 || !isDue) continue;
      this.#loggedDrops.set(cause, { total, atUs: nowUs });
      const fields = { cause, frames, total, meaning: DROP_CAUSES[cause] };
      if (ROUTINE_DROPS.test(cause)) this.#parts.log.debug('drop', fields);
      else this.#parts.log.warn('drop', fields);
    }
  }

  #logLost(nowUs: number): void {
    for (const { station, lastHeardUs } of this.#parts.mac.neighbours.loseSilent(nowUs, SILENT_US, MISSED_MAX)) {
      const silentMs = milliseconds(nowUs - lastHeardUs);
      this.#parts.log.warn('neighbour', { neighbour: station, change: 'lost', silentMs });
    }
  }

  /** Back pressure is there to make these two stand still. */
  #watchLeaks({ mode, tapDropped, qdisc }: BridgeStatus['backPressure']): void {
    const dropped = { tap: tapDropped, qdisc: qdisc.dropped };
    // A qdisc that was set up anew counts from zero.
    const qdiscBefore = dropped.qdisc < this.#lastDropped.qdisc ? 0 : this.#lastDropped.qdisc;
    if (dropped.tap > this.#lastDropped.tap || dropped.qdisc > qdiscBefore) {
      const fields = { mode, tapDropped: dropped.tap, qdiscDropped: dropped.qdisc };
      if (mode === 'none') this.#parts.log.warn('back-pressure-leak', fields);
      else this.#parts.log.error('back-pressure-leak', fields);
    }
    this.#lastDropped = dropped;
  }
}
