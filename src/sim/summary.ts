/** What a medium has seen, as `sluice sim` prints it at its end. */
import type { ChannelTime, Medium } from './medium.js';
import type { StationCounts } from './signal.js';

export interface StationSummary extends StationCounts {
  readonly id: number;
  readonly modem: string;
  /** The emulator's own counts. */
  readonly emulator: Readonly<Record<string, number>>;
}

export interface MediumSummary {
  readonly event: 'summary';
  readonly rateBps: number;
  readonly channel: ChannelTime;
  readonly stations: readonly StationSummary[];
}

export interface SummarisedStation {
  readonly id: number;
  readonly modem: string;
  counts(): Record<string, number>;
}

export function summarise(medium: Medium, stations: readonly SummarisedStation[]): MediumSummary {
  return {
    event: 'summary',
    rateBps: medium.rateBps,
    channel: medium.channelTime(),
    stations: stations.map(({ id, modem, counts }) => ({ id, modem, ...medium.counts(id), emulator: counts() })),
  };
}
