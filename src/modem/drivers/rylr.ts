/**
 * REYAX RYLR998 and RYLR896 (AT guides of 2023; drivers seen): AT+SEND with a counted data field, +RCV for what comes. Frames
 * go to address 0, everybody: the link frame says to whom, and the others must overhear it, for nothing else tells them
 * that the channel is used. The module contends with nobody and says nothing when a signal is over.
 */
import type { ReceptionMeta } from '../../mac/phy.js';
import type { DriverOptions } from '../driver.js';
import { defineDriver } from '../driver-definition.js';
import type { Profile } from '../profile-schema.js';
import { type RylrSettings, rylrDriver } from '../settings/lora.js';
import { addressOf, type Exchange, judgeBy, octetsOf, textOf } from './acoustic-driver.js';
import { CommandDriver, fromHex, toHex } from './command-driver.js';

const EVERYBODY = 0;
/** `AT+SEND=0,240,` and CR LF. */
const COMMAND_BYTES = 16;
/** `+RCV=65535,240,`, `,-120,-20`, CR LF. */
const REPORT_BYTES = 15 + 9 + 2;
/** AT+PARAMETER's second argument. */
const BANDWIDTH_INDEX: Readonly<Record<RylrSettings['bandwidthHz'], number>> = { 125000: 7, 250000: 8, 500000: 9 };
const COMMA = 0x2c;
const HEAD = /^\+RCV=\d{1,5},(\d{1,3}),$/;
const RCV = /^\+RCV=\d{1,5},(\d{1,3}),/;
const QUALITY = /^,(-?\d+),(-?\d+)$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** Octets that the data field needs for so many of a frame. */
const FIELD_BYTES: Readonly<Record<RylrSettings['encoding'], (bytes: number) => number>> = {
  raw: (bytes) => bytes,
  hex: (bytes) => 2 * bytes,
  base64: (bytes) => 4 * Math.ceil(bytes / 3),
};
const FRAME_BYTES: Readonly<Record<RylrSettings['encoding'], (field: number) => number>> = {
  raw: (field) => field,
  hex: (field) => Math.floor(field / 2),
  base64: (field) => 3 * Math.floor(field / 4),
};

function roomBytes({ encoding, maxDataBytes }: RylrSettings): number {
  return FRAME_BYTES[encoding](maxDataBytes);
}

/** 12 (CRC) and 19 (header) tell of a packet that came broken, whenever that is; 17: the last one is not out yet. */
const judgeReply = judgeBy([/^\+OK$/, 'ok'], [/^\+ERR=17$/, 'busy'], [/^\+ERR=(?!12$|19$)\d+$/, 'refused']);
const BROKEN = /^\+ERR=(12|19)$/;

export class RylrDriver extends CommandDriver {
  readonly #settings: RylrSettings;
  readonly #address: number | undefined;
  readonly #parameters: string;
  readonly #processingUs: number;

  constructor(profile: Profile, settings: RylrSettings, options: DriverOptions) {
    const fieldBytes = FIELD_BYTES[settings.encoding];
    const language = {
      commandBytes: (bytes: number) => COMMAND_BYTES + fieldBytes(bytes),
      reportBytes: (bytes: number) => REPORT_BYTES + fieldBytes(bytes),
      airBytes: (bytes: number) => settings.airOverheadBytes + fieldBytes(bytes),
      maxFrameBytes: roomBytes(settings),
      sentReport: settings.okMeans === 'sent' ? 'on-air' : 'modelled',
      lineEnd: '\r\n',
      maxLineBytes: REPORT_BYTES + 240,
      dataEnd,
    } as const;
    super(profile, settings, language, options);
    this.#settings = settings;
    this.#address = addressOf(profile, 'auto');
    this.#processingUs = profile.air.turnaroundUs;
    const { spreadingFactor, bandwidthHz, codingRate, preambleSymbols } = settings;
    this.#parameters = [spreadingFactor, BANDWIDTH_INDEX[bandwidthHz], codingRate - 4, preambleSymbols].join(',');
  }

