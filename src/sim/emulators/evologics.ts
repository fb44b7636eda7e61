/**
 * An EvoLogics S2C modem: AT commands, or data mode with commands behind `+++`; instant messages one at a time; with
 * AT@ZX1 notifications about each signal. Bursts to a connected peer are taken and lost: nobody is connected.
 */
import { AcousticModem, type Packet } from './acoustic-modem.js';
import type { EmulatorContext, EmulatorFactory } from './emulator.js';

const LINE_BAUD = 19_200;
const EVERYBODY = 255;
const MOST_BYTES = 64;
/** Processing before a message starts (DESERT: about 90 ms each side). */
const TURNAROUND_US = 90_000;
const REPLY_US = 5000;
/** The preamble must have been recognised; own estimate. */
const DETECT_US = 60_000;
const BOOT_US = 2_000_000;
/** Octets and milliseconds of instant messages on an S2C R (DESERT, evologics_LUT). */
const DURATIONS: readonly (readonly [number, number])[] = [
  [1, 172],
  [8, 238],
  [16, 328],
  [32, 500],
  [48, 688],
  [64, 860],
];
const SEND_HEAD = /^AT\*SENDIM,(?:p\d+,)?(\d+),(\d+),(ack|noack|force),/;

export class EvologicsEmulator extends AcousticModem {
  #address = 1;
  #notifies = false;
  #dataMode = false;
  #command = '';
  #hearing = false;
  #heardWell = false;
  burstOctets = 0;

  constructor(context: EmulatorContext) {
    super(context, {
      lineBaud: LINE_BAUD,
      replyUs: REPLY_US,
      turnaroundUs: TURNAROUND_US,
      carrierDetectUs: DETECT_US,
      bootUs: BOOT_US,
    });
    this.#address = context.station;
  }

  protected forget(): void {
    this.#notifies = false;
    this.#dataMode = false;
    this.#command = '';
    this.#hearing = false;
  }

  protected chatter(): string {
    return this.#wrap('RECVSRV') + this.#wrap('BITRATE,0,976');
  }

  protected override carrier(busy: boolean): void {
    if (busy) {
      this.#hearing = true;
      this.#heardWell = false;
      this.#notify('RECVSTART');
    } else if (this.#hearing) {
      this.#hearing = false;
      if (!this.#heardWell) this.#notify('RECVFAILED,0.0,-60,40');
    }
  }

  protected heard({ source, destination, payload }: Packet, intact: boolean): void {
    if (!intact || this.sending || !this.#hearing) return;
    this.#heardWell = true;
    const durationUs = durationOf(payload.length);
    this.#notify(`RECVEND,${this.scheduler.nowUs() - durationUs},${durationUs},-45,150`);
    if (destination !== EVERYBODY && destination !== this.#address) return;
    const data = String.fromCharCode(...payload);
    const head = `RECVIM,${payload.length},${source},${destination},noack,${durationUs},-45,150,0.0000,`;
    this.say(this.#wrap(head + data));
  }

  protected octet(octet: number): void {
    const character = String.fromCharCode(octet);
    const wanted = this.#dataWanted();
    const ends = octet === 0x0d || octet === 0x0a;
    if (wanted > 0 || !ends) {
      this.#command += character;
      if (this.#dataMode && !'+++AT'.startsWith(this.#command.slice(0, 5))) {
        this.burstOctets += this.#command.length;
        this.#command = '';
      }
      return;
    }
    const command = this.#command;
    this.#command = '';
    if (command === '') return;
    this.#do(command);
  }

  /** Octets of counted data that have not come yet. */
  #dataWanted(): number {
    const head = SEND_HEAD.exec(this.#plain());
    if (head === null) return 0;
    return Math.max(0, head[0].length + Number(head[1]) - this.#plain().length);
  }

  #plain(): string {
    return this.#dataMode ? this.#command.replace(/^\+\+\+/, '') : this.#command;
  }

  #do(given: string): void {
    const command = this.#dataMode ? given.replace(/^\+\+\+/, '') : given;
    const address = /^AT!AL(\d+)$/.exec(command);
    const send = SEND_HEAD.exec(command);
    if (command === 'ATC') {
      this.#answer('OK');
      this.#dataMode = false;
    } else if (command === 'ATO') {
      this.#answer('OK');
      this.#dataMode = true;
    } else if (/^AT@ZX[01]$/.test(command)) {
      this.#notifies = command.endsWith('1');
      this.#answer('OK');
    } else if (address !== null && Number(address[1]) < EVERYBODY) {
      this.#address = Number(address[1]);
      this.#answer('[*]OK');
    } else if (/^AT!(L[0-3]|AR\d+|AM\d+|RI\d+)$/.test(command)) this.#answer('[*]OK');
    else if (send !== null) this.#send(Number(send[1]), Number(send[2]), command.slice(send[0].length));
    else {
      this.unknown();
      this.#answer('ERROR UNKNOWN COMMAND');
    }
  }

  #send(count: number, destination: number, data: string): void {
    if (count < 1 || count > MOST_BYTES || data.length !== count) {
      this.unknown();
      this.#answer('ERROR WRONG FORMAT');
      return;
    }
    const turned = this.turnsDown();
    if (this.sending || turned === 'busy') {
      this.#answer('BUSY DELIVERING MESSAGE');
      return;
    }
    if (this.#hearing) {
      this.#answer('BUSY BACKOFF STATE');
      return;
    }
    this.#answer('OK');
    if (turned === 'refuse') {
      this.after(TURNAROUND_US, () => this.say(this.#wrap(`FAILEDIM,${destination}`)));
      return;
    }
    const durationUs = durationOf(count);
    const payload = Uint8Array.from(data, (character) => character.charCodeAt(0));
    this.send(
      { source: this.#address, destination, kind: 0, payload },
      durationUs,
      () => this.#notify(`SENDEND,${destination},im,${this.scheduler.nowUs()},${durationUs}`),
      () => this.#notify(`SENDSTART,${destination},im,${durationUs},0`),
    );
  }

  #answer(text: string): void {
    this.reply(this.#wrap(text));
  }

  #notify(text: string): void {
    if (this.#notifies) this.say(this.#wrap(text));
  }

  #wrap(text: string): string {
    return this.#dataMode ? `+++AT:${text.length}:${text}\r\n` : `${text}\r\n`;
  }
}

export const emulator: EmulatorFactory = (context) => new EvologicsEmulator(context);

/** Linear between the measured lengths. */
function durationOf(octets: number): number {
  for (let i = 1; i < DURATIONS.length; i++) {
    const [fromOctets, fromMs] = DURATIONS[i - 1] ?? [1, 172];
    const [toOctets, toMs] = DURATIONS[i] ?? [64, 860];
    if (octets > toOctets) continue;
    return Math.ceil((fromMs + ((octets - fromOctets) * (toMs - fromMs)) / (toOctets - fromOctets)) * 1000);
  }
  return 860_000;
}
