/**
 * A Teledyne Benthos ATM-900: the clam shell with its settings, echo and prompt; online mode, which sends what came once
 * nothing comes for FwdDelay, and which only a guarded +++ ends. Settings that were not stored are lost with the power.
 */
import type { Cancel } from '../../base/clock.js';
import { AcousticModem, type Packet } from './acoustic-modem.js';
import type { EmulatorContext, EmulatorFactory } from './emulator.js';

const LINE_BAUD = 9600;
const REPLY_US = 30_000;
const TURNAROUND_US = 100_000;
const BOOT_US = 5_000_000;
const GUARD_US = 1_000_000;
const EVERYBODY = 255;
const MOST_BYTES = 4096;
/** Header and acquisition: assumed. */
const PREAMBLE_US = 1_000_000;
/** How many digits of hex a line of a report holds: assumed, to be as awkward as terminals are. */
const HEX_PER_LINE = 256;
const FACTORY: readonly (readonly [string, string])[] = [
  ['OpMode', '1'],
  ['P1EchoChar', 'Ena'],
  ['P1Prompt', '7'],
  ['Verbose', '1'],
  ['DataRetry', '2'],
  ['FwdDelay', '0.20'],
  ['LocalAddr', '0'],
  ['RemoteAddr', '0'],
  ['PrintHex', 'Dis'],
  ['RcvAll', 'Dis'],
  ['ShowBadData', 'Dis'],
  ['WakeTones', 'Ena'],
  ['TxRate', '2'],
];

export class BenthosEmulator extends AcousticModem {
  #stored = new Map(FACTORY);
  #settings = new Map(FACTORY);
  #online = false;
  #input = '';
  #lastOctetUs = Number.NEGATIVE_INFINITY;
  /** Of silence, before what is in the buffer came. */
  #silenceUs = 0;
  #cancelForward: Cancel | undefined;

  constructor(context: EmulatorContext) {
    super(context, {
      lineBaud: LINE_BAUD,
      replyUs: REPLY_US,
      turnaroundUs: TURNAROUND_US,
      carrierDetectUs: 0,
      bootUs: BOOT_US,
    });
  }

  protected forget(): void {
    this.#settings = new Map(this.#stored);
    this.#online = false;
    this.#input = '';
    this.#cancelForward?.();
  }

  protected override booted(): void {
    this.say('\r\nBenthos ATM-900 Acoustic Modem (emulated)\r\nuser:1>');
  }

  protected chatter(): string {
    return '\r\nLow battery 14.1\r\nuser:1>';
  }

  protected octet(octet: number): void {
    const nowUs = this.scheduler.nowUs();
    if (this.#input === '') this.#silenceUs = nowUs - this.#lastOctetUs;
    this.#lastOctetUs = nowUs;
    if (this.#online) {
      this.#input += String.fromCharCode(octet);
      this.#cancelForward?.();
      this.#cancelForward = this.scheduler.at(nowUs + Number(this.#get('FwdDelay')) * 1e6, () => this.#forward());
      return;
    }
    if (this.#get('P1EchoChar') === 'Ena') this.say(String.fromCharCode(octet));
    if (octet === 0x0a) return;
    if (octet !== 0x0d) {
      this.#input += String.fromCharCode(octet);
      return;
    }
    const command = this.#input.trim();
    this.#input = '';
    this.#command(command);
  }

  protected heard({ source, destination, payload }: Packet, intact: boolean): void {
    if (this.sending) return;
    const forUs = destination === EVERYBODY || String(destination) === this.#get('LocalAddr');
    if (!forUs && this.#get('RcvAll') !== 'Ena') return;
    if (!intact && this.#get('ShowBadData') !== 'Ena') return;
    if (this.#get('PrintHex') !== 'Ena' || Number(this.#get('Verbose')) < 3) {
      this.say(String.fromCharCode(...payload));
      return;
    }
    const hex = Array.from(payload, (octet) => octet.toString(16).toUpperCase().padStart(2, '0')).join('');
    const lines = hex.match(new RegExp(`.{1,${HEX_PER_LINE}}`, 'g')) ?? [];
    const three = (value: number): string => String(value).padStart(3, '0');
    this.say(`\r\nDATA(${String(payload.length).padStart(4, '0')}):${lines.join('\r\n')}\r\n`);
    this.say(`Source:${three(source)}  Destination:${three(destination)}\r\n`);
    this.say(`CRC:${intact ? 'Pass' : 'Fail'} MPD:03.2 SNR:31.3 AGC:91 SPD:+00.0 CCERR:013\r\n<EOP>\r\nuser:1>`);
  }

  #command(command: string): void {
    const setting = /^@(\w+)=(.+)$/.exec(command);
    const key = [...this.#settings.keys()].find((name) => name.toLowerCase() === setting?.[1]?.toLowerCase());
    if (command === '') this.#answer('');
    else if (/^AT$/i.test(command)) this.#answer('OK\r\n');
    else if (/^ATO$/i.test(command)) this.#goOnline();
    else if (setting !== null && key !== undefined) {
      this.#settings.set(key, setting[2] ?? '');
      this.#answer(`${key}          | ${setting[2]}\r\n`);
    } else if (command === 'cfg store') {
      this.#stored = new Map(this.#settings);
      this.#answer('Configuration stored.\r\n');
    } else {
      this.unknown();
      this.#answer(`Command '${command}' not found\r\n`);
    }
  }

  #goOnline(): void {
    if (this.turnsDown() !== undefined) {
      this.#answer('BUSY\r\n');
      return;
    }
    this.#online = true;
    this.reply('\r\nCONNECT 00140 bits/sec\r\n');
  }

  /** Nothing came for a while: an escape, or a packet. */
  #forward(): void {
    const data = this.#input;
    this.#input = '';
    if (/^\+\+\+\r?$/.test(data) && this.#silenceUs >= GUARD_US) {
      this.#online = false;
      this.reply('\r\nuser:1>');
      return;
    }
    if (this.sending || data.length > MOST_BYTES) {
      this.unknown();
      return;
    }
    if (Number(this.#get('Verbose')) >= 3) this.reply('\r\nForwarding Delay Up\r\n');
    const packet = {
      source: Number(this.#get('LocalAddr')),
      destination: Number(this.#get('RemoteAddr')),
      kind: 0,
      payload: Uint8Array.from(data, (character) => character.charCodeAt(0)),
    };
    this.send(packet, PREAMBLE_US + this.medium.octetsUs(data.length), () => {});
  }

  #get(key: string): string {
    return this.#settings.get(key) ?? '';
  }

  #answer(text: string): void {
    this.reply(`\r\n${text}user:1>`);
  }
}

export const emulator: EmulatorFactory = (context) => new BenthosEmulator(context);
