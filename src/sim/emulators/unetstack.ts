/**
 * A modem with UnetStack as its JSON port shows it (fjåge, protocol.rst): an agent `phy` that sends one frame at a time,
 * answers requests, and notifies those who want its topic; who never said what he wants gets everything.
 */
import { lineSplitter } from '../../framing/lines.js';
import { AcousticModem, type Packet } from './acoustic-modem.js';
import type { EmulatorContext, EmulatorFactory } from './emulator.js';

/** A TCP connection: as good as no line time. */
const LINE_BAUD = 4_000_000;
const MAX_LINE_BYTES = 65_536;
const REPLY_US = 3000;
const TURNAROUND_US = 50_000;
const BOOT_US = 3_000_000;
const MOST_BYTES = 1500;
const DEFAULT_PREAMBLE_US = 100_000;
const PACKAGE = 'org.arl.unet.phy.';
const BROADCAST = 0;
const UUID_VALUES = 0x1_0000;

type Fields = Record<string, unknown>;

export class UnetstackEmulator extends AcousticModem {
  readonly #splitter = lineSplitter(
    { maxLineBytes: MAX_LINE_BYTES },
    {
      line: (octets) => this.#line(String.fromCharCode(...octets)),
      discard: () => this.unknown(),
    },
  );
  readonly #preambleUs: number;
  #wanted: string[] = [];
  #hearing = false;
  #heard = false;

  constructor(context: EmulatorContext, preambleUs = DEFAULT_PREAMBLE_US) {
    super(context, {
      lineBaud: LINE_BAUD,
      replyUs: REPLY_US,
      turnaroundUs: TURNAROUND_US,
      carrierDetectUs: preambleUs,
      bootUs: BOOT_US,
    });
    this.#preambleUs = preambleUs;
  }

  protected forget(): void {
    this.#wanted = [];
    this.#hearing = false;
    this.#splitter.reset();
  }

  protected chatter(): string {
    const state = this.#message('org.arl.unet.state.StateManagerNtf', { recipient: '#state__ntf', sender: 'state' });
    return `{"alive":true}\n${state}\n`;
  }

  protected octet(octet: number): void {
    this.#splitter.push(Uint8Array.of(octet));
  }

  protected override carrier(busy: boolean): void {
    if (busy) {
      this.#hearing = true;
      this.#heard = false;
      this.#notify('RxFrameStartNtf', { type: 2, rxStartTime: this.scheduler.nowUs(), detector: 0.3 });
    } else if (this.#hearing) {
      this.#hearing = false;
      if (!this.#heard) this.#notify('BadFrameNtf', { type: 2, rxTime: this.scheduler.nowUs() });
    }
  }

  protected heard({ source, destination, kind, payload }: Packet, intact: boolean): void {
    if (!intact || this.sending || !this.#hearing) return;
    this.#heard = true;
    this.#notify('RxFrameNtf', {
      type: kind,
      from: source,
      to: destination,
      rxTime: this.scheduler.nowUs(),
      rssi: -38.2,
      // Both forms are allowed: short arrays come as numbers here.
      data:
        payload.length < 8
          ? Array.from(payload, (octet) => (octet << 24) >> 24)
          : { clazz: '[B', data: btoa(String.fromCharCode(...payload)) },
    });
  }

  #line(text: string): void {
    let object: Fields;
    try {
      object = JSON.parse(text) as Fields;
    } catch {
      this.unknown();
      return;
    }
    const { action, id } = object;
    if (action === 'containsAgent') {
      this.reply(`${JSON.stringify({ id, inResponseTo: action, answer: object.agentID === 'phy' })}\n`);
    } else if (action === 'agentForService') {
      this.reply(`${JSON.stringify({ id, inResponseTo: action, agentID: 'phy' })}\n`);
    } else if (action === 'wantsMessagesFor') this.#wanted = object.agentIDs as string[];
    else if (action === 'send') this.#request(object.message as Fields);
    else if (object.alive !== true) this.unknown();
  }

  #request(message: Fields): void {
    const request = message.data as Fields;
    const { msgID, sender, type } = request;
    const answer = (performative: string): void => {
      const fields = { perf: performative, recipient: sender, sender: 'phy', inReplyTo: msgID };
      this.reply(`${this.#message('org.arl.fjage.Message', fields)}\n`);
    };
    const array = request.data as { data?: string } | number[];
    const octets = Array.isArray(array) ? array : Array.from(atob(array.data ?? ''), (item) => item.charCodeAt(0));
    const isFrame = message.clazz === `${PACKAGE}TxFrameReq` && octets.length > 0 && octets.length <= MOST_BYTES;
    if (!isFrame) {
      this.unknown();
      answer('NOT_UNDERSTOOD');
      return;
    }
    const turned = this.turnsDown();
    if (turned !== undefined || this.sending) {
      answer('REFUSE');
      return;
    }
    answer('AGREE');
    const packet = {
      source: this.station,
      destination: Number(request.to ?? BROADCAST),
      kind: Number(type),
      payload: Uint8Array.from(octets),
    };
    this.send(
      packet,
      this.#preambleUs + this.medium.octetsUs(octets.length),
      () => {
        const fields = { type, txTime: this.scheduler.nowUs(), perf: 'INFORM', recipient: sender, sender: 'phy' };
        this.say(`${this.#message(`${PACKAGE}TxFrameNtf`, { ...fields, inReplyTo: msgID })}\n`);
      },
      () => this.#notify('TxFrameStartNtf', { type, txTime: this.scheduler.nowUs() }),
    );
  }

  #notify(name: string, fields: Fields): void {
    const topic = '#phy__ntf';
    if (this.#wanted.length > 0 && !this.#wanted.includes(topic)) return;
    this.say(`${this.#message(PACKAGE + name, { ...fields, perf: 'INFORM', recipient: topic, sender: 'phy' })}\n`);
  }

  #message(clazz: string, data: Fields): string {
    const msgID = `emulated-${this.random.below(UUID_VALUES)}`;
    return JSON.stringify({ action: 'send', message: { clazz, data: { ...data, msgID } }, relay: false });
  }
}

export const emulator: EmulatorFactory = (context) => new UnetstackEmulator(context);
