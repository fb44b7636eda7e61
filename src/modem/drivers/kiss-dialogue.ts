/** Questions and answers in KISS frames, one after the other: set something, wait for the answer, ask again, give up. */
import type { Cancel, Scheduler } from '../../base/clock.js';
import { encodeKiss } from '../../framing/kiss.js';

export interface KissStep {
  readonly type: number;
  readonly payload: Uint8Array;
  /** Whether this frame is the answer wanted. Others are not looked at: they may be about anything. */
  answers(type: number, payload: Uint8Array): boolean;
}

export interface KissDialogueOptions {
  readonly scheduler: Scheduler;
  readonly replyUs: number;
  /** Until the whole is begun anew, after a step that was never answered. */
  readonly retryUs: number;
  write(octets: Uint8Array): void;
}

/** Times that a step is asked before the whole begins anew. */
const TRIES = 3;

export class KissDialogue {
  readonly #options: KissDialogueOptions;
  #steps: readonly KissStep[] = [];
  #at = 0;
  #tries = 0;
  #done: (() => void) | undefined;
  #cancel: Cancel | undefined;

  constructor(options: KissDialogueOptions) {
    this.#options = options;
  }

  /** From the first step on, for as long as it takes. */
  run(steps: readonly KissStep[], done: () => void): void {
    this.#steps = steps;
    this.#done = done;
    this.#at = 0;
    this.#tries = 0;
    this.#ask();
  }

  /** A frame from the modem. @returns whether it was the answer waited for */
  take(type: number, payload: Uint8Array): boolean {
    const step = this.#done === undefined ? undefined : this.#steps[this.#at];
    if (step === undefined || !step.answers(type, payload)) return false;
    this.#at++;
    this.#tries = 0;
    this.#ask();
    return true;
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#done = undefined;
  }

  #ask(): void {
    this.#cancel?.();
    const { scheduler, replyUs, retryUs, write } = this.#options;
    const step = this.#steps[this.#at];
    if (step === undefined) {
      const done = this.#done;
      this.stop();
      done?.();
      return;
    }
    if (this.#tries++ >= TRIES) {
      this.#at = 0;
      this.#tries = 0;
      this.#cancel = scheduler.at(scheduler.nowUs() + retryUs, () => this.#ask());
      return;
    }
    write(encodeKiss(step.type, step.payload));
    this.#cancel = scheduler.at(scheduler.nowUs() + replyUs, () => this.#ask());
  }
}
