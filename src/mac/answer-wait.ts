/** Waits for the answer to a transmission; registered before anything else can happen. */
import type { Cancel, Scheduler } from '../base/clock.js';
import type { Phy } from './phy.js';
import type { MacTiming } from './timing.js';

export interface AnswerWaitOptions {
  readonly scheduler: Scheduler;
  readonly phy: Phy;
  readonly timing: MacTiming;
  /** Whether something is being received now. */
  answering(): boolean;
}

export class AnswerWait {
  readonly #options: AnswerWaitOptions;
  #cancel: Cancel | null = null;

  constructor(options: AnswerWaitOptions) {
    this.#options = options;
  }

  /**
   * Calls `missing` when the answer should have been received whole, `endsUs` after `fromUs`. Where arriving octets show
   * the start of an answer, silence at that moment is answer enough.
   */
  start(fromUs: number, endsUs: number, missing: () => void): void {
    const { phy, timing } = this.#options;
    const afterUs = fromUs + (phy.timing.modemAccessUs ?? 0);
    const startIsSeen = phy.capabilities.carrierSense === 'activity' && phy.capabilities.channelAccess === 'host';
    this.#wait(afterUs + (startIsSeen ? timing.ackStartUs : endsUs), afterUs + endsUs, missing);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  #wait(atUs: number, endUs: number, missing: () => void): void {
    this.stop();
    this.#cancel = this.#options.scheduler.at(atUs, () => {
      this.#cancel = null;
      if (atUs < endUs && this.#options.answering()) this.#wait(endUs, endUs, missing);
      else missing();
    });
  }
}
