/** An Ebyte E22 (manual 1.5 for the E22-400T22S, as modems.md has it). */
import { EbyteModem, type EbyteWiring, uartRate } from './ebyte-modem.js';
import type { EmulatorContext, EmulatorFactory } from './emulator.js';

export interface E22Traits {
  /** Whether the question for the strength is seen in the midst of data too. */
  readonly scansData?: boolean;
  /** Models or firmware that do not know the question. */
  readonly deafToQuestions?: boolean;
}

/** Address 0000, NETID 00, 9600 and 2.4 kbit/s, 240 octets, channel 17h, WOR 2000 ms. */
const FACTORY = [0, 0, 0, 0x62, 0, 0x17, 3];
const AIR_RATES = [300, 1200, 2400, 4800, 9600, 19_200, 38_400, 62_500];
const SUB_PACKETS = [240, 128, 64, 32];
const QUESTION = [0xc0, 0xc1, 0xc2, 0xc3, 0x00, 0x02];
const BAD = [0xff, 0xff, 0xff];
const PREAMBLE_BYTES = 12;
const QUIET_DBM = -110;
const LOUD_DBM = -60;

export class E22Emulator extends EbyteModem {
  readonly #traits: E22Traits;
  #crypt = 0;
  #lastDbm = QUIET_DBM;

  constructor(context: EmulatorContext, wiring: EbyteWiring = {}, traits: E22Traits = {}, registers = FACTORY) {
    super(
      context,
      { bufferBytes: 1000, registers, setUpMode: 2, lineRate: ([, , , reg0 = 0]) => uartRate(reg0 >> 5) },
      wiring,
    );
    this.#traits = traits;
  }

  protected get airRateBps(): number {
    return AIR_RATES[this.#register(3) & 7] ?? 2400;
  }

  protected get subPacketBytes(): number {
    return SUB_PACKETS[this.#register(4) >> 6] ?? 240;
  }

  protected get preambleUs(): number {
    return (PREAMBLE_BYTES * 8e6) / this.airRateBps;
  }

  protected get identity(): readonly [number, number] {
    return [this.#register(2) ^ (this.#crypt & 0xff), (this.#register(5) * 7) ^ (this.#register(3) & 7)];
  }

  protected override get listensFirst(): boolean {
    return (this.#register(6) & 0x10) !== 0;
  }

  protected execute(typed: readonly number[]): number[] | undefined {
    const [command = 0, address = 0, count = 0, ...values] = typed;
    if (command < 0xc0 || command > 0xc2) return BAD;
    if (typed.length < 3) return undefined;
    if (count === 0 || (address < 7 && address + count > 9)) return BAD;
    if (command === 0xc1) {
      const said = Array.from({ length: count }, (_, i) => this.registers[address + i] ?? 0);
      return address + count <= 7 ? [0xc1, address, count, ...said] : BAD;
    }
    if (values.length < count) return undefined;
    for (const [i, value] of values.entries()) {
      const at = address + i;
      if (at >= 7) this.#crypt = value;
      else {
        this.registers[at] = value;
        if (command === 0xc0) this.stored[at] = value;
      }
    }
    return [0xc1, address, count, ...values];
  }

  protected override taken(burst: Uint8Array): boolean {
    if (this.#traits.deafToQuestions === true) {
      const asks = burst.length === QUESTION.length && isQuestion(burst, 0);
      if (asks) this.reply(String.fromCharCode(...BAD));
      return asks;
    }
    const last = this.#traits.scansData === true ? burst.length - QUESTION.length + 2 : 0;
    for (let at = 0; at <= last; at++) {
      if (!isQuestion(burst, at) || (this.#register(4) & 0x20) === 0) continue;
      const noise = this.medium.carrierNow(this.station) ? LOUD_DBM : QUIET_DBM;
      const values = [noise - this.random.below(4), this.#lastDbm].map((dbm) => -2 * dbm);
      this.reply(String.fromCharCode(0xc1, 0, 2, ...values));
      return true;
    }
    return false;
  }

  protected override arrived(): void {
    this.#lastDbm = LOUD_DBM - this.random.below(20);
  }

  #register(at: number): number {
    return this.registers[at] ?? 0;
  }
}

/** The first four of it are enough. */
function isQuestion(octets: Uint8Array, from: number): boolean {
  return QUESTION.slice(0, 4).every((octet, i) => octets[from + i] === octet);
}

export const emulator: EmulatorFactory = (context) => new E22Emulator(context);
