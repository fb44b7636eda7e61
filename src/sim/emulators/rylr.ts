/**
 * A REYAX RYLR998 as its AT guide has it, and as it may be where the guide says nothing: whether the data field is safe
 * for any octet, and whether +OK comes before the signal or after it.
 */
import type { EmulatorContext, EmulatorFactory } from './emulator.js';
import { LoraModem } from './lora-modem.js';

const LINE_BAUD = 115_200;
const REPLY_US = 2000;
const TURNAROUND_US = 3000;
const BOOT_US = 300_000;
/** Defaults of the RYLR998: 9,7,1,12 at 915 MHz. */
const FACTORY = {
  spreadingFactor: 9,
  bandwidthHz: 125_000,
  codingRate: 5,
  preambleSymbols: 12,
  frequencyHz: 915_000_000,
} as const;
const BANDWIDTH_HZ: Readonly<Record<string, number>> = { 7: 125_000, 8: 250_000, 9: 500_000 };
const MAX_DATA_BYTES = 240;
/** On the air: addresses, network and the like. */
const HEADER_BYTES = 8;

export interface RylrTraits {
  /** Whether a data field may hold CR, LF and NUL. Default: it may not. */
  readonly binarySafe?: boolean;
  /** Default: before the signal. */
  readonly okAfterSignal?: boolean;
}

export class RylrEmulator extends LoraModem {
  readonly #traits: RylrTraits;
  #address = 0;
  #network = 18;

  constructor(context: EmulatorContext, traits: RylrTraits = {}) {
    super(
      context,
      { lineBaud: LINE_BAUD, replyUs: REPLY_US, turnaroundUs: TURNAROUND_US, carrierDetectUs: 0, bootUs: BOOT_US },
      FACTORY,
    );
    this.#traits = traits;
    this.listen(true);
  }

  protected override forget(): void {
    super.forget();
    this.#address = 0;
    this.#network = 18;
  }

  protected override booted(): void {
    this.listen(true);
    this.say('+READY\r\n');
  }

  protected chatter(): string {
    return '+ERR=12\r\n';
  }

  protected override octet(octet: number): void {
    const counted = /^AT\+SEND=\d+,(\d+),/.exec(this.typed);
    const inData = counted !== null && this.typed.length < counted[0].length + Number(counted[1]);
    if (inData && this.#traits.binarySafe === true) {
      // Taken for a letter, whatever it is.
      this.typeAnything(octet);
      return;
    }
    // What is no text ends the line, or is swallowed.
    if (octet === 0 && this.#traits.binarySafe !== true) return;
    super.octet(octet);
  }

  protected command(text: string): void {
    const set = /^AT\+([A-Z]+)=(.*)$/s.exec(text);
    if (text === 'AT') this.#reply('+OK');
    else if (text === 'AT+PARAMETER?') this.#reply(`+PARAMETER=${this.#parameters()}`);
    else if (set !== null) this.#set(set[1] ?? '', set[2] ?? '');
    else this.#reply(text.startsWith('AT') ? '+ERR=4' : '+ERR=2');
  }

  #set(name: string, value: string): void {
    const number = Number(value);
    const accept = (legal: boolean, then: () => void): void => {
      if (legal) then();
      this.#reply(legal ? '+OK' : '+ERR=15');
    };
    switch (name) {
      case 'SEND':
        this.#send(value);
        return;
      case 'PARAMETER':
        this.#tune(value);
        return;
      case 'ADDRESS':
        accept(number >= 0 && number <= 65_535, () => {
          this.#address = number;
        });
        return;
      case 'NETWORKID':
        accept(number === 18 || (number >= 3 && number <= 15), () => {
          this.#network = number;
        });
        return;
      case 'BAND':
        accept(number >= 137_000_000 && number <= 1_020_000_000, () => {
          this.tuning.frequencyHz = number;
        });
        return;
      case 'CRFOP':
        accept(number >= 0 && number <= 22, () => {});
        return;
      case 'MODE':
        accept(number === 0 || number === 1, () => this.listen(number === 0));
        return;
      default:
        this.#reply('+ERR=4');
    }
  }

  #tune(value: string): void {
    const [sf = 0, bw = 0, cr = 0, preamble = 0] = value.split(',').map(Number);
    const bandwidthHz = BANDWIDTH_HZ[bw];
    const wide = preamble >= 4 && preamble <= 25;
    if (bandwidthHz === undefined || sf < 7 || sf > bw + 2 || cr < 1 || cr > 4) this.#reply('+ERR=15');
    else if (!wide || (preamble !== 12 && this.#network !== 18)) this.#reply('+ERR=18');
    else {
      Object.assign(this.tuning, { spreadingFactor: sf, bandwidthHz, codingRate: cr + 4, preambleSymbols: preamble });
      this.#reply('+OK');
    }
  }

  #send(value: string): void {
    const head = /^(\d+),(\d+),/.exec(value);
    const data = value.slice(head?.[0].length ?? 0);
    const count = Number(head?.[2] ?? -1);
    const fault = this.turnsDown();
    if (fault === 'busy' || this.sending) this.#reply('+ERR=17');
    else if (fault === 'refuse') this.#reply('+ERR=10');
    else if (count > MAX_DATA_BYTES) this.#reply('+ERR=13');
    else if (head === null || data.length !== count || count === 0) this.#reply('+ERR=5');
    else {
      const to = Number(head[1]);
      const payload = Uint8Array.from(data, (character) => character.charCodeAt(0));
      const header = [this.#network, this.#address >> 8, this.#address & 0xff, to >> 8, to & 0xff, count, 0, 0];
      const after = this.#traits.okAfterSignal === true;
      if (!after) this.#reply('+OK');
      // The header is on the air, and in the packet.
      this.radiate(Uint8Array.of(...header, ...payload), () => {
        if (after) this.#reply('+OK');
      });
    }
  }

  protected arrived(packet: Uint8Array, rssiDbm: number, snrDb: number): void {
    const [network, high = 0, low = 0, toHigh = 0, toLow = 0, count = 0] = packet;
    const to = (toHigh << 8) | toLow;
    if (network !== this.#network || (to !== 0 && to !== this.#address)) return;
    const data = String.fromCharCode(...packet.subarray(HEADER_BYTES));
    this.say(`+RCV=${(high << 8) | low},${count},${data},${rssiDbm},${snrDb}\r\n`);
  }

  protected arrivedBroken(): void {
    this.say('+ERR=12\r\n');
  }

  #parameters(): string {
    const { spreadingFactor, bandwidthHz, codingRate, preambleSymbols } = this.tuning;
    const index = { 125000: 7, 250000: 8, 500000: 9 }[bandwidthHz] ?? 7;
    return [spreadingFactor, index, codingRate - 4, preambleSymbols].join(',');
  }

  #reply(text: string): void {
    this.reply(`${text}\r\n`);
  }
}

export const emulator: EmulatorFactory = (context) => new RylrEmulator(context);
