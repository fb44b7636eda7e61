/**
 * Microhard MHX and n920 radios: set up like a telephone modem, then a line by turns between a master and those that
 * follow it. DCD says that they hear each other; where the port has it, nothing is sent without. Commands and registers:
 * MHX-900 manual.
 */
import type { Line } from '../../serial/line.js';
import type { DriverOptions } from '../driver.js';
import { defineDriver } from '../driver-definition.js';
import type { Profile } from '../profile-schema.js';
import { type MicrohardSettings, microhardDriver } from '../settings/microhard.js';
import type { Script } from './script.js';
import { SetUpDriver } from './set-up-driver.js';

/** S102. */
const BAUD_CODES = new Map([
  [115_200, 1],
  [57_600, 2],
  [38_400, 3],
  [19_200, 5],
  [9600, 7],
  [4800, 9],
  [2400, 11],
]);
/** S101. */
const MODES = { master: 1, slave: 2, 'multipoint-master': 3, 'multipoint-slave': 4 } as const;
/** OK in words, or the digit of V0 in which a radio may be found. */
const OK = /OK\r\n|(?:^|[\r\n])0\r/;
/** The value of a register on a line of its own, behind the echo if there is one, which ends with a question mark. */
const VALUE = /(?:^|[\r\n])(?:S\d+ ?= ?)?(\d+)\r\n/;
const CONNECT = /CONNECT[^\r\n]*\r\n/;
const DCD_POLL_US = 100_000;

export class MicrohardDriver extends SetUpDriver {
  readonly #settings: MicrohardSettings;
  readonly #registers: readonly (readonly [number: number, wanted: number])[];
  #isSetUp = false;
  #isWatched = false;

  constructor(profile: Profile, settings: MicrohardSettings, options: DriverOptions) {
    super(profile, settings, options);
    this.#settings = settings;
    this.#registers = [
      [101, MODES[settings.mode]],
      [102, BAUD_CODES.get(this.baudRate) ?? Number.NaN],
      [103, settings.linkRate],
      [104, settings.networkAddress],
    ];
  }

  override lineOpened(line: Line): void {
    this.#isSetUp = !this.#settings.configure;
    this.#isWatched = false;
    super.lineOpened(line);
  }

  protected *script(): Script {
    if (!this.#isSetUp) {
      if (!(yield* this.search(() => this.#enterCommands())) || !(yield* this.#configure())) return false;
      yield { send: 'ATA\r', until: CONNECT, withinUs: this.#settings.connectMs * 1000 };
      this.line?.setBaudRate?.(this.baudRate);
      this.#isSetUp = true;
    }
    while (this.line?.inputs?.()?.dcd === false) yield { quietUs: DCD_POLL_US };
    return true;
  }

  protected override started(): void {
    super.started();
    this.#isWatched ||= this.line?.watchInputs?.(({ dcd }) => this.#dcdChanged(dcd)) ?? false;
  }

  *#enterCommands(): Script {
    const { guardMs, replyMs } = this.#settings;
    // In command mode a half-typed command ends here; in data mode these are octets between frames.
    if ((yield* this.ask('\rAT\r', OK, 2)) !== undefined) return true;
    yield { quietUs: guardMs * 1000 };
    return (yield { send: '+++', until: OK, withinUs: (guardMs + replyMs) * 1000 }) !== undefined;
  }

  *#configure(): Script {
    for (const command of this.#settings.init) {
      if ((yield* this.ask(`${command}\r`, OK)) === undefined) return false;
    }
    let isChanged = false;
    for (const [number, wanted] of this.#registers) {
      for (const mayDiffer of [true, false]) {
        const reply = yield* this.ask(`ATS${number}?\r`, VALUE);
        if (reply === undefined) return false;
        if (Number(VALUE.exec(reply)?.[1]) === wanted) break;
        isChanged = true;
        if (!mayDiffer || (yield* this.ask(`ATS${number}=${wanted}\r`, OK)) === undefined) return false;
      }
    }
    return !isChanged || (yield* this.ask('AT&W\r', OK)) !== undefined;
  }

  #dcdChanged(dcd: boolean): void {
    if (!dcd) this.restart();
  }
}

export const driver = defineDriver({
  settings: microhardDriver,
  channelAccess: ['none'],
  baudRates: () => [...BAUD_CODES.keys()],
  create: (profile, settings, options) => new MicrohardDriver(profile, settings, options),
});
