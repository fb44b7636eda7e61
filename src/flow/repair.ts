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
  readonly hung: HungBackPressure;
  /** The mode `none`, for when there is nothing else to be had. */
  makeNone(reason: string): BackPressure;
  /** Monotonic, in microseconds. */
  nowUs(): number;
  report(report: RepairReport): void;
}

export class RepairingBackPressure implements BackPressure {
  readonly #options: RepairOptions;
  #hung: HungBackPressure;
  #none: BackPressure | null = null;
  #repairs = 0;
  #earlierGrants = 0;
  #repairedAtUs: number[] = [];
  #closed = false;

  constructor(options: RepairOptions) {
    this.#options = options;
    this.#hung = options.hung;
  }

  get mode(): BackPressureMode {
    return (this.#none ?? this.#hung).mode;
  }

  get reason(): string {
    return (this.#none ?? this.#hung).reason;
  }

  get grants(): number {
    return this.#earlierGrants + this.#hung.grants;
  }

  get repairs(): number {
    return this.#repairs;
  }

  /** Repairs what can be repaired on the way. Throws SluiceError when the device is out of reach. */
  grant(): void {
    if (this.#none !== null) return;
    try {
      this.#hung.grant();
    } catch (failure) {
      if (!isSluiceError(failure)) throw failure;
      this.#repair(failure.message);
      if (this.#none === null) this.#hung.grant();
    }
  }

  /** Looks whether all is in place, and repairs it. Throws SluiceError when the device is out of reach. */
  check(): void {
    if (this.#none !== null || this.#closed) return;
    const fault = this.#hung.fault();
    if (fault !== null) this.#repair(fault);
  }

  /** Frames that were under way when the gate was given up are still kicks. */
  isKick(frame: Uint8Array): boolean {
    return this.#hung.isKick(frame);
  }

  qdisc(): QdiscStatistics {
    return (this.#none ?? this.#hung).qdisc();
  }

  followMtu(mtuBytes: number): void {
    if (this.#none === null && !this.#closed) this.#hung.followMtu(mtuBytes);
  }

  /** Goes on without: the device is out of reach, or somebody else's. Nothing on it is touched. */
  giveUp(reason: string): void {
    if (this.#none !== null || this.#closed) return;
    this.#hung.leave();
    this.#none = this.#options.makeNone(reason);
  }

  /** Goes on with another one, hung where the device is now. */
  take(hung: HungBackPressure): void {
    this.#hung.leave();
    this.#earlierGrants += this.#hung.grants;
    this.#hung = hung;
    this.#none = null;
  }

  shut(): void {
    if (this.#none === null && !this.#closed) this.#hung.shut();
  }

  /** Ends without touching the device: what waits in it waits for the next one. */
  leave(): void {
    this.#closed = true;
    this.#hung.leave();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#none === null) this.#hung.close();
  }

  #repair(cause: string): void {
    const nowUs = this.#options.nowUs();
    this.#repairedAtUs = this.#repairedAtUs.filter((atUs) => nowUs - atUs < MINUTE_US);
    if (this.#repairedAtUs.length >= REPAIRS_A_MINUTE) {
      this.giveUp(`given up after ${REPAIRS_A_MINUTE} repairs within a minute: ${cause}`);
      this.#options.report({ done: 'given-up', cause, repairs: this.#repairs, lostPackets: 0 });
      return;
    }
    const lostPackets = this.#hung.rehang();
    this.#repairedAtUs.push(nowUs);
    this.#repairs++;
    this.#options.report({ done: 'repaired', cause, repairs: this.#repairs, lostPackets });
  }
}
