/**
 * A Nanomodem v3 by its user guide: commands begin with `$`, have no end, and die with `E` when two octets are more than
 * 2 ms apart. One transmission at a time; what comes meanwhile is an error.
 */
import type { Cancel } from '../../base/clock.js';
import { AcousticModem, type Packet } from './acoustic-modem.js';
import type { EmulatorContext, EmulatorFactory } from './emulator.js';

const LINE_BAUD = 9600;
/** The gap that breaks a command. */
const OCTET_GAP_US = 2000;
const BROADCAST = 0;
const UNICAST = 1;
const EVERYBODY = 255;
const LEAST_BYTES = 2;
const MOST_BYTES = 64;
/** Not documented; small against a packet. */
const REPLY_US = 2000;
const TURNAROUND_US = 5000;
const BOOT_US = 500_000;

export class NanomodemEmulator extends AcousticModem {
  #address: number;
  #command = '';
  #cancelGap: Cancel | undefined;

  constructor(context: EmulatorContext) {
    super(context, {
      lineBaud: LINE_BAUD,
      replyUs: REPLY_US,
      turnaroundUs: TURNAROUND_US,
      carrierDetectUs: 0,
      bootUs: BOOT_US,
    });
    this.#address = context.station;
  }

  protected forget(): void {
    this.#cancelGap?.();
    this.#command = '';
  }

  protected chatter(): string {
    return '#R007T00042\r\n';
  }

  protected octet(octet: number): void {
    const character = String.fromCharCode(octet);
    if (this.#command === '' && character !== '$') return;
    this.#command += character;
    this.#cancelGap?.();
    if (this.#complete()) {
      const command = this.#command;
      this.#command = '';
      this.#do(command);
      return;
    }
    this.#cancelGap = this.scheduler.at(this.scheduler.nowUs() + OCTET_GAP_US, () => this.#fail());
  }

  protected heard({ source, destination, kind, payload }: Packet, intact: boolean): void {
    if (!intact || this.sending) return;
    const count = String(payload.length).padStart(2, '0');
    const data = String.fromCharCode(...payload);
    if (kind === BROADCAST) this.say(`#B${String(source).padStart(3, '0')}${count}${data}\r\n`);
    else if (destination === this.#address) this.say(`#U${count}${data}\r\n`);
  }

  #fail(): void {
    this.#command = '';
    this.unknown();
    this.reply('E\r\n');
  }

  /** Whether nothing more can belong to the command. */
  #complete(): boolean {
    const command = this.#command;
    if (/^\$(\?|[APQTV]?\d{3})$/.test(command) && !/^\$\d/.test(command)) return true;
    const data = /^\$(?:B|U\d{3})(\d{2})/.exec(command);
    if (data !== null) return command.length >= data[0].length + Number(data[1]);
    return !/^\$(?:[APQTV]?\d{0,3}|B\d?|U\d{0,4})$/.test(command);
  }

  #do(command: string): void {
    const data = /^\$(B|U(\d{3}))(\d{2})/.exec(command);
    if (command === '$?') this.reply(`#A${this.#digits()}V24000\r\n`);
    else if (/^\$A\d{3}$/.test(command) && Number(command.slice(2)) <= EVERYBODY) {
      this.#address = Number(command.slice(2));
      this.reply(`#A${this.#digits()}\r\n`);
    } else if (data !== null) this.#transmit(data[0], data[2], command.slice(data[0].length));
    else this.#fail();
  }

  #transmit(head: string, to: string | undefined, data: string): void {
    const own = to !== undefined && Number(to) === this.#address;
    const legal = data.length >= LEAST_BYTES && data.length <= MOST_BYTES && !own;
    if (!legal || this.sending || this.turnsDown() !== undefined) {
      this.#fail();
      return;
    }
    this.reply(`${head}\r\n`);
    const packet = {
      source: this.#address,
      destination: to === undefined ? EVERYBODY : Number(to),
      kind: to === undefined ? BROADCAST : UNICAST,
      payload: Uint8Array.from(data, (character) => character.charCodeAt(0)),
    };
    // 105 ms of header, 12.5 ms for each octet and 16 more.
    this.send(packet, 105_000 + (data.length + 16) * 12_500, () => {});
  }

  #digits(): string {
    return String(this.#address).padStart(3, '0');
  }
}

export const emulator: EmulatorFactory = (context) => new NanomodemEmulator(context);
