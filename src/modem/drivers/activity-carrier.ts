/**
 * Carrier sense for modems that give nothing but octets: busy from the first octet that arrives.
 *
 * Idle comes from one of two things. The end of a good frame is the reference that all stations share, so it ends the
 * carrier at once (or when the sender's tail is over); should more octets follow, the carrier is back with the first.
 * After anything else, noise and collisions above all, it takes a silence.
 */
import type { Cancel, Scheduler } from '../../base/clock.js';

export interface ActivityCarrierOptions {
  readonly scheduler: Scheduler;
  /** Quiet for so long is silence: octet times, and how late this host may hear of an octet. */
  readonly silenceUs: number;
  /** Whether octets have reached the host that nobody has read yet. */
  pendingInput(): boolean;
  changed(busy: boolean): void;
}

export class ActivityCarrier {
  readonly #options: ActivityCarrierOptions;
  #busy = false;
  #lastOctetUs = Number.NEGATIVE_INFINITY;
  /** When the carrier ends unless something arrives. */
  #quietAtUs = 0;
  #cancelTimer: Cancel | undefined;

  constructor(options: ActivityCarrierOptions) {
    this.#options = options;
  }

  get busy(): boolean {
    return this.#busy;
  }

  /** When the last octet arrived; minus infinity before the first. */
  get lastOctetUs(): number {
    return this.#lastOctetUs;
  }

  /** Octets have arrived just now. */
  octets(): void {
    const nowUs = this.#options.scheduler.nowUs();
    this.#lastOctetUs = nowUs;
    this.#quietAtUs = nowUs + this.#options.silenceUs;
    if (!this.#busy) this.#set(true);
    // A timer that runs already finds the new time when it is due; nothing is rescheduled for each octet.
    this.#cancelTimer ??= this.#options.scheduler.at(this.#quietAtUs, () => this.#due());
  }

  /** The octet that arrived last ended a good frame; the sender's signal goes on for `tailUs`. */
  frameEnded(tailUs: number): void {
    if (tailUs <= 0) {
      this.end();
      return;
    }
    this.#stopTimer();
    this.#quietAtUs = this.#options.scheduler.nowUs() + tailUs;
    this.#cancelTimer = this.#options.scheduler.at(this.#quietAtUs, () => this.#due());
  }

  /** Idle from now on, whatever was heard. */
  end(): void {
    this.#stopTimer();
    if (this.#busy) this.#set(false);
  }

  #due(): void {
    const { scheduler, silenceUs } = this.#options;
    this.#cancelTimer = undefined;
    const nowUs = scheduler.nowUs();
    // A busy event loop may run this timer before it reads what has long arrived: that is no silence.
    if (nowUs >= this.#quietAtUs && this.#options.pendingInput()) this.#quietAtUs = nowUs + silenceUs;
    if (nowUs >= this.#quietAtUs) this.end();
    else this.#cancelTimer = scheduler.at(this.#quietAtUs, () => this.#due());
  }

  #stopTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #set(busy: boolean): void {
    this.#busy = busy;
    this.#options.changed(busy);
  }
}
