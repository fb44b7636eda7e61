/**
 * Back pressure that stays: what others take off the device is hung again, a few times a minute. Two programs that both
 * want the root qdisc must not fight for ever, so the one that is us gives in, loudly, and goes on without back pressure.
 */

import { isSluiceError } from '../base/errors.js';
import type { BackPressure, BackPressureMode, HungBackPressure, QdiscStatistics } from './back-pressure.js';

/** Own estimate: an operator's hand is slower than this, a program's is not. */
const REPAIRS_A_MINUTE = 5;
const MINUTE_US = 60_000_000;

export interface RepairReport {
  readonly done: 'repaired' | 'given-up';
  /** What was found, in words. */
  readonly cause: string;
  /** So far. */
  readonly repairs: number;
  /** Packets that waited in the qdisc which had taken the place of ours, and were lost with it. */
  readonly lostPackets: number;
}

export interface RepairOptions {
  /** Null: there is nothing to be had from the start. */
  readonly hung: HungBackPressure | null;
  /** Why, for the mode `none`. */
  readonly reason: string;
  /** The mode `none`, for when there is nothing else to be had. */
  makeNone(reason: string): BackPressure;
  /** Monotonic, in microseconds. */
  nowUs(): number;
  report(report: RepairReport): void;
}

export class RepairingBackPressure implements BackPressure {
  readonly #options: RepairOptions;
  /** What repairs and notices; the last one stays for telling kicks when it was given up. */
  #hung: HungBackPressure | null;
  #none: BackPressure | null;
  #repairs = 0;
  #earlierGrants = 0;
  #repairedAtUs: number[] = [];
  #closed = false;
  #lastQdisc: QdiscStatistics = { kind: 'none', backlogPackets: 0, backlogBytes: 0, dropped: 0 };

  constructor(options: RepairOptions) {
    this.#options = options;
    this.#hung = options.hung;
    this.#none = options.hung === null ? options.makeNone(options.reason) : null;
  }

  get mode(): BackPressureMode {
    return this.#present?.mode ?? 'none';
  }

  get reason(): string {
    return this.#present?.reason ?? this.#options.reason;
  }

  get grants(): number {
    return this.#earlierGrants + (this.#hung?.grants ?? 0);
  }

  get repairs(): number {
    return this.#repairs;
  }

  /** Repairs what can be repaired on the way. Throws SluiceError when the device is out of reach. */
  grant(): void {
    const hung = this.#inPlace;
    try {
      hung?.grant();
    } catch (failure) {
      if (!isSluiceError(failure)) throw failure;
      this.#repair(hung, failure.message);
      this.#inPlace?.grant();
    }
  }

  /** Looks whether all is in place, and repairs it. Throws SluiceError when the device is out of reach. */
  check(): void {
    const hung = this.#inPlace;
    const fault = hung?.fault() ?? null;
    if (fault !== null) this.#repair(hung, fault);
  }

  /** Frames that were under way when the gate was given up are still kicks. */
  isKick(frame: Uint8Array): boolean {
    return this.#hung?.isKick(frame) ?? false;
  }

  /** As last seen, where the device is out of reach. */
  qdisc(): QdiscStatistics {
    try {
      this.#lastQdisc = this.#present?.qdisc() ?? this.#lastQdisc;
    } catch (failure) {
      if (!isSluiceError(failure)) throw failure;
    }
    return this.#lastQdisc;
  }

  followMtu(mtuBytes: number): void {
    this.#inPlace?.followMtu(mtuBytes);
  }

  /** Goes on without: the device is out of reach, or somebody else's. Nothing on it is touched. */
  giveUp(reason: string): void {
    if (this.#closed) return;
    this.#hung?.leave();
    this.#none = this.#options.makeNone(reason);
  }

  /** Goes on with another one, hung where the device is now. */
  take(hung: HungBackPressure): void {
    this.#hung?.leave();
    this.#earlierGrants = this.grants;
    this.#hung = hung;
    this.#none = null;
  }

  shut(): void {
    this.#inPlace?.shut();
  }

  /** Ends without touching the device: what waits in it waits for the next one. */
  leave(): void {
    this.#inPlace?.leave();
    this.#closed = true;
  }

  close(): void {
    this.#inPlace?.close();
    this.#closed = true;
  }

  get #present(): BackPressure | null {
    return this.#none ?? this.#hung;
  }

  /** The one that hangs on the device now. */
  get #inPlace(): HungBackPressure | null {
    return this.#closed || this.#none !== null ? null : this.#hung;
  }

  #repair(hung: HungBackPressure | null, cause: string): void {
    if (hung === null) return;
    const nowUs = this.#options.nowUs();
    this.#repairedAtUs = this.#repairedAtUs.filter((atUs) => nowUs - atUs < MINUTE_US);
    if (this.#repairedAtUs.length >= REPAIRS_A_MINUTE) {
      this.giveUp(`given up after ${REPAIRS_A_MINUTE} repairs within a minute: ${cause}`);
      this.#options.report({ done: 'given-up', cause, repairs: this.#repairs, lostPackets: 0 });
      return;
    }
    const lostPackets = hung.rehang();
    this.#repairedAtUs.push(nowUs);
    this.#repairs++;
    this.#options.report({ done: 'repaired', cause, repairs: this.#repairs, lostPackets });
  }
}
