/**
 * An EvoLogics S2C modem: AT commands, or data mode with commands behind `+++`; instant messages one at a time; with
 * AT@ZX1 notifications about each signal. Bursts wait in a buffer, are repeated until the peer acknowledges them, and are
 * reported as delivered or failed. What comes in data mode without a command is taken and lost: nobody is connected.
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
/** A burst and its acknowledgement, as kinds of packets; 0 is an instant message. */
const BURST = 1;
const ACKNOWLEDGEMENT = 2;
const BURST_BYTES = 1024;
/** The smallest pool of the S2C. */
const POOL_BYTES = 16_384;
/** Own estimates: connection and header, the rate, the acknowledgement and the wait for it. */
const BURST_HEADER_US = 300_000;
const BURST_RATE_BPS = 5000;
const ACKNOWLEDGEMENT_US = 120_000;
const ACKNOWLEDGEMENT_WAIT_US = 3_000_000;
const BACKOFF_US = 3_000_000;
const TRIES = 3;
const LISTEN_AGAIN_US = 50_000;
const BURST_HEAD = /^AT\*SEND,(?:p\d+,)?(\d+),(\d+),/;
const SEND_HEAD = /^AT\*SENDIM,(?:p\d+,)?(\d+),(\d+),(ack|noack|force),/;

interface Burst {
  readonly destination: number;
  readonly number: number;
  readonly payload: Uint8Array;
  tries: number;
}

export class EvologicsEmulator extends AcousticModem {
  #address = 1;
  #notifies = false;
  #dataMode = false;
  #command = '';
  #hearing = false;
  #heardWell = false;
  burstOctets = 0;
  #bursts: Burst[] = [];
  /** The burst on the air, or waiting for its acknowledgement. */
  #underWay: Burst | undefined;
  #numbers = 0;
  /** Of each peer's last burst, so that a repeated one is told once. */
  readonly #lastHeard = new Map<number, number>();

  constructor(context: EmulatorContext) {
    super(context, {
      lineBaud: LINE_BAUD,
      replyUs: REPLY_US,
      turnaroundUs: TURNAROUND_US,
      carrierDetectUs: DETECT_US,
      bootUs: BOOT_US,
    });
    this.#address = context.station;
    this.#numbers = context.random.below(65_536);
  }

  protected forget(): void {
    this.#notifies = false;
    this.#dataMode = false;
    this.#command = '';
    this.#hearing = false;
    this.#bursts = [];
    this.#underWay = undefined;
  }

