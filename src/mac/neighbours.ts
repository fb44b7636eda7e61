/** What a station knows of each other one: when it was heard, how well, and how much gets through. */
import type { Station } from '../wire/packet.js';
import type { ReceptionMeta } from './phy.js';

/** How much one attempt weighs in the estimate of loss. */
const LOSS_WEIGHT = 1 / 16;
const ALL_LOSS_WEIGHT = 1 / 64;

export interface Neighbour {
  readonly station: Station;
  lastHeardUs: number;
  /** Share of our unicast attempts that went unacknowledged, as a moving average; 0 before the first. */
  lossRatio: number;
  /** Exchanges begun with it: unicast attempts, a burst being one. */
  attempts: number;
  /** Those of them that were answered. */
  answered: number;
  /** Exchanges without an answer in a row, since it was last heard. */
  missed: number;
  /** Nothing was heard of it for so long, or so often when it was called, that it counts as gone. */
  lost: boolean;
  /** What its frames that we understood took of the channel. */
  airtimeUs: number;
  rssiDbm?: number;
  snrDb?: number;
}

export class Neighbours {
  #lossRatio = 0;
  #attempts = 0;
  readonly #known = new Map<Station, Neighbour>();

  /** Notes that a station was heard; true when it is new, or had been lost. */
  heard(station: Station, nowUs: number, airtimeUs: number, meta: ReceptionMeta): boolean {
    const known = this.#get(station);
    const isNew = known.lost || known.lastHeardUs === Number.NEGATIVE_INFINITY;
    known.lost = false;
    known.missed = 0;
    known.lastHeardUs = nowUs;
    known.airtimeUs += airtimeUs;
    if (meta.rssiDbm !== undefined) known.rssiDbm = meta.rssiDbm;
    if (meta.snrDb !== undefined) known.snrDb = meta.snrDb;
    return isNew;
  }

  /** The same for all together, over a longer time. */
  get lossRatio(): number {
    return this.#lossRatio;
  }

  attempted(station: Station, acknowledged: boolean): void {
    const known = this.#get(station);
    const loss = acknowledged ? 0 : 1;
    this.#lossRatio += (loss - this.#lossRatio) * Math.max(ALL_LOSS_WEIGHT, 1 / ++this.#attempts);
    known.answered += 1 - loss;
    known.missed = acknowledged ? 0 : known.missed + 1;
    known.lossRatio += (loss - known.lossRatio) * Math.max(LOSS_WEIGHT, 1 / ++known.attempts);
  }

  /** Marks those that are silent for longer, or have missed so many calls since they were heard; gives those new among them. */
  loseSilent(nowUs: number, silentUs: number, missedMax: number): Neighbour[] {
    const gone = this.list().filter(
      ({ lost, lastHeardUs, missed }) => !lost && (nowUs - lastHeardUs > silentUs || missed >= missedMax),
    );
    for (const neighbour of gone) neighbour.lost = true;
    return gone;
  }

  /** Those that were heard, by station number. */
  list(): Neighbour[] {
    return [...this.#known.values()]
      .filter((known) => known.lastHeardUs !== Number.NEGATIVE_INFINITY)
      .sort((left, right) => left.station - right.station);
  }

  /** Those that were sent to and never heard, by station number. */
  unheard(): Neighbour[] {
    return [...this.#known.values()]
      .filter((known) => known.lastHeardUs === Number.NEGATIVE_INFINITY && known.attempts > 0)
      .sort((left, right) => left.station - right.station);
  }

  get(station: Station): Neighbour {
    return this.#get(station);
  }

  #get(station: Station): Neighbour {
    let known = this.#known.get(station);
    if (known === undefined) {
      known = {
        station,
        lastHeardUs: Number.NEGATIVE_INFINITY,
        lossRatio: 0,
        attempts: 0,
        answered: 0,
        missed: 0,
        lost: false,
        airtimeUs: 0,
      };
      this.#known.set(station, known);
    }
    return known;
  }
}
