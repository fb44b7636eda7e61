/** What this station has on the air, what that costs of its limits, and when it must end. */
import type { Cancel, Scheduler } from '../base/clock.js';
import type { ChannelAccess } from './access.js';
import { type AirTap, ANSWER, type OwnFrame } from './air-tap.js';
import type { Limits } from './limits.js';
import type { Phy } from './phy.js';
import type { MacCounters } from './statistics.js';

export type Transmission = 'data' | 'ack' | 'acks' | 'request' | 'clearance' | 'identification';

export interface TransmitterOptions {
  readonly scheduler: Scheduler;
  readonly phy: Phy;
  readonly access: ChannelAccess;
  readonly limits: Limits;
  readonly counters: MacCounters;
  readonly keyDownUs: number | undefined;
  /** Who captures. */
  tap(): AirTap | null;
  keyDownExceeded(limitUs: number): void;
  /** Without a key-down limit: the end of a transmission is told to be overdue after this. */
  readonly overdueUs: number;
  sentOverdue(): void;
  /** It is time to say who we are. */
  identificationDue(): void;
}

export class Transmitter {
  readonly #options: TransmitterOptions;
  #onAir: Transmission | null = null;
  #startedUs = Number.NEGATIVE_INFINITY;
  #endedUs = Number.NEGATIVE_INFINITY;
  #cancelKeyDown: Cancel | null = null;
  #cancelOverdue: Cancel | null = null;
  #cancelIdentify: Cancel | null = null;
  #cancelHold: Cancel | null = null;

  constructor(options: TransmitterOptions) {
    this.#options = options;
  }

  get onAir(): Transmission | null {
    return this.#onAir;
  }

  /** Whether what is heard now, or was sent by somebody so short a time ago, may be ourselves. */
  mayBeEcho(tailUs: number): boolean {
    return this.#onAir !== null || this.#options.scheduler.nowUs() <= this.#endedUs + tailUs;
  }

  /** Calls once the limits leave room for data: now, if they do. */
  whenAllowed(call: () => void): void {
    const { scheduler, limits, counters } = this.#options;
    const fromUs = limits.dataFromUs(scheduler.nowUs());
    if (fromUs <= scheduler.nowUs()) {
      call();
      return;
    }
    counters.held++;
    this.hold(fromUs, () => this.whenAllowed(call));
  }

  /** Calls later, unless the modem is lost before. */
  hold(untilUs: number, call: () => void): void {
    this.#cancelHold?.();
    this.#cancelHold = this.#options.scheduler.at(untilUs, () => {
      this.#cancelHold = null;
      call();
    });
  }

  /** The modem is lost: nothing waits any more. */
  lost(): void {
    this.#cancelHold?.();
    this.#cancelHold = null;
  }

  /** @param continues whether it belongs to the exchange that is going on */
  start(what: Transmission, octets: Uint8Array, continues: boolean, frame: OwnFrame = ANSWER): void {
    const { scheduler, phy, access, limits, tap } = this.#options;
    this.#onAir = what;
    this.#startedUs = scheduler.nowUs();
    access.transmissionStarts(continues);
    limits.transmits(scheduler.nowUs(), phy.timing.airtimeUs(octets.length));
    this.#watchKeyDown();
    this.#watchOverdue();
    this.#watchIdentification();
    tap()?.transmitting(octets, frame);
    phy.transmit(octets);
  }

  /** The answer's airtime, if the limits leave room for it. */
  answer(what: 'ack' | 'clearance', octets: Uint8Array): boolean {
    const { scheduler, phy, limits, counters } = this.#options;
    if (!limits.answerAllowed(scheduler.nowUs(), phy.timing.airtimeUs(octets.length))) {
      counters.answersHeld++;
      return false;
    }
    this.start(what, octets, true);
    return true;
  }

  /** The modem says that it is over. Gives what it was. */
  over(outcome: 'sent' | 'refused' | 'line-down'): Transmission | null {
    const what = this.#onAir;
    this.#onAir = null;
    this.#endedUs = this.#options.scheduler.nowUs();
    this.#cancelKeyDown?.();
    this.#cancelKeyDown = null;
    if (what === 'identification' && outcome === 'sent') this.#identified();
    return what;
  }

  close(): void {
    this.lost();
    this.#cancelKeyDown?.();
    this.#cancelOverdue?.();
    this.#cancelIdentify?.();
  }

  /** The modem should have reported the end by then, and would keep the key down for ever. */
  #watchKeyDown(): void {
    const { scheduler, phy, counters, keyDownUs, keyDownExceeded } = this.#options;
    if (keyDownUs === undefined) return;
    const { turnaroundUs, modemAccessUs = 0, hostLatencyUs } = phy.timing;
    const limitUs = turnaroundUs + modemAccessUs + hostLatencyUs + keyDownUs;
    this.#cancelKeyDown?.();
    this.#cancelKeyDown = scheduler.at(scheduler.nowUs() + limitUs, () => {
      this.#cancelKeyDown = null;
      counters.keyDownExceeded++;
      keyDownExceeded(keyDownUs);
    });
  }

  /** One timer for many transmissions: it looks at the one that is on the air when its time has come. */
  #watchOverdue(): void {
    const { scheduler, counters, keyDownUs, overdueUs, sentOverdue } = this.#options;
    if (keyDownUs !== undefined || this.#cancelOverdue !== null) return;
    this.#cancelOverdue = scheduler.at(this.#startedUs + overdueUs, () => {
      this.#cancelOverdue = null;
      if (this.#onAir === null) return;
      if (scheduler.nowUs() < this.#startedUs + overdueUs) {
        this.#watchOverdue();
        return;
      }
      counters.sentOverdue++;
      sentOverdue();
    });
  }

  /** Says who we are at its time, also when nothing more waits to be sent. */
  #watchIdentification(): void {
    const { scheduler, limits, identificationDue } = this.#options;
    const fromUs = limits.identifyFromUs;
    if (fromUs === null || this.#cancelIdentify !== null) return;
    this.#cancelIdentify = scheduler.at(Math.max(fromUs, scheduler.nowUs()), () => {
      this.#cancelIdentify = null;
      identificationDue();
    });
  }

  #identified(): void {
    this.#options.counters.identifications++;
    this.#options.limits.identified(this.#endedUs);
    this.#cancelIdentify?.();
    this.#cancelIdentify = null;
  }
}
