/**
 * HC-12: a transparent radio at 433 MHz. Set up where a modem line is wired to its SET pin; without that it must have been
 * set up before, and is used as it is. Commands and replies: HC-12 manual 2.4.
 */
import { SluiceError } from '../../base/errors.js';
import type { Line } from '../../serial/line.js';
import type { DriverOptions } from '../driver.js';
import { defineDriver } from '../driver-definition.js';
import type { Profile } from '../profile-schema.js';
import { type Hc12Settings, hc12Driver } from '../settings/hc12.js';
import type { Script } from './script.js';
import { SetUpDriver } from './set-up-driver.js';

interface Register {
  readonly query: string;
  /** In the reply to the query; the number is what counts. */
  readonly value: RegExp;
  readonly wanted: number;
  readonly set: string;
}

/** P1 to P8 (manual): what AT+RP says. */
const POWERS_DBM = [-1, 2, 5, 8, 11, 14, 17, 20];

export class Hc12Driver extends SetUpDriver {
  readonly #settings: Hc12Settings;
  readonly #lineEnd: string;

  constructor(profile: Profile, settings: Hc12Settings, options: DriverOptions) {
    super(profile, settings, options);
    this.#settings = settings;
    this.#lineEnd = settings.lineEnd === 'crlf' ? '\r\n' : '';
  }

  /** @throws SluiceError `line` where SET cannot be reached */
  override lineOpened(line: Line): void {
    const { setLine } = this.#settings;
    if (setLine !== 'none' && !this.#pullSet(line, false)) {
      throw new SluiceError(
        'line',
        `cannot set ${setLine.toUpperCase()} on ${line.path}: this line has no modem lines`,
        {
          subject: line.path,
          remedy: 'Use a port with modem lines, or set the module up by other means and set driver.setLine to none.',
        },
      );
    }
    super.lineOpened(line);
  }

  protected *script(): Script {
    const { line } = this;
    const { setLine, enterMs, leaveMs } = this.#settings;
    if (setLine === 'none' || line === undefined) return true;
    const quietMs = (ms: number) => ({ quietUs: ms * 1000 });
    // The module must have been out of command mode for a while before it can be taken there.
    yield quietMs(leaveMs);
    this.#pullSet(line, true);
    yield quietMs(enterMs);
    const isSet = (yield* this.search(() => this.#greet())) && (yield* this.#configure());
    this.#pullSet(line, false);
    line.setBaudRate?.(this.baudRate);
    yield quietMs(leaveMs);
    return isSet;
  }

  *#greet(): Script {
    return (yield* this.ask(`AT${this.#lineEnd}`, /OK\r\n/, 2)) !== undefined;
  }

  *#configure(): Script {
    for (const { query, value, wanted, set } of this.#registers()) {
      for (const mayDiffer of [true, false]) {
        const reply = yield* this.ask(query + this.#lineEnd, value);
        if (reply === undefined) return false;
        if (Number(value.exec(reply)?.[1]) === wanted) break;
        if (!mayDiffer || (yield* this.ask(set + this.#lineEnd, /OK\+.*\r\n/)) === undefined) return false;
      }
    }
    return true;
  }

  /** The mode first: FU2 and FU4 lower the line's rate by themselves. */
  #registers(): Register[] {
    const { mode, channel, power } = this.#settings;
    const number = String(channel).padStart(3, '0');
    const dbm = POWERS_DBM[power - 1] ?? Number.NaN;
    return [
      { query: 'AT+RF', value: /OK\+FU(\d)\r\n/, wanted: mode, set: `AT+FU${mode}` },
      { query: 'AT+RB', value: /OK\+B(\d+)\r\n/, wanted: this.baudRate, set: `AT+B${this.baudRate}` },
      { query: 'AT+RC', value: /OK\+RC(\d+)\r\n/, wanted: channel, set: `AT+C${number}` },
      { query: 'AT+RP', value: /OK\+RP: ?([+-]?\d+)dBm\r\n/, wanted: dbm, set: `AT+P${power}` },
    ];
  }

  #pullSet(line: Line, low: boolean): boolean {
    const { setLine, setLow } = this.#settings;
    const asserted = low === (setLow === 'asserted');
    return line.setOutputs?.(setLine === 'dtr' ? { dtr: asserted } : { rts: asserted }) ?? false;
  }
}

/** Manual: FU4 has one rate, FU2 stops at 4800. */
const BAUD_RATES = [1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200];
const FASTEST = { 1: 115_200, 2: 4800, 3: 115_200, 4: 1200 } as const;

export const driver = defineDriver({
  settings: hc12Driver,
  baudRates: ({ mode }) => BAUD_RATES.filter((rate) => rate <= FASTEST[mode]),
  create: (profile, settings, options) => new Hc12Driver(profile, settings, options),
});
