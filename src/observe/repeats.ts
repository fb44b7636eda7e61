/**
 * Holds back lines that come too often about one subject. The first ones pass; of those that follow, the newest is written
 * when the window is over, with the number of those that were left out. So the log ends up with how things stand.
 */

export interface RepeatLimit {
  /** Lines in one window that pass. */
  readonly burst: number;
  readonly windowMs: number;
}

/** Writes a line; `leftOut` lines about the same subject came before it and were not written. */
export type WriteRepeated = (leftOut: number) => void;

interface Subject {
  left: number;
  leftOut: number;
  newest: WriteRepeated | null;
  cancel(): void;
}

/** Calls back once after so long; gives what cancels that. */
export type Later = (ms: number, callback: () => void) => () => void;

export class Repeats {
  readonly #later: Later;
  /** Those that were written about in their present window: no more than speak within one. */
  readonly #subjects = new Map<string, Subject>();

  constructor(later: Later) {
    this.#later = later;
  }

  /** Writes now, or later, or leaves it to a newer one about the same subject. */
  pass(name: string, limit: RepeatLimit, write: WriteRepeated): void {
    const subject = this.#subjects.get(name);
    if (subject === undefined) this.#open(name, limit, limit.burst - 1);
    else if (subject.left === 0) {
      if (subject.newest !== null) subject.leftOut++;
      subject.newest = write;
      return;
    } else subject.left--;
    write(0);
  }

  /** Writes what is held back. */
  flush(): void {
    for (const subject of this.#subjects.values()) {
      subject.cancel();
      subject.newest?.(subject.leftOut);
    }
    this.#subjects.clear();
  }

  #open(name: string, limit: RepeatLimit, left: number): void {
    const cancel = this.#later(limit.windowMs, () => {
      this.#subjects.delete(name);
      if (subject.newest === null) return;
      // Whoever goes on like this gets one line a window.
      this.#open(name, limit, 0);
      subject.newest(subject.leftOut);
    });
    const subject: Subject = { left, leftOut: 0, newest: null, cancel };
    this.#subjects.set(name, subject);
  }
}
