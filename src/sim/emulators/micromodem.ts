/**
 * A WHOI Micro-Modem: NMEA, configuration that survives a restart, one transaction at a time: cycles, with data asked for
 * frame by frame and handed over padded, and flexible data packets.
 */
import { encodeNmea, nmeaDecoder } from '../../framing/nmea.js';
import { AcousticModem, type Packet } from './acoustic-modem.js';
import type { EmulatorContext, EmulatorFactory } from './emulator.js';

const LINE_BAUD = 19_200;
const MAX_SENTENCE_BYTES = 5000;
const REPLY_US = 10_000;
const TURNAROUND_US = 50_000;
const DETECT_US = 200_000;
const BOOT_US = 2_000_000;
/** DTO, the time that it waits for data. */
const DATA_TIMEOUT_US = 2_000_000;
const ANNOUNCEMENT = 0;
const CYCLE = 1;
const FLEXIBLE = 2;
const BROADCAST = 0;
/** Minipacket and its pause; probe and header of a packet: assumed. */
const ANNOUNCE_US = 800_000;
const OVERHEAD_US = 300_000;
/** Octets a frame, microseconds a frame. Rate 6 is documented, the others are octets over the burst rate. */
const RATES: readonly (readonly [number, number])[] = [
  [32, 3_200_000],
  [64, 2_048_000],
  [64, 1_024_000],
  [256, 1_706_667],
  [256, 1_575_385],
  [256, 386_415],
  [32, 491_667],
];
/** Bit/s of flexible packets: 1, 3, 5 as the cycle's rates. */
const FLEXIBLE_BPS: Readonly<Record<string, number>> = { 1: 250, 3: 1200, 5: 5300 };

interface Cycle {
  readonly source: number;
  readonly destination: number;
  readonly rate: number;
  readonly frames: number;
  readonly data: string[];
}

