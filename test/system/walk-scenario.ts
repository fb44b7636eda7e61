/**
 * The walk: five stations on one emulated radio channel, and three things wrong with it. Station 2 floods, station 4 is
 * deaf to 1 and 3, and the squelch of station 5 sticks open a while after the start. What is wrong must be found from the
 * logs, from `sluice top` and from the report; see hardware/walk.md.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LogRecord } from '../../src/daemon/station-calls.js';
import { addressOf, Neighbourhood, type Station } from '../../src/daemon/stations.js';
import { ROOT } from './daemon-support.js';
import { nextTurns } from './native-support.js';

export const FLOODER = 2;
export const FLOODED = 3;
export const DEAF = 4;
export const UNHEARD_BY_DEAF = [1, 3] as const;
export const STUCK = 5;

const NUMBERS = [1, 2, 3, 4, 5] as const;
const SETTINGS = ['mac.hostLatencyUs=50000'];
const SINK_PORT = 9;
/** Fills the MTU. */
const FLOOD_BYTES = 548;
const PACED_BYTES = 80;
const PACED_US = 4_000_000;
/** Longer than any walk lasts: it ends with its station's process. */
const PACED_TICKS = 100;
/** Modest traffic, as [from, to]. */
const PACED: readonly (readonly [number, number])[] = [
  [1, 3],
  [1, 4],
  [3, 4],
  [4, 1],
  [4, 2],
  [5, 1],
];
/** The carrier sticks after 12 s and is found out 10 s later. */
const PATIENCE_MS = 90_000;
const CALLS = 3;
/** So that what each station does at its start does not weigh much. */
const LEAST_MS = 22_000;

export class Walk {
  readonly #place = new Neighbourhood();

  /** Bridges, receivers and traffic run when this is done. Must be closed, also when it fails. */
  async start(): Promise<void> {
    await this.#place.startMedium(readFileSync(join(ROOT, 'hardware/walk.yaml'), 'utf8'), 5);
    for (const _ of NUMBERS) await this.#place.open();
    await Promise.all(NUMBERS.map((number) => this.#up(number)));
    for (const [from, to] of PACED) {
      // Answers when it is over, which nobody waits for.
      this.station(from)
        .call('pace', {
          to: { address: addressOf(to), port: SINK_PORT },
          streams: [{ stream: from, typeOfService: 0 }],
          payloadBytes: PACED_BYTES,
          intervalUs: PACED_US,
          ticks: PACED_TICKS,
        })
        .catch(() => undefined);
    }
    await this.station(FLOODER).call('flood', {
      to: { address: addressOf(FLOODED), port: SINK_PORT },
      stream: FLOODER,
      typeOfService: 0,
      payloadBytes: FLOOD_BYTES,
    });
  }

  station(number: number): Station {
    const station = this.#place.stations[number - 1];
    if (station === undefined) throw new Error(`no station ${number}`);
    return station;
  }

  /** Waits a while, and until there is something of each cause in the logs. */
  async found(): Promise<void> {
    const untilMs = Date.now() + PATIENCE_MS;
    await nextTurns(LEAST_MS);
    for (;;) {
      const missing = this.#missing();
      if (missing === '') return;
      if (Date.now() > untilMs) throw new Error(`not in the logs: ${missing}`);
      await nextTurns(50);
    }
  }

  /** What each station has logged so far, by station: NDJSON, as `sluice up` wrote it. */
  logs(): ReadonlyMap<number, string> {
    const lines = (station: Station): string => station.log.map((record) => `${JSON.stringify(record)}\n`).join('');
    return new Map(NUMBERS.map((number) => [number, lines(this.station(number))]));
  }

  /** Ends everything; the last lines of the logs come before it is done. Idempotent. */
  async close(): Promise<void> {
    await this.#place.close();
  }

  #missing(): string {
    const stuckMs = this.#channels(STUCK).reduce((sum, line) => sum + Number(line.stuckMs ?? 0), 0);
    if (stuckMs === 0) return `time of a stuck carrier at station ${STUCK}`;
    for (const number of UNHEARD_BY_DEAF) {
      const calls = this.#channels(number).map((line) => (line.unanswered as Record<string, number>)?.[DEAF] ?? 0);
      if (calls.reduce((sum, count) => sum + count, 0) < CALLS) return `calls of station ${number} to ${DEAF}`;
    }
    return '';
  }

  #channels(number: number): LogRecord[] {
    return this.station(number).log.filter(({ event }) => event === 'channel');
  }

  async #up(number: number): Promise<void> {
    const station = this.station(number);
    await station.up({
      number,
      profile: 'radio-9600',
      port: this.#place.medium.port(number),
      settings: SETTINGS,
      args: ['--log-interval', '2'],
    });
    await station.call('receive', { port: SINK_PORT });
  }
}
