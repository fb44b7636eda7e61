/** What emulated modems have in common that can be restarted: what was planned before does not happen, and the time until they wake. */
import type { Scheduler } from '../../base/clock.js';
import type { Random } from '../../base/random.js';
import type { Medium } from '../medium.js';
import type { EmulatorContext } from './emulator.js';

const WAKE_POLL_US = 10_000;

export abstract class RestartingModem {
  protected readonly scheduler: Scheduler;
  protected readonly random: Random;
  protected readonly medium: Medium;
  protected readonly station: number;
  readonly #bootUs: number;
  #life = 0;
  #asleep = false;

  /** @param bootUs after a restart it is deaf and dumb for so long */
  protected constructor({ scheduler, random, medium, station }: EmulatorContext, bootUs: number) {
    this.scheduler = scheduler;
    this.random = random;
    this.medium = medium;
    this.station = station;
    this.#bootUs = bootUs;
  }

  /** Everything volatile is lost. */
  protected abstract forget(): void;
  protected booted(): void {}

  protected get asleep(): boolean {
    return this.#asleep;
  }

  /** Power gone and back, or a restart by command. */
  protected startAnew(): void {
    this.#life++;
    this.#asleep = true;
    this.forget();
    this.after(this.#bootUs, () => this.#wake());
  }

  /** Later, unless it is restarted before. */
  protected after(waitUs: number, callback: () => void): void {
    const life = this.#life;
    this.scheduler.at(this.scheduler.nowUs() + Math.ceil(waitUs), () => {
      if (life === this.#life) callback();
    });
  }

  #wake(): void {
    // The medium lets no signal be cut off: the modem starts when its last one is over.
    if (this.medium.sending(this.station)) {
      this.after(WAKE_POLL_US, () => this.#wake());
      return;
    }
    this.#asleep = false;
    this.booted();
  }
}
