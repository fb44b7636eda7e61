/**
 * Dialogues with modems that are set up in commands before they carry data, written as generators: a step is yielded,
 * and what the modem said comes back. Replies are looked for in all that has come since the command was written, so that
 * echoes, prompts and reports around them do no harm.
 */
import type { Cancel, Scheduler } from '../../base/clock.js';

export type ScriptStep =
  /** Nothing is written for so long, and what the modem says is thrown away. */
  | { readonly quietUs: number }
  /** Writes (an octet for each character), then waits for text that matches; the line's time is added to `withinUs`. */
  | { readonly send: string; readonly until: RegExp; readonly withinUs: number };

/** Gets the text that matched, whole, or undefined when none came. */
export type Dialogue<T> = Generator<ScriptStep, T, string | undefined>;

/** Returns whether the modem is set up. */
export type Script = Dialogue<boolean>;

export interface ScriptRunnerOptions {
  readonly scheduler: Scheduler;
  readonly lineOctetUs: number;
  write(octets: Uint8Array): void;
  /** Octets that answered nothing. */
  discard(octets: number): void;
}

/** What is kept of a modem that talks without end. */
const MAX_TEXT = 4096;

export class ScriptRunner {
  readonly #options: ScriptRunnerOptions;
  #script: Script | undefined;
  #done: ((isSetUp: boolean, rest: Uint8Array) => void) | undefined;
  #until: RegExp | undefined;
  #text = '';
  #rest = '';
  #cancel: Cancel | undefined;

  constructor(options: ScriptRunnerOptions) {
    this.#options = options;
  }

  /** Runs the script from its beginning; one at a time. `rest` is what came right behind the text that matched last. */
  run(script: Script, done: (isSetUp: boolean, rest: Uint8Array) => void): void {
    this.#script = script;
    this.#done = done;
    this.#next(undefined);
  }

  /** Octets from the modem. */
  take(octets: Uint8Array): void {
    if (this.#until === undefined) {
      this.#options.discard(octets.length);
      return;
    }
    for (const octet of octets) this.#text += String.fromCharCode(octet);
    this.#text = this.#text.slice(-MAX_TEXT);
    const match = this.#until.exec(this.#text);
    if (match === null) return;
    this.#rest = this.#text.slice(match.index + match[0].length);
    this.#next(this.#text);
  }

  /** Ends the script where it is. */
  stop(): void {
    this.#cancel?.();
    this.#until = undefined;
    this.#script = undefined;
  }

  #next(reply: string | undefined): void {
    const { scheduler, lineOctetUs, write, discard } = this.#options;
    this.#cancel?.();
    this.#until = undefined;
    if (reply === undefined) {
      if (this.#text !== '') discard(this.#text.length);
      this.#rest = '';
    }
    this.#text = '';
    const result = this.#script?.next(reply);
    if (result === undefined) return;
    if (result.done === true) {
      this.#script = undefined;
      const rest = Uint8Array.from(this.#rest, (character) => character.charCodeAt(0));
      this.#rest = '';
      this.#done?.(result.value, rest);
      return;
    }
    const step = result.value;
    let waitUs: number;
    if ('quietUs' in step) waitUs = step.quietUs;
    else {
      this.#until = step.until;
      waitUs = step.withinUs + step.send.length * lineOctetUs;
      write(Uint8Array.from(step.send, (character) => character.charCodeAt(0)));
    }
    this.#cancel = scheduler.at(Math.ceil(scheduler.nowUs() + waitUs), () => this.#next(undefined));
  }
}