  protected setUp(): readonly Exchange[] {
    const { networkId, frequencyHz, powerDbm } = this.#settings;
    const anything = judgeBy([/^\+(OK|ERR=\d+)/, 'ok']);
    const set = (text: string): Exchange => this.command(text, judgeReply);
    return [
      // Ends what somebody else had begun; the answer to that is of no interest.
      this.command('AT', anything, { tries: 1, optional: true }),
      // Silence: a counted data field takes it all. More than it can hold ends it.
      this.command('A'.repeat(241), anything, { tries: 1, optional: true, afterSilence: true }),
      set('AT'),
      set('AT+MODE=0'),
      ...(this.#address === undefined ? [] : [set(`AT+ADDRESS=${this.#address}`)]),
      set(`AT+NETWORKID=${networkId}`),
      set(`AT+BAND=${frequencyHz}`),
      set(`AT+PARAMETER=${this.#parameters}`),
      set(`AT+CRFOP=${powerDbm}`),
    ];
  }

  protected listening(): readonly Exchange[] {
    return [];
  }

  protected override check(): Exchange {
    const known = `+PARAMETER=${this.#parameters}`;
    return this.command('AT+PARAMETER?', (message) => {
      if (message.startsWith('+PARAMETER=')) return message === known ? 'ok' : 'refused';
      return /^\+ERR=17$/.test(message) ? 'busy' : undefined;
    });
  }

  protected give(frame: Uint8Array): void {
    const data = this.#encode(frame);
    const { okMeans } = this.#settings;
    const airtimeUs = this.timing.airtimeUs(frame.length);
    const command = this.command(`AT+SEND=${EVERYBODY},${data.length},${data}`, judgeReply, {
      // Given once: a reply that was lost does not mean that nothing was sent.
      tries: 1,
      ...(okMeans === 'sent' ? { replyUs: airtimeUs + this.#settings.replyMs * 1000 } : {}),
    });
    this.exchange(command, (verdict) => {
      if (verdict === 'silent') this.restart();
      else if (verdict !== 'ok') this.over('refused');
      else if (okMeans === 'sent') this.over('sent');
      else this.reportAt(this.scheduler.nowUs() + this.#processingUs + airtimeUs, () => this.over('sent'));
    });
  }

  protected report(message: string): void {
    if (message === '+READY') this.restart();
    else if (BROKEN.test(message)) this.hearBroken(message.length);
    else if (message.startsWith('+RCV=')) this.#received(message);
  }

  #received(message: string): void {
    const head = RCV.exec(message);
    const from = head?.[0].length ?? 0;
    const to = from + Number(head?.[1] ?? 0);
    const quality = QUALITY.exec(message.slice(to));
    const frame = this.#decode(message.slice(from, to));
    if (head === null || quality === null || frame === undefined) {
      this.discard('malformed', message.length);
      return;
    }
    const meta: ReceptionMeta = { rssiDbm: Number(quality[1]), snrDb: Number(quality[2]) };
    this.hear(frame, meta);
  }

  #encode(frame: Uint8Array): string {
    switch (this.#settings.encoding) {
      case 'raw':
        return textOf(frame);
      case 'hex':
        return toHex(frame);
      case 'base64':
        return Buffer.from(frame).toString('base64');
    }
  }

  #decode(data: string): Uint8Array | undefined {
    switch (this.#settings.encoding) {
      case 'raw':
        return data === '' ? undefined : octetsOf(data);
      case 'hex':
        return fromHex(data);
      case 'base64':
        return BASE64.test(data) ? Uint8Array.from(Buffer.from(data, 'base64')) : undefined;
    }
  }
}

export const driver = defineDriver({
  settings: rylrDriver,
  maxFrameBytes: roomBytes,
  create: (profile, settings, options) => new RylrDriver(profile, settings, options),
});

function dataEnd(beginning: Uint8Array): number | undefined {
  if (beginning.at(-1) !== COMMA || beginning.length > REPORT_BYTES) return undefined;
  const head = HEAD.exec(textOf(beginning));
  return head === null ? undefined : beginning.length + Number(head[1]);
}
