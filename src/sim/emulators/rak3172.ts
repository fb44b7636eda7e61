/**
 * A RAK3172 with RUI3 in P2P mode, after RUI's atcmd_p2p.c: parameters are kept over a restart, reception is not; while it
 * receives it refuses changes; with CAD it refuses to send into a signal whose preamble it hears.
 */
import type { EmulatorContext, EmulatorFactory } from './emulator.js';
import { hexOf, LoraModem, octetsOfHex } from './lora-modem.js';

const LINE_BAUD = 115_200;
const REPLY_US = 2000;
const TURNAROUND_US = 4000;
const BOOT_US = 400_000;
const FACTORY = {
  spreadingFactor: 7,
  bandwidthHz: 125_000,
  codingRate: 5,
  preambleSymbols: 8,
  frequencyHz: 868_000_000,
} as const;
const BANDWIDTH_HZ: Readonly<Record<string, number>> = { 0: 125_000, 1: 250_000, 2: 500_000 };
const MAX_PAYLOAD_BYTES = 239;
const LISTEN_FOR_GOOD = 65_533;
const LISTEN_ONLY = 65_534;
const LISTEN_ONCE = 65_535;

export class Rak3172Emulator extends LoraModem {
  /** 0 is P2P. Kept over a restart. */
  #mode = 0;
  #stored: typeof this.tuning = { ...FACTORY };
  #window = 0;
  #cad = false;

  constructor(context: EmulatorContext) {
    super(
      context,
      { lineBaud: LINE_BAUD, replyUs: REPLY_US, turnaroundUs: TURNAROUND_US, carrierDetectUs: 0, bootUs: BOOT_US },
      FACTORY,
    );
  }

  protected override forget(): void {
    super.forget();
    Object.assign(this.tuning, this.#stored);
    this.#window = 0;
    this.#cad = false;
  }

  protected override booted(): void {
    this.say('RAKwireless RAK3172-E\r\n------------------------------------------------------\r\n');
    this.say(`Current Work Mode: ${this.#mode === 0 ? 'LoRa P2P' : 'LoRaWAN'}.\r\n`);
  }

  protected chatter(): string {
    return '\r\n+EVT:RXP2P RECEIVE ERROR\r\n';
  }

  protected command(text: string): void {
    const [name = '', value] = text.split('=', 2);
    if (text === 'AT') this.#reply('OK');
    else if (name === 'AT+NWM') this.#networkMode(value);
    else if (this.#mode !== 0) this.#reply('AT_MODE_NO_SUPPORT');
    else if (name === 'AT+P2P') this.#tune(value ?? '');
    else if (name === 'AT+CAD') {
      this.#cad = value === '1';
      this.#reply('OK');
    } else if (name === 'AT+PRECV') this.#receive(value);
    else if (name === 'AT+PSEND') this.#transmit(value ?? '');
    else this.#reply('AT_COMMAND_NOT_FOUND');
  }

  #networkMode(value: string | undefined): void {
    if (value === '?') this.#reply(`AT+NWM=${this.#mode}`, 'OK');
    else if (value === '0' || value === '1' || value === '2') {
      this.#mode = Number(value);
      this.#reply('OK');
      this.after(2 * REPLY_US, () => this.reboot());
    } else this.#reply('AT_PARAM_ERROR');
  }

  #tune(value: string): void {
    const [frequencyHz = 0, spreadingFactor = 0, bw = 0, cr = 0, preambleSymbols = 0, power = 0] = value
      .split(':')
      .map(Number);
    const bandwidthHz = BANDWIDTH_HZ[bw];
    const inRange = frequencyHz >= 150e6 && frequencyHz <= 960e6 && spreadingFactor >= 5 && spreadingFactor <= 12;
    const legal = inRange && cr >= 0 && cr <= 3 && preambleSymbols >= 5 && power >= 5 && power <= 22;
    if (this.#window !== 0) {
      this.say('\r\nP2P is receiving\r\n');
      this.#reply('AT_BUSY_ERROR');
    } else if (!legal || bandwidthHz === undefined) this.#reply('AT_PARAM_ERROR');
    else {
      Object.assign(this.tuning, { frequencyHz, spreadingFactor, bandwidthHz, codingRate: cr + 5, preambleSymbols });
      this.#stored = { ...this.tuning };
      this.#reply('OK');
    }
  }

  #receive(value: string | undefined): void {
    if (value === '?') {
      this.#reply(`AT+PRECV=${this.#window === 0 ? 'P2P_RX_OFF' : 'P2P_RX_ON'}`, 'OK');
      return;
    }
    const window = Number(value);
    if (!(window >= 0 && window <= LISTEN_ONCE)) this.#reply('AT_PARAM_ERROR');
    else if (this.sending || (window !== 0 && this.#window !== 0)) this.#reply('AT_BUSY_ERROR');
    else {
      this.#window = window;
      this.listen(window !== 0);
      this.#reply('OK');
    }
  }

  #transmit(hex: string): void {
    const payload = octetsOfHex(hex);
    const fault = this.turnsDown();
    const receiving = this.#window !== 0 && this.#window !== LISTEN_FOR_GOOD;
    if (fault === 'busy' || this.sending || receiving) this.#reply('AT_BUSY_ERROR');
    else if (fault === 'refuse' || payload === undefined || payload.length > MAX_PAYLOAD_BYTES)
      this.#reply('AT_PARAM_ERROR');
    else if (this.#cad && this.medium.carrierNow(this.station)) this.#reply('AT_BUSY_ERROR');
    else {
      this.#reply('OK');
      this.radiate(payload, () => this.say('\r\n+EVT:TXP2P DONE\r\n'));
    }
  }

  protected arrived(payload: Uint8Array, rssiDbm: number, snrDb: number): void {
    this.say(`\r\n+EVT:RXP2P:${rssiDbm}:${snrDb}:${hexOf(payload)}\r\n`);
    this.#received();
  }

  protected arrivedBroken(): void {
    this.say('\r\n+EVT:RXP2P RECEIVE ERROR\r\n');
    this.#received();
  }

  #received(): void {
    if (this.#window === LISTEN_FOR_GOOD || this.#window === LISTEN_ONLY) return;
    this.#window = 0;
    this.listen(false);
  }

  #reply(...lines: readonly string[]): void {
    this.reply(lines.map((text) => `\r\n${text}\r\n`).join(''));
  }
}

export const emulator: EmulatorFactory = (context) => new Rak3172Emulator(context);
