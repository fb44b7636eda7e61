/** What a profile says to a modem when its line opens, before the driver does: see `line.init`. */
import type { Cancel } from '../../base/clock.js';
import type { Profile } from '../profile-schema.js';
import { type Script, ScriptRunner, type ScriptRunnerOptions } from './script.js';

type Step = Profile['line']['init'][number];

/** Until a script that a modem did not answer is begun anew. */
const RETRY_US = 5_000_000;
const NEVER = /(?!)/;

export class LineInit {
  readonly #steps: readonly Step[];
  readonly #options: ScriptRunnerOptions;
  readonly #unanswered: (step: Step) => void;
  readonly #runner: ScriptRunner;
  #running = false;
  #cancelRetry: Cancel | undefined;

  /** @param unanswered told each time that a step is given up */
  constructor(steps: readonly Step[], options: ScriptRunnerOptions, unanswered: (step: Step) => void) {
    this.#steps = steps;
    this.#options = options;
    this.#unanswered = unanswered;
    this.#runner = new ScriptRunner(options);
  }

  get running(): boolean {
    return this.#running;
  }

  /** `done` once all steps were answered, at once where there are none; `rest` came right behind the last answer. */
  run(done: (rest: Uint8Array) => void): void {
    if (this.#steps.length === 0) {
      done(new Uint8Array(0));
      return;
    }
    this.#running = true;
    this.#runner.run(this.#script(), (isAnswered, rest) => {
      if (isAnswered) {
        this.#running = false;
        done(rest);
        return;
      }
      const { scheduler } = this.#options;
      this.#cancelRetry = scheduler.at(scheduler.nowUs() + RETRY_US, () => this.run(done));
    });
  }

  take(octets: Uint8Array): void {
    this.#runner.take(octets);
  }

  stop(): void {
    this.#running = false;
    this.#cancelRetry?.();
    this.#runner.stop();
  }

  *#script(): Script {
    for (const step of this.#steps) {
      const { send, expect, timeoutMs, retries } = step;
      const until = expect === undefined ? NEVER : new RegExp(expect.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
      let isAnswered = false;
      for (let tries = expect === undefined ? 1 : retries + 1; tries > 0 && !isAnswered; tries--) {
        isAnswered = (yield { send, until, withinUs: timeoutMs * 1000 }) !== undefined;
      }
      if (isAnswered || expect === undefined) continue;
      this.#unanswered(step);
      return false;
    }
    return true;
  }
}
