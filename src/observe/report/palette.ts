/** Which station has which colour and dash in all charts. */
import type { ChannelRecord } from './channel-record.js';
import { STATION_COLOURS, stationColour } from './draw.js';
import { airtimeMs, type Stretch, senders } from './stretch.js';

const OTHERS = 'others';
/** Lines that look alike in print are told apart by their dashes. */
const DASHES = [[], [6, 2], [2, 2], [8, 2, 2, 2], [1, 3], [10, 4], [4, 4], [12, 2, 2, 2, 2, 2], [1, 1]];

export class Palette {
  /** Labels in the order of the stations' numbers; `others` last, where there are more than colours. */
  readonly labels: string[];
  readonly #named: ReadonlySet<number>;

  constructor(record: ChannelRecord) {
    const whole = record.whole;
    const all = everyone(whole);
    const byAirtime = [...all].sort((left, right) => airtimeMs(whole, right) - airtimeMs(whole, left));
    this.#named = new Set(byAirtime.slice(0, STATION_COLOURS));
    this.labels = all.filter((station) => this.#named.has(station)).map((station) => `station ${station}`);
    if (all.length > STATION_COLOURS) this.labels.push(OTHERS);
  }

  label(station: number): string {
    return this.#named.has(station) ? `station ${station}` : OTHERS;
  }

  get colours(): string[] {
    return this.labels.map((label, index) => stationColour(label === OTHERS ? STATION_COLOURS : index));
  }

  get dashes(): number[][] {
    return this.labels.map((_, index) => DASHES[index] ?? []);
  }
}

/** Stations that sent, or have a log, by number. */
export function everyone(stretch: Stretch): number[] {
  return [...new Set([...senders(stretch), ...stretch.figures.keys()])].sort((left, right) => left - right);
}
