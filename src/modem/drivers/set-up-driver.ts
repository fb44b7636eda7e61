/**
 * A transparent modem that is set up by commands before it is one: the modem is taken to its command mode, each setting
 * is read, written where it differs and read back, and command mode is left. From then on it is a transparent modem, and
 * whatever looks like a command in the data is data.
 *
 * Nothing is asked of the modem afterwards: while it listens to commands, it throws away what it hears (SiK: the radio
 * loop hands nothing on while `at_mode_active`; HC-12: the SET pin takes the receiver off), so that a look at the signal's
 * strength would cost seconds of traffic.
 */
import type { Cancel } from '../../base/clock.js';
import type { Line } from '../../serial/line.js';
import type { DriverOptions } from '../driver.js';
import type { Profile } from '../profile-schema.js';
import { type Dialogue, type Script, ScriptRunner } from './script.js';
import { type StreamSettings, TransparentDriver } from './transparent.js';

/** The part of the settings that all of them have. */
export interface SetUpSettings extends StreamSettings {
  /** For each reply. */
  readonly replyMs: number;
  /** Until a set-up that failed is begun anew. */
  readonly retryMs: number;
  /** Rates at which a modem is looked for that does not answer at line.baudRate. */
  readonly searchBaudRates: readonly number[];
}

const TRIES = 3;

export abstract class SetUpDriver extends TransparentDriver {
  protected readonly baudRate: number;
  readonly #settings: SetUpSettings;
  readonly #runner: ScriptRunner;
  readonly #counts = { setUps: 0, failedSetUps: 0 };
  /** What the modem said of itself when it was set up. */
  readonly #said = new Map<string, number>();
  #settingUp = false;
  #openLine: Line | undefined;
  #cancelRetry: Cancel | undefined;

  protected constructor(profile: Profile, settings: SetUpSettings, options: DriverOptions) {
    super(profile, settings, options);
    this.baudRate = profile.line.baudRate;
    this.#settings = settings;
    this.#runner = new ScriptRunner({
      scheduler: this.scheduler,
      lineOctetUs: this.lineOctetUs,
      write: (octets) => this.writeToLine(octets),
      discard: (octets) => this.discard('noise', octets),
    });
  }

  /** The whole set-up, from whatever state the modem may be in to its data mode. */
  protected abstract script(): Script;

  override lineOpened(line: Line): void {
    this.#openLine = line;
    super.lineOpened(line);
  }

  override lineLost(): void {
    this.#openLine = undefined;
    super.lineLost();
  }

  protected get line(): Line | undefined {
    return this.#openLine;
  }

  figures(): Record<string, number> {
    return { ...this.#counts, ...Object.fromEntries(this.#said) };
  }

  protected note(name: string, value: number): void {
    this.#said.set(name, value);
  }

  protected override prepare(done: () => void): void {
    this.#settingUp = true;
    this.#runner.run(this.script(), (isSetUp, rest) => {
      if (isSetUp) {
        this.#settingUp = false;
        this.#counts.setUps++;
        done();
        if (rest.length > 0) this.data(rest);
        return;
      }
      this.#counts.failedSetUps++;
      this.#cancelRetry = this.scheduler.at(this.scheduler.nowUs() + this.#settings.retryMs * 1000, () =>
        this.prepare(done),
      );
    });
  }

  protected override receive(octets: Uint8Array): void {
    if (this.#settingUp) this.#runner.take(octets);
    else this.data(octets);
  }

  /** Octets of the radio's data mode. */
  protected data(octets: Uint8Array): void {
    super.receive(octets);
  }

  protected override stopped(): void {
    this.#runner.stop();
    this.#cancelRetry?.();
    this.#settingUp = false;
    this.#said.clear();
    super.stopped();
  }

  /**
   * Gives a command until it is answered. A modem that was asked twice may answer twice: what comes late is waited for,
   * so that nothing later takes it for its own answer. @returns the text that matched
   */
  protected *ask(send: string, until: RegExp, tries = TRIES): Dialogue<string | undefined> {
    const withinUs = this.#settings.replyMs * 1000;
    for (let given = 0; given < tries; given++) {
      const reply = yield { send, until, withinUs };
      if (reply === undefined) continue;
      if (given > 0) yield { quietUs: 2 * withinUs };
      return reply;
    }
    return undefined;
  }

  /**
   * Looks for the modem at the line's own rate, then at others, by a dialogue that it must understand; leaves the line
   * at the rate at which it did. @returns whether it was found
   */
  protected *search(greet: () => Script): Script {
    const line = this.line;
    const others = this.#settings.searchBaudRates.filter((rate) => rate !== this.baudRate);
    // A port that is opened again has the rate of the profile; one that was left at another in a search has not.
    for (const rate of [this.baudRate, ...others]) {
      if (line?.setBaudRate?.(rate) !== true && rate !== this.baudRate) break;
      if (yield* greet()) return true;
    }
    line?.setBaudRate?.(this.baudRate);
    return false;
  }
}