export class MicromodemEmulator extends AcousticModem {
  readonly #configuration = new Map([
    ['SRC', '1'],
    ['CST', '0'],
    ['RXP', '0'],
    ['REV', '0'],
    ['TXP', '0'],
    ['TXF', '0'],
  ]);
  readonly #decoder = nmeaDecoder(
    { maxTextBytes: MAX_SENTENCE_BYTES },
    { sentence: (text) => this.#command(text), discard: () => this.unknown() },
  );
  #cycle: Cycle | undefined;
  #request = 0;
  #hearing = false;
  #heard = false;

  constructor(context: EmulatorContext) {
    super(context, {
      lineBaud: LINE_BAUD,
      replyUs: REPLY_US,
      turnaroundUs: TURNAROUND_US,
      carrierDetectUs: DETECT_US,
      bootUs: BOOT_US,
    });
  }

  protected forget(): void {
    this.#cycle = undefined;
    this.#request++;
    this.#hearing = false;
    this.#decoder.reset();
  }

  protected override booted(): void {
    this.#say(`CAREV,${this.#time()},INIT`);
    this.#say(`CAREV,${this.#time()},AUV,2.0.27087`);
  }

  protected chatter(): string {
    return String.fromCharCode(...encodeNmea(`CAREV,${this.#time()},AUV,2.0.27087`));
  }

  protected octet(octet: number): void {
    this.#decoder.push(Uint8Array.of(octet));
  }

  protected override carrier(busy: boolean): void {
    if (busy) {
      this.#hearing = true;
      this.#heard = false;
      if (this.#is('RXP')) this.#say('CARXP,0');
    } else if (this.#hearing) {
      this.#hearing = false;
      if (this.#heard) return;
      this.#say('CAMSG,PACKET_TIMEOUT,2');
      this.#statistics(2, 1, 0);
    }
  }

  protected heard({ source, destination, kind, payload }: Packet, intact: boolean): void {
    if (this.sending || !this.#hearing) return;
    this.#heard = true;
    if (!intact) {
      this.#say('CAMSG,BAD_CRC,1');
      this.#statistics(1, 1, source);
      return;
    }
    const [rate = 0, frames = 0] = payload;
    if (kind === ANNOUNCEMENT || (kind === CYCLE && rate !== 0)) {
      this.#say(`CACYC,1,${source},${destination},${rate},0,${frames}`);
    }
    if (kind === ANNOUNCEMENT) {
      this.#statistics(0, 2, source);
      return;
    }
    const text = String.fromCharCode(...payload.subarray(2));
    if (destination !== BROADCAST && String(destination) !== this.#configuration.get('SRC')) return;
    if (kind === CYCLE) {
      for (const [i, hex] of text.split(',').entries()) this.#say(`CARXD,${source},${destination},0,${i + 1},${hex}`);
      this.#statistics(0, rate === 0 ? 1 : 3, source);
      return;
    }
    this.#say(`CARDP,${source},${destination},${rate},0,0,,1;${text.length / 2};${text}`);
    this.#statistics(0, 5, source);
  }

  #command(text: string): void {
    const fields = text.split(',');
    const [word = '', key = '', value = ''] = fields;
    if (word === 'CCCFQ' && this.#configuration.has(key)) this.#answer(`CACFG,${key},${this.#configuration.get(key)}`);
    else if (word === 'CCCFG' && this.#configuration.has(key) && /^\d+$/.test(value)) {
      this.#configuration.set(key, value);
      this.#answer(`CACFG,${key},${value}`);
    } else if (word === 'CCCYC') this.#startCycle(fields);
    else if (word === 'CCTXD') this.#data(fields[4] ?? '');
    else if (word === 'CCTDP') this.#flexible(fields);
    else {
      this.unknown();
      this.#answer(`CAERR,${this.#time()},NMEA,2,${word} unknown`);
    }
  }

  #isBusy(): boolean {
    const turned = this.turnsDown();
    const busy = turned !== undefined || this.sending || this.#hearing || this.#cycle !== undefined;
    if (busy) this.#answer(`CAERR,${this.#time()},CYC,1,BUSY`);
    return busy;
  }

  #startCycle(fields: readonly string[]): void {
    if (this.#isBusy()) return;
    const [source = 0, destination = 0, rate = 0, , frames = 0] = fields.slice(2).map(Number);
    const cycle = { source, destination, rate, frames, data: [] };
    this.#cycle = cycle;
    this.#answer(`CACYC,0,${fields.slice(2).join(',')}`);
    if (rate !== 0) {
      this.#ask();
      return;
    }
    const payload = Uint8Array.of(rate, frames);
    this.send(
      { source, destination, kind: ANNOUNCEMENT, payload },
      ANNOUNCE_US,
      () => {
        this.#transmitted(13);
        this.#ask();
      },
      () => this.#transmits(13),
    );
  }

  #ask(): void {
    const cycle = this.#cycle;
    if (cycle === undefined) return;
    const { source, destination, rate, data } = cycle;
    const request = ++this.#request;
    const [bytes] = RATES[rate] ?? [32];
    this.#answer(`CADRQ,${this.#time()},${source},${destination},0,${bytes},${data.length + 1}`);
    this.after(DATA_TIMEOUT_US, () => {
      if (request !== this.#request) return;
      this.#cycle = undefined;
      this.#say(`CAERR,${this.#time()},DATA,3,DATA_TIMEOUT`);
    });
  }

  #data(hex: string): void {
    const cycle = this.#cycle;
    if (cycle === undefined) return;
    this.#request++;
    const { source, destination, rate, frames, data } = cycle;
    const [bytes, frameUs] = RATES[rate] ?? [32, 3_200_000];
    if (hex !== '') {
      data.push(hex.padEnd(2 * bytes, '0'));
      this.#answer(`CATXD,${source},${destination},0,${hex.length / 2}`);
    }
    if (hex !== '' && data.length < frames) {
      this.#ask();
      return;
    }
    if (data.length === 0) {
      this.#cycle = undefined;
      return;
    }
    const count = data.length * bytes;
    const text = data.join(',');
    const payload = Uint8Array.from([rate, frames, ...text].map((item) => codeOf(item)));
    this.send(
      { source, destination, kind: CYCLE, payload },
      OVERHEAD_US + data.length * frameUs,
      () => {
        this.#cycle = undefined;
        this.#transmitted(count);
      },
      () => this.#transmits(count),
    );
  }

  #flexible(fields: readonly string[]): void {
    if (this.#isBusy()) return;
    const [, destination = '0', rate = '1', , , hex = ''] = fields;
    const source = Number(this.#configuration.get('SRC'));
    this.#answer(`CATDP,0,1,${destination},${rate},0`);
    const bits = hex.length * 4;
    const payload = Uint8Array.from([Number(rate), 1, ...hex].map((item) => codeOf(item)));
    this.send(
      { source, destination: Number(destination), kind: FLEXIBLE, payload },
      OVERHEAD_US + Math.ceil((bits * 1e6) / (FLEXIBLE_BPS[rate] ?? 250)),
      () => this.#transmitted(hex.length / 2),
      () => this.#transmits(hex.length / 2),
    );
  }

  #transmits(bytes: number): void {
    if (this.#is('TXP')) this.#say(`CATXP,${bytes}`);
  }

  #transmitted(bytes: number): void {
    if (this.#is('TXF')) this.#say(`CATXF,${bytes}`);
  }

  #statistics(mode: number, type: number, source: number): void {
    if (!this.#is('CST')) return;
    const head = `CACST,${mode},${this.#time()}.0,0,1000,30,10,150,250,1,1,1,1`;
    this.#say(`${head},0,${source},0,0,${type},1,${mode === 0 ? 0 : 1},20,10,10,8,-5,150,0.0,20,25000,4000`);
  }

  #is(key: string): boolean {
    return this.#configuration.get(key) === '1';
  }

  #answer(text: string): void {
    this.reply(String.fromCharCode(...encodeNmea(text)));
  }

  #say(text: string): void {
    this.say(String.fromCharCode(...encodeNmea(text)));
  }

  #time(): string {
    const seconds = Math.floor(this.scheduler.nowUs() / 1e6);
    const two = (value: number): string => String(value).padStart(2, '0');
    return two(Math.floor(seconds / 3600) % 24) + two(Math.floor(seconds / 60) % 60) + two(seconds % 60);
  }
}

export const emulator: EmulatorFactory = (context) => new MicromodemEmulator(context);

function codeOf(item: number | string): number {
  return typeof item === 'number' ? item : item.charCodeAt(0);
}
