/**
 * A Popoto PMM by its pshell: lines, prompts and bold letters; settings that a restart forgets; packets as JSON. How it
 * answers settings and what it says to a second packet is assumed.
 */
import { lineSplitter } from '../../framing/lines.js';
import { AcousticModem, type Packet } from './acoustic-modem.js';
import type { EmulatorContext, EmulatorFactory } from './emulator.js';

const LINE_BAUD = 115_200;
const MAX_LINE_BYTES = 16_384;
const REPLY_US = 5000;
const TURNAROUND_US = 100_000;
/** goby3 waits up to 30 s. */
const BOOT_US = 8_000_000;
/** Preamble and header: assumed. */
const PREAMBLE_US = 500_000;
const EVERYBODY = 255;
const MOST_BYTES = 1023;
/** Which code of a header's modulation a rate has (goby3, the other way round). */
const MODULATIONS: Readonly<Record<number, number>> = { 80: 0, 5120: 1, 2560: 2, 1280: 3, 640: 4, 10240: 5 };
const DEFAULT_RATE_BPS = 80;

export class PopotoEmulator extends AcousticModem {
  readonly #splitter = lineSplitter(
    { maxLineBytes: MAX_LINE_BYTES },
    { line: (octets) => this.#command(String.fromCharCode(...octets)), discard: () => this.unknown() },
  );
  #values = new Map<string, string>();
  #rateBps = DEFAULT_RATE_BPS;

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
    this.#values = new Map();
    this.#rateBps = DEFAULT_RATE_BPS;
    this.#splitter.reset();
  }

  protected chatter(): string {
    return '{"Info":"Temp_Ambient 21.4"}\nPopoto->';
  }

  protected octet(octet: number): void {
    this.#splitter.push(Uint8Array.of(octet));
  }

  protected heard({ source, destination, kind, payload }: Packet, intact: boolean): void {
    if (this.sending) return;
    if (!intact) {
      this.say('{"Alert":"emulated: bad packet"}\n');
      return;
    }
    const { length } = payload;
    if (destination !== EVERYBODY && String(destination) !== this.#values.get('LocalID')) return;
    this.say(`{"Header":[0,${source},${destination},10,${length & 0xff},${(length >> 8) | (kind << 3)}]}\n`);
    this.say('{"SNRdB":14.2}\n');
    this.say(`{"Data":[${payload.join(',')}]}\n`);
    this.say('{"DopplerVelocity":0.1}\nPopoto->');
  }

  #command(line: string): void {
    const [word = '', name = '', value = ''] = line.trim().split(' ');
    const rate = /^setRate(\d+)$/.exec(word);
    if (rate !== null && MODULATIONS[Number(rate[1])] !== undefined) {
      this.#rateBps = Number(rate[1]);
      this.#answer(`Rate ${rate[1]}`);
    } else if (/^setvalue[if]$/.test(word) && /^[\d.]+$/.test(value)) {
      this.#values.set(name, value);
      this.#answer(`${name} ${value}`);
    } else if (/^getvalue[if]$/.test(word)) this.#answer(`${name} ${this.#values.get(name) ?? '17.2'}`);
    else if (word === 'transmitJSON') this.#transmit(line.slice(line.indexOf('{')));
    else if (word !== '') {
      this.unknown();
      this.#answer(`Unknown command ${word}`);
    }
  }

  #transmit(json: string): void {
    let data: number[] = [];
    try {
      data = (JSON.parse(json) as { Payload: { Data: number[] } }).Payload.Data;
    } catch {
      this.unknown();
    }
    if (data.length === 0 || data.length > MOST_BYTES || this.sending) {
      this.#answer('{"Alert":"emulated: not sent"}');
      return;
    }
    const packet = {
      source: Number(this.#values.get('LocalID') ?? 0),
      destination: Number(this.#values.get('RemoteID') ?? EVERYBODY),
      kind: MODULATIONS[this.#rateBps] ?? 0,
      payload: Uint8Array.from(data),
    };
    const durationUs = PREAMBLE_US + Math.ceil((data.length * 8e6) / this.#rateBps);
    this.send(packet, durationUs, () => this.say('{"Alert":"emulated sent"}\n'));
  }

  #answer(text: string): void {
    this.reply(`\u001b[1m${text}\u001b[0m\nPopoto->`);
  }
}

export const emulator: EmulatorFactory = (context) => new PopotoEmulator(context);
