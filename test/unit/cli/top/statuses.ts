/** What bridges may say of themselves. */
import type { BridgeStatus } from '../../../../src/daemon/status.js';
import { newMacCounters } from '../../../../src/mac/statistics.js';

export function neighbour(
  station: number,
  fields: Partial<BridgeStatus['neighbours'][number]> = {},
): BridgeStatus['neighbours'][number] {
  return { station, lastHeardMs: 300, lossRatio: 0, attempts: 0, answered: 0, lost: false, airtimeUs: 0, ...fields };
}

export interface Parts extends Partial<Omit<BridgeStatus, 'mac' | 'line'>> {
  readonly mac?: Partial<BridgeStatus['mac']>;
  readonly line?: Partial<BridgeStatus['line']>;
}

/** A bridge that has nothing to do, but for what is given. */
export function statusOf({ mac, line, ...rest }: Parts = {}): BridgeStatus {
  return {
    interface: 'sluice0',
    station: 1,
    profile: 'radio-9600',
    uptimeMs: 10_000,
    line: {
      state: 'open',
      path: '/dev/ttyUSB0',
      bytesIn: 0,
      bytesOut: 0,
      reopens: 0,
      stalls: 0,
      bytesDropped: 0,
      ...line,
    },
    backPressure: {
      mode: 'gate',
      reason: 'tested',
      grants: 0,
      repairs: 0,
      tapDropped: 0,
      qdisc: { kind: 'pfifo_fast', backlogPackets: 12, backlogBytes: 6912, dropped: 0 },
      queueDelayMs: 2400,
    },
    mac: {
      state: 'contending',
      busyRatio: 0,
      txRatio: 0,
      contentionWindow: 32,
      airtimeUs: 0,
      busyUs: 0,
      stuckUs: 0,
      carrierStuck: false,
      budgetLeft: 1,
      slotUs: 9039,
      delayMs: { p50: 41.2, p99: 3100 },
      ...newMacCounters(),
      ...mac,
    },
    neighbours: [],
    unheard: [],
    drops: {},
    ...rest,
  };
}
