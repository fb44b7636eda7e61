/** Answers for who asks again and again: remembers what was told, and tells what has changed since. */
import { randomBytes } from 'node:crypto';
import type { DaemonStatus } from './status.js';
import { changesBetween, type Timed } from './status-changes.js';

/** A dump is some kilobytes. */
const KEPT = 32;

/** The whole status, to begin with; also where `since` names nothing that is remembered, such as after a restart. */
export type WholeDump = DaemonStatus & { readonly token: string };

/** What changed since the dump called `since`. */
export interface ChangesDump {
  readonly token: string;
  readonly since: string;
  readonly changed: Timed;
}

export class StatusDumps {
  readonly #read: () => DaemonStatus;
  /** So that tokens of another run are not taken for ours. */
  readonly #run = randomBytes(3).toString('hex');
  readonly #told = new Map<string, DaemonStatus>();
  #count = 0;

  constructor(read: () => DaemonStatus) {
    this.#read = read;
  }

  /** @param since the token of an earlier dump; anything else gets a whole one */
  dump(since: unknown): WholeDump | ChangesDump {
    const status = this.#read();
    const token = `${this.#run}-${++this.#count}`;
    const before = this.#told.get(String(since));
    this.#told.set(token, status);
    for (const oldest of [...this.#told.keys()].slice(0, -KEPT)) this.#told.delete(oldest);
    return before === undefined
      ? { ...status, token }
      : { token, since: String(since), changed: changesBetween(before, status) };
  }
}
