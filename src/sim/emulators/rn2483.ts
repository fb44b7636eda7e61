/**
 * An RN2483 as far as its radio goes (command set as in omaskery/rn2483 and lorapipe): reception ends with each packet, a
 * radio that receives is busy for everything else, the LoRaWAN stack must be paused first.
 */
import type { EmulatorContext, EmulatorFactory } from './emulator.js';
import { hexOf, LoraModem, octetsOfHex } from './lora-modem.js';

const LINE_BAUD = 57_600;
const REPLY_US = 1000;
const TURNAROUND_US = 2000;
const BOOT_US = 200_000;
const VERSION = 'RN2483 1.0.5 Oct 31 2018 15:06:52';
const FACTORY = {
  spreadingFactor: 12,
  bandwidthHz: 125_000,
  codingRate: 5,
  preambleSymbols: 8,
  frequencyHz: 868_100_000,
} as const;
const DEFAULT_WATCHDOG_MS = 15_000;
const MAX_PAYLOAD_BYTES = 255;
/** What `mac pause` answers. */
const PAUSE_MS = '4294967245';

export class Rn2483Emulator extends LoraModem {
  #paused = false;
  #watchdogMs = DEFAULT_WATCHDOG_MS;
  #quality = { rssiDbm: -128, snrDb: -128 };

  constructor(context: EmulatorContext) {
    super(
      context,
      { lineBaud: LINE_BAUD, replyUs: REPLY_US, turnaroundUs: TURNAROUND_US, carrierDetectUs: 0, bootUs: BOOT_US },
      FACTORY,
    );
  }

  protected override forget(): void {
    super.forget();
    this.#paused = false;
    this.#watchdogMs = DEFAULT_WATCHDOG_MS;
  }

  protected override booted(): void {
    this.say(`${VERSION}\r\n`);
  }

  protected chatter(): string {
    return 'radio_err\r\n';
  }

  protected command(text: string): void {
    const [scope, verb, ...words] = text.split(' ');
    if (text === 'sys get ver') this.#reply(VERSION);
    else if (text === 'mac pause') {
      this.#paused = true;
      this.#reply(PAUSE_MS);
    } else if (scope === 'radio') this.#radio(verb ?? '', words);
    else this.#reply('invalid_param');
  }

  #radio(verb: string, words: readonly string[]): void {
    const [first = '', second = ''] = words;
    switch (verb) {
      case 'set':
        this.#reply(this.sending || this.listening ? 'busy' : this.#set(first, second) ? 'ok' : 'invalid_param');
        return;
      case 'get':
        this.#get(first);
        return;
      case 'rx':
        if (this.sending || this.listening || !this.#paused) this.#reply('busy');
        else {
          this.listen(true);
          this.#reply('ok');
        }
        return;
      case 'rxstop':
        this.listen(false);
        this.#reply('ok');
        return;
      case 'tx':
        this.#transmit(first);
        return;
      default:
        this.#reply('invalid_param');
    }
  }

  #set(name: string, value: string): boolean {
    const number = Number(value);
    switch (name) {
      case 'mod':
        return value === 'lora' || value === 'fsk';
      case 'freq':
        this.tuning.frequencyHz = number;
        return (number >= 433_050_000 && number <= 434_790_000) || (number >= 863_000_000 && number <= 928_000_000);
      case 'sf':
        this.tuning.spreadingFactor = Number(value.slice(2));
        return /^sf([7-9]|1[0-2])$/.test(value);
      case 'bw':
        this.tuning.bandwidthHz = number * 1000;
        return /^(125|250|500)$/.test(value);
      case 'cr':
        this.tuning.codingRate = Number(value.slice(2));
        return /^4\/[5-8]$/.test(value);
      case 'prlen':
        this.tuning.preambleSymbols = number;
        return number >= 0 && number <= 65_535;
      case 'wdt':
        this.#watchdogMs = number;
        return number >= 0;
      case 'pwr':
        return number >= -3 && number <= 20;
      case 'sync':
        return /^[0-9a-f]{2}$/i.test(value);
      case 'crc':
      case 'iqi':
        return value === 'on' || value === 'off';
      default:
        return false;
    }
  }

  #get(name: string): void {
    switch (name) {
      case 'snr':
        this.#reply(String(this.#quality.snrDb));
        return;
      case 'rssi':
        this.#reply(String(this.#quality.rssiDbm));
        return;
      case 'wdt':
        this.#reply(String(this.#watchdogMs));
        return;
      case 'sf':
        this.#reply(`sf${this.tuning.spreadingFactor}`);
        return;
      default:
        this.#reply('invalid_param');
    }
  }

  #transmit(hex: string): void {
    const payload = octetsOfHex(hex);
    const fault = this.turnsDown();
    if (fault === 'busy' || this.sending || this.listening || !this.#paused) this.#reply('busy');
    else if (fault === 'refuse' || payload === undefined || payload.length > MAX_PAYLOAD_BYTES)
      this.#reply('invalid_param');
    else {
      this.#reply('ok');
      this.radiate(payload, () => this.say('radio_tx_ok\r\n'));
    }
  }

  protected arrived(payload: Uint8Array, rssiDbm: number, snrDb: number): void {
    this.listen(false);
    this.#quality = { rssiDbm, snrDb };
    this.say(`radio_rx  ${hexOf(payload)}\r\n`);
  }

  protected arrivedBroken(): void {
    this.listen(false);
    this.say('radio_err\r\n');
  }

  #reply(text: string): void {
    this.reply(`${text}\r\n`);
  }
}

export const emulator: EmulatorFactory = (context) => new Rn2483Emulator(context);
