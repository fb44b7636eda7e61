/** What `sluice top` shows, worked out of what a bridge said of itself at different times. */
import type { DropCause } from '../../base/drops.js';
import type { BridgeStatus } from '../../daemon/status.js';

/** The longer of the two spans shown. */
export const LONG_SPAN_MS = 60_000;

/** Notes on a neighbour wait for so many attempts, so that one lost frame makes none. */
const ENOUGH_ATTEMPTS = 3;
/** So much lost, of the latest attempts, is no channel any more. */
const HOPELESS_LOSS = 0.8;
/** Least share of the time for which "takes most" is worth saying. */
const NOTABLE_SHARE = 0.2;

/** How the channel's time was used, as shares of 1. */
export interface Shares {
  readonly own: number;
  readonly others: number;
  readonly idle: number;
  /** A carrier was sensed that does not end, and so is no longer believed. */
  readonly stuck: number;
}

/** Counts of the latest span, nothing since the start. */
export interface FreshCounts {
  readonly attempts: number;
  readonly acked: number;
  readonly unacked: number;
  readonly unconfirmed: number;
  readonly backoffs: number;
  readonly backoffSlots: number;
}

export interface NeighbourRow {
  readonly station: number;
  /** Null when it was sent to and never heard. */
  readonly lastHeardMs: number | null;
  /** Share of the latest span, and of the longer one, that its frames took. */
  readonly share: number;
  readonly longShare: number;
  /** Of our latest attempts; null before there was one. */
  readonly lossRatio: number | null;
  readonly rssiDbm?: number;
  /** Since the bridge started. */
  readonly attempts: number;
  /** What is wrong with it, if something seems to be. */
  readonly note: string;
}

export interface DropRow {
  readonly cause: DropCause;
  readonly total: number;
  readonly fresh: number;
}

export interface TopFigures {
  readonly status: BridgeStatus;
  /** Length of the latest span. */
  readonly spanMs: number;
  readonly longSpanMs: number;
  readonly now: Shares;
  readonly long: Shares;
  readonly fresh: FreshCounts;
  /** By station. */
  readonly neighbours: readonly NeighbourRow[];
  /** Those that went on counting first, then the largest. */
  readonly drops: readonly DropRow[];
}

/** What a bridge said within the last minute. One that was started anew begins a new history. */
export class History {
  readonly #said: BridgeStatus[] = [];

  add(status: BridgeStatus): void {
    const last = this.#said.at(-1);
    if (last !== undefined && status.uptimeMs <= last.uptimeMs) this.#said.length = 0;
    this.#said.push(status);
    const keepMs = status.uptimeMs - LONG_SPAN_MS;
    while ((this.#said[0]?.uptimeMs ?? keepMs) < keepMs && this.#said.length > 2) this.#said.shift();
  }

  /** Undefined as long as nothing was said. What was said once only is told since the bridge's start. */
  figures(): TopFigures | undefined {
    const status = this.#said.at(-1);
    if (status === undefined) return undefined;
    const single = this.#said.length === 1;
    return figuresOf(status, this.#said.at(-2), single ? undefined : this.#said[0]);
  }
}

function figuresOf(
  status: BridgeStatus,
  before: BridgeStatus | undefined,
  longBefore: BridgeStatus | undefined,
): TopFigures {
  const count = (name: keyof FreshCounts): number => status.mac[name] - (before?.mac[name] ?? 0);
  return {
    status,
    spanMs: status.uptimeMs - (before?.uptimeMs ?? 0),
    longSpanMs: status.uptimeMs - (longBefore?.uptimeMs ?? 0),
    now: sharesOf(status, before),
    long: sharesOf(status, longBefore),
    fresh: {
      attempts: count('attempts'),
      acked: count('acked'),
      unacked: count('unacked'),
      unconfirmed: count('unconfirmed'),
      backoffs: count('backoffs'),
      backoffSlots: count('backoffSlots'),
    },
    neighbours: neighboursOf(status, before, longBefore),
    drops: (Object.entries(status.drops) as [DropCause, number][])
      .map(([cause, total]) => ({ cause, total, fresh: total - (before?.drops[cause] ?? 0) }))
      .sort((left, right) => right.fresh - left.fresh || right.total - left.total),
  };
}

function shareOf(us: number, status: BridgeStatus, before: BridgeStatus | undefined): number {
  const spanMs = status.uptimeMs - (before?.uptimeMs ?? 0);
  return spanMs <= 0 ? 0 : Math.min(1, Math.max(0, us / 1000 / spanMs));
}

function sharesOf(status: BridgeStatus, before: BridgeStatus | undefined): Shares {
  const own = shareOf(status.mac.airtimeUs - (before?.mac.airtimeUs ?? 0), status, before);
  const others = Math.min(1 - own, shareOf(status.mac.busyUs - (before?.mac.busyUs ?? 0), status, before));
  const stuck = Math.min(1 - own - others, shareOf(status.mac.stuckUs - (before?.mac.stuckUs ?? 0), status, before));
  return { own, others, stuck, idle: 1 - own - others - stuck };
}

function neighboursOf(
  status: BridgeStatus,
  before: BridgeStatus | undefined,
  longBefore: BridgeStatus | undefined,
): NeighbourRow[] {
  const airtimeUs = (station: number, earlier: BridgeStatus | undefined): number =>
    earlier?.neighbours.find((each) => each.station === station)?.airtimeUs ?? 0;
  const share = (station: number, earlier: BridgeStatus | undefined): number =>
    shareOf(airtimeUs(station, status) - airtimeUs(station, earlier), status, earlier);
  // Ours counts as well: who takes less than we do does not take most.
  const inUse = status.neighbours.reduce(
    (sum, { station }) => sum + share(station, longBefore),
    sharesOf(status, longBefore).own,
  );
  const heard = status.neighbours.map(({ station, lastHeardMs, lossRatio, attempts, rssiDbm }): NeighbourRow => {
    const longShare = share(station, longBefore);
    const notes = [
      ...(attempts >= ENOUGH_ATTEMPTS && lossRatio >= HOPELESS_LOSS ? ['deaf to us?'] : []),
      ...(longShare >= NOTABLE_SHARE && longShare > inUse / 2 ? ['takes most'] : []),
    ];
    return {
      station,
      lastHeardMs,
      share: share(station, before),
      longShare,
      lossRatio: attempts === 0 ? null : lossRatio,
      attempts,
      note: notes.join('; '),
      ...(rssiDbm === undefined ? {} : { rssiDbm }),
    };
  });
  const unheard = status.unheard.map(
    ({ station, attempts }): NeighbourRow => ({
      station,
      lastHeardMs: null,
      share: 0,
      longShare: 0,
      lossRatio: 1,
      attempts,
      note: attempts >= ENOUGH_ATTEMPTS ? 'never heard' : '',
    }),
  );
  return [...heard, ...unheard].sort((left, right) => left.station - right.station);
}
