/** A Seeed Wio-E5 as far as its test mode goes; it starts in LoRaWAN mode, and a transmission ends reception. */
import type { EmulatorContext, EmulatorFactory } from './emulator.js';
import { hexOf, LoraModem, octetsOfHex } from './lora-modem.js';

const LINE_BAUD = 9600;
const REPLY_US = 3000;
const TURNAROUND_US = 5000;
const BOOT_US = 300_000;
const FACTORY = {
  spreadingFactor: 12,
  bandwidthHz: 125_000,
  codingRate: 5,
  preambleSymbols: 8,
  frequencyHz: 868_000_000,
} as const;
const MAX_PAYLOAD_BYTES = 253;

export class WioE5Emulator extends LoraModem {
  #testing = false;

  constructor(context: EmulatorContext) {
    super(
      context,
      { lineBaud: LINE_BAUD, replyUs: REPLY_US, turnaroundUs: TURNAROUND_US, carrierDetectUs: 0, bootUs: BOOT_US },
      FACTORY,
    );
  }

  protected override forget(): void {
    super.forget();
    this.#testing = false;
  }

  protected chatter(): string {
    return '+INFO: Input timeout\r\n';
  }

  protected command(text: string): void {
    const upper = text.toUpperCase();
    if (upper === 'AT') this.#reply('+AT: OK');
    else if (upper === 'AT+MODE') this.#reply(`+MODE: ${this.#testing ? 'TEST' : 'LWABP'}`);
    else if (upper === 'AT+MODE=TEST') {
      this.#testing = true;
      this.#reply('+MODE: TEST');
    } else if (!upper.startsWith('AT+TEST=')) this.#reply('+AT: ERROR(-10)');
    else if (!this.#testing || this.sending) this.#reply('+TEST: ERROR(-12)');
    else this.#test(upper.slice('AT+TEST='.length));
  }

  #test(text: string): void {
    const [verb = '', ...words] = text.split(',');
    if (verb === 'RFCFG') this.#tune(words);
    else if (verb === 'RXLRPKT') {
      this.listen(true);
      this.#reply('+TEST: RXLRPKT');
    } else if (verb === 'TXLRPKT') this.#transmit(words[0] ?? '');
    else this.#reply('+TEST: ERROR(-1)');
  }

  #tune([megahertz = '', spreading = '', kilohertz = '', preamble = '']: readonly string[]): void {
    const spreadingFactor = Number(spreading.replace('SF', ''));
    const bandwidthHz = Number(kilohertz) * 1000;
    if (!(spreadingFactor >= 7 && spreadingFactor <= 12) || ![125_000, 250_000, 500_000].includes(bandwidthHz)) {
      this.#reply('+TEST: ERROR(-1)');
      return;
    }
    const frequencyHz = Math.round(Number(megahertz) * 1e6);
    Object.assign(this.tuning, { frequencyHz, spreadingFactor, bandwidthHz, preambleSymbols: Number(preamble) });
    this.#reply(
      `+TEST: RFCFG F:${frequencyHz}, ${spreading}, BW${kilohertz}K, TXPR:${preamble}, CRC:ON, IQ:OFF, NET:OFF`,
    );
  }

  #transmit(quoted: string): void {
    const hex = /^"([0-9A-F]+)"$/.exec(quoted)?.[1] ?? '';
    const payload = octetsOfHex(hex);
    if (this.turnsDown() !== undefined || payload === undefined || payload.length > MAX_PAYLOAD_BYTES) {
      this.#reply('+TEST: ERROR(-1)');
      return;
    }
    this.listen(false);
    this.#reply(`+TEST: TXLRPKT ${quoted}`);
    // The echo goes out while the signal is on the air.
    this.radiate(payload, () => this.reply('+TEST: TX DONE\r\n'));
  }

  protected arrived(payload: Uint8Array, rssiDbm: number, snrDb: number): void {
    this.say(`+TEST: LEN:${payload.length}, RSSI:${rssiDbm}, SNR:${snrDb}\r\n`);
    this.say(`+TEST: RX "${hexOf(payload)}"\r\n`);
  }

  /** Not reported. */
  protected arrivedBroken(): void {}

  #reply(text: string): void {
    this.reply(`${text}\r\n`);
  }
}

export const emulator: EmulatorFactory = (context) => new WioE5Emulator(context);
