/**
 * What law and courtesy allow: a share of the time on the air, station identification, quiet after the start. What may not
 * be sent yet stays with the source: a limit is back pressure, never a drop.
 */
import { encodeLinkFrame, type FcsBytes } from '../wire/link-frame.js';
import { BROADCAST, type Station } from '../wire/packet.js';
import type { MacLimits } from './ports.js';

/** The window is counted in so many parts; a part counts whole until it has gone by. */
const PARTS = 60;
/** Share of the budget that is kept for answers, so that others need not repeat in vain. */
const ANSWERS_SHARE = 1 / 8;

export interface LimitsOptions extends MacLimits {
  readonly nowUs: number;
  /** The longest that one win of the channel takes on the air. */
  readonly longestUs: number;
}

export class Limits {
  readonly #options: LimitsOptions;
  readonly #budgetUs: number;
  readonly #partUs: number;
  /** Airtime by part of the window; one more than the window has, so that no window of that length holds more. */
  readonly #spentUs = new Float64Array(PARTS + 1);
  #part = 0;
  #transmitted = false;
  #identifiedUs = Number.NEGATIVE_INFINITY;

  constructor(options: LimitsOptions) {
    this.#options = options;
    const { share, windowUs } = options.dutyCycle ?? { share: 1, windowUs: PARTS };
    this.#budgetUs = share >= 1 ? Number.POSITIVE_INFINITY : share * windowUs;
    this.#partUs = windowUs / PARTS;
    this.#part = Math.floor(options.nowUs / this.#partUs);
  }

  get quietUntilUs(): number {
    return this.#options.nowUs + (this.#options.quietUs ?? 0);
  }

  /** Who we are, if it is time to say so. */
  identification(source: Station, fcsBytes: FcsBytes, nowUs: number): Uint8Array | null {
    const body = this.#options.identification?.text;
    const fromUs = this.identifyFromUs;
    if (body === undefined || fromUs === null || fromUs > nowUs) return null;
    const frame = { type: 'identification', destination: BROADCAST, source, sequence: 0, behind: 0 } as const;
    return encodeLinkFrame({ ...frame, more: false, retry: false, body }, fcsBytes);
  }

  /** A transmission begins. */
  transmits(nowUs: number, airtimeUs: number): void {
    this.#transmitted = true;
    if (this.#budgetUs === Number.POSITIVE_INFINITY) return;
    this.#moveTo(nowUs);
    this.#add(this.#part, airtimeUs);
  }

  identified(nowUs: number): void {
    this.#identifiedUs = nowUs;
    this.#transmitted = false;
  }

  /** When we have to say who we are; null while nothing was sent since we did. */
  get identifyFromUs(): number | null {
    const { identification } = this.#options;
    if (identification === undefined || !this.#transmitted) return null;
    return this.#identifiedUs + identification.intervalUs;
  }

  /** From when on data may be sent, as long as one win of the channel allows. */
  dataFromUs(nowUs: number): number {
    return this.#fromUs(nowUs, this.#options.longestUs, (1 - ANSWERS_SHARE) * this.#budgetUs);
  }

  answerAllowed(nowUs: number, airtimeUs: number): boolean {
    return this.#fromUs(nowUs, airtimeUs, this.#budgetUs) <= nowUs;
  }

  /** What is left of the budget, as a share of it. */
  leftShare(nowUs: number): number {
    if (this.#budgetUs === Number.POSITIVE_INFINITY) return 1;
    this.#moveTo(nowUs);
    return Math.max(0, 1 - this.#sumUs() / this.#budgetUs);
  }

  #fromUs(nowUs: number, airtimeUs: number, budgetUs: number): number {
    if (budgetUs === Number.POSITIVE_INFINITY) return nowUs;
    this.#moveTo(nowUs);
    let spentUs = this.#sumUs();
    if (spentUs + airtimeUs <= budgetUs) return nowUs;
    // The oldest part leaves the window first.
    for (let later = 1; later <= PARTS; later++) {
      spentUs -= this.#at(this.#part + later);
      if (spentUs + airtimeUs <= budgetUs) return (this.#part + later) * this.#partUs;
    }
    return (this.#part + PARTS + 1) * this.#partUs;
  }

  #moveTo(nowUs: number): void {
    const part = Math.floor(nowUs / this.#partUs);
    if (part - this.#part > PARTS) this.#spentUs.fill(0);
    else for (let each = this.#part + 1; each <= part; each++) this.#spentUs[each % this.#spentUs.length] = 0;
    this.#part = Math.max(this.#part, part);
  }

  #at(part: number): number {
    return this.#spentUs[part % this.#spentUs.length] ?? 0;
  }

  #add(part: number, airtimeUs: number): void {
    this.#spentUs[part % this.#spentUs.length] = this.#at(part) + airtimeUs;
  }

  #sumUs(): number {
    return this.#spentUs.reduce((sum, each) => sum + each, 0);
  }
}