  /** Bursts that are not on the air. */
  get waitingBursts(): number {
    return this.#bursts.length - (this.#underWay === undefined ? 0 : 1);
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

  protected heard(packet: Packet, intact: boolean): void {
    if (!intact || this.sending || !this.#hearing) return;
    this.#heardWell = true;
    const { source, destination, kind, payload } = packet;
    if (kind !== 0) {
      this.#heardOfBurst(packet);
      return;
    }
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
    const head = SEND_HEAD.exec(this.#plain()) ?? BURST_HEAD.exec(this.#plain());
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
    const burst = BURST_HEAD.exec(command);
    if (command === 'ATC') {
      this.#answer('OK');
      this.#dataMode = false;
    } else if (command === 'ATO') {
      this.#answer('OK');
      this.#dataMode = true;
    } else if (command === 'ATZ1') {
      this.#bursts = this.#underWay === undefined ? [] : [this.#underWay];
      this.#answer('[*]OK');
    } else if (command === 'AT?DI') this.#answer(this.#bursts.length > 0 ? 'DELIVERING' : 'EMPTY');
    else if (command === 'AT@ZF1') this.#answer('OK');
    else if (/^AT@ZX[01]$/.test(command)) {
      this.#notifies = command.endsWith('1');
      this.#answer('OK');
    } else if (address !== null && Number(address[1]) < EVERYBODY) {
      this.#address = Number(address[1]);
      this.#answer('[*]OK');
    } else if (/^AT!(L[0-3]|AR\d+|AM\d+|RI\d+)$/.test(command)) this.#answer('[*]OK');
    else if (send !== null) this.#send(Number(send[1]), Number(send[2]), command.slice(send[0].length));
    else if (burst !== null) this.#takeBurst(Number(burst[1]), Number(burst[2]), command.slice(burst[0].length));
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
    this.send(
      { source: this.#address, destination, kind: 0, payload: octetsOf(data) },
      durationUs,
      () => this.#notify(`SENDEND,${destination},im,${this.scheduler.nowUs()},${durationUs}`),
      () => this.#notify(`SENDSTART,${destination},im,${durationUs},0`),
    );
  }

  #takeBurst(count: number, destination: number, data: string): void {
    const held = this.#bursts.reduce((sum, { payload }) => sum + payload.length, 0);
    const turned = count >= 1 && count <= BURST_BYTES && data.length === count ? this.turnsDown() : 'wrong';
    if (turned === 'wrong') this.#answer('ERROR WRONG FORMAT');
    else if (destination < 1 || destination >= EVERYBODY || destination === this.#address)
      this.#answer('ERROR WRONG DESTINATION ADDRESS');
    else if (turned === 'busy') this.#answer('BUSY CLOSING CONNECTION');
    else if (held + count > POOL_BYTES) this.#answer('ERROR BUFFER FULL');
    else {
      this.#answer('OK');
      this.#numbers = (this.#numbers + 1) % 65_536;
      const burst = { destination, number: this.#numbers, payload: octetsOf(data), tries: 0 };
      if (turned === 'refuse') this.after(TURNAROUND_US, () => this.#burstOver('FAILED', burst));
      else {
        this.#bursts.push(burst);
        this.#burst();
      }
    }
  }

  /** Sends what waits first, when nobody is heard. */
  #burst(): void {
    const [burst] = this.#bursts;
    if (burst === undefined || this.#underWay !== undefined) return;
    if (this.sending || this.#hearing) {
      this.after(LISTEN_AGAIN_US, () => this.#burst());
      return;
    }
    this.#underWay = burst;
    const attempt = ++burst.tries;
    const payload = Uint8Array.of(burst.number >> 8, burst.number & 0xff, ...burst.payload);
    const durationUs = BURST_HEADER_US + (burst.payload.length * 8e6) / BURST_RATE_BPS;
    this.#signal({ source: this.#address, destination: burst.destination, kind: BURST, payload }, durationUs, () =>
      this.after(ACKNOWLEDGEMENT_WAIT_US, () => {
        if (this.#underWay === burst && burst.tries === attempt) this.#unacknowledged(burst);
      }),
    );
  }

  #unacknowledged(burst: Burst): void {
    if (burst.tries >= TRIES) this.#burstOver('FAILED', burst);
    else {
      this.#underWay = undefined;
      this.after(this.random.below(BACKOFF_US), () => this.#burst());
    }
  }

  #heardOfBurst({ source, destination, kind, payload }: Packet): void {
    const durationUs = kind === BURST ? BURST_HEADER_US : ACKNOWLEDGEMENT_US;
    this.#notify(`RECVEND,${this.scheduler.nowUs() - durationUs},${durationUs},-45,150`);
    if (destination !== this.#address) return;
    const [high = 0, low = 0] = payload;
    const number = high * 256 + low;
    if (kind === ACKNOWLEDGEMENT) {
      if (this.#underWay?.number === number) this.#burstOver('DELIVERED', this.#underWay);
      return;
    }
    const ends = payload.subarray(0, 2);
    this.#signal(
      { source: destination, destination: source, kind: ACKNOWLEDGEMENT, payload: ends },
      ACKNOWLEDGEMENT_US,
    );
    if (this.#lastHeard.get(source) === number) return;
    this.#lastHeard.set(source, number);
    const data = payload.subarray(2);
    const head = `RECV,${data.length},${source},${destination},${BURST_RATE_BPS},-45,150,200000,0.0000,`;
    this.say(this.#wrap(head + String.fromCharCode(...data)));
  }

  #burstOver(word: 'DELIVERED' | 'FAILED', burst: Burst): void {
    if (this.#underWay === burst) this.#underWay = undefined;
    this.#bursts = this.#bursts.filter((other) => other !== burst);
    this.say(this.#wrap(`${word},${burst.number},${burst.destination}`));
    this.#burst();
  }

  #signal(packet: Packet, durationUs: number, ended: () => void = () => {}): void {
    this.send(
      packet,
      durationUs,
      () => {
        this.#notify(`SENDEND,${packet.destination},burst,${this.scheduler.nowUs()},${durationUs}`);
        ended();
      },
      () => this.#notify(`SENDSTART,${packet.destination},burst,${durationUs},0`),
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

function octetsOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

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
