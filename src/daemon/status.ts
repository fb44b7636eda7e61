/** What `sluice status --json` shows; the keys are promised to scripts. */
import type { DropCause } from '../base/drops.js';
import type { BackPressureMode, QdiscStatistics } from '../flow/back-pressure.js';
import type { MacCounters } from '../mac/statistics.js';
import type { CaptureStatus } from './air-capture.js';

export interface BridgeStatus {
  readonly interface: string;
  readonly station: number;
  readonly profile: string;
  readonly uptimeMs: number;
  readonly line: {
    readonly state: string;
    readonly path: string;
    readonly bytesIn: number;
    readonly bytesOut: number;
    readonly reopens: number;
    /** How often it took no octet for so long that it was opened again. */
    readonly stalls: number;
    /** Octets written that never left, because the line was lost. */
    readonly bytesDropped: number;
  };
  readonly backPressure: {
    readonly mode: BackPressureMode;
    readonly reason: string;
    readonly grants: number;
    /** How often somebody took it off the device, and it was put back. */
    readonly repairs: number;
    readonly tapDropped: number;
    readonly qdisc: QdiscStatistics;
    /** How long what waits in it takes to get through, sampled; 0 when nothing waits. */
    readonly queueDelayMs: number;
  };
  readonly mac: {
    readonly state: string;
    readonly busyRatio: number;
    readonly txRatio: number;
    readonly contentionWindow: number;
    readonly airtimeUs: number;
    /** Time in which others were heard. */
    readonly busyUs: number;
    /** Time in which a carrier was sensed that was no longer believed. */
    readonly stuckUs: number;
    /** A carrier was busy for so long that it is no longer believed. */
    readonly carrierStuck: boolean;
    /** What is left of the duty-cycle budget, as a share of it; 1 without one. */
    readonly budgetLeft: number;
    readonly slotUs: number;
    readonly delayMs: { readonly p50: number; readonly p99: number };
  } & Readonly<MacCounters>;
  readonly neighbours: readonly {
    readonly station: number;
    readonly lastHeardMs: number;
    readonly lossRatio: number;
    /** Exchanges begun with it. */
    readonly attempts: number;
    /** Those of them that were answered. */
    readonly answered: number;
    /** Silent for long, or for many calls. */
    readonly lost: boolean;
    /** What its frames that were understood took of the channel. */
    readonly airtimeUs: number;
    readonly rssiDbm?: number;
  }[];
  /** Stations that were sent to and never heard. */
  readonly unheard: readonly { readonly station: number; readonly attempts: number }[];
  /** What the modem last said of itself and its channel, and what its driver counted; absent where there is nothing. */
  readonly modem?: Readonly<Record<string, number>>;
  readonly drops: Partial<Record<DropCause, number>>;
}

/** What the control socket answers. */
export interface DaemonStatus extends BridgeStatus {
  readonly capture: CaptureStatus;
}

/** A share with four decimals: enough for the eye, short in a log. */
export function ratio(part: number, whole: number): number {
  return whole <= 0 ? 0 : Math.round((10_000 * part) / whole) / 10_000;
}

export function milliseconds(us: number): number {
  return Math.round(us / 100) / 10;
}
