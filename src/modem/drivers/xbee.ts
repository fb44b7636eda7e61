/**
 * XBee modules in API mode (Digi's manuals; xbee-python, xbnet). The module contends by itself (CSMA-CA), checks integrity,
 * and reports for each frame whether it was sent; a CCA failure means that it gave up, and the frame is given again.
 * Frames go to everybody unless `destination` names one module: the link frame says to whom.
 *
 * A module found in transparent mode, where an API request is data and no answer comes, is led out with `+++`.
 */
import type { Cancel } from '../../base/clock.js';
import type { Decoder } from '../../framing/codec.js';
import { lineSplitter } from '../../framing/lines.js';
import { xbeeCodec } from '../../framing/xbee.js';
import type { PhyCapabilities, PhyTiming, ReceptionMeta } from '../../mac/phy.js';
import type { DriverOptions } from '../driver.js';
import { defineDriver } from '../driver-definition.js';
import { airOctetUs, maxFrameBytes } from '../link-timing.js';
import type { Profile } from '../profile-schema.js';
import { type XbeeSettings, xbeeDriver } from '../settings/xbee.js';
import { AcousticDriver, type Exchange, judgeBy, octetsOf, textOf, type Verdict } from './acoustic-driver.js';

/** Frame types. */
const AT = 0x08;
const TRANSMIT = 0x10;
const TRANSMIT_LEGACY = 0x00;
const RECEIVED_64 = 0x80;
const RECEIVED_16 = 0x81;
const AT_RESPONSE = 0x88;
const STATUS_LEGACY = 0x89;
const MODEM_STATUS = 0x8a;
const STATUS = 0x8b;
const RECEIVED = 0x90;
/** Modem status: hardware reset, watchdog reset. */
const RESETS: ReadonlySet<number> = new Set([0x00, 0x01]);
/** Delivery status. Sent, but not acknowledged: that is the link's affair, not the modem's. */
const SENT: ReadonlySet<number> = new Set([0x00, 0x01, 0x21]);
const CCA_FAILURE = 0x02;
/** Where the payload begins, and the RSSI stands, in what is received. */
const RECEIVED_BYTES = 12;
const RECEIVED_64_BYTES = 11;
const RECEIVED_16_BYTES = 5;
/** Octets of a transmit request around the payload: type, id, address, 16-bit address, radius, options. */
const REQUEST_BYTES = 14;
/** Delimiter, length, checksum. */
const FRAME_BYTES = 4;
/** Larger than any that a module sends. */
const MAX_API_BYTES = 2200;
/** Frame ids go from 1; 0 asks for no answer. */
const MAX_ID = 255;
/** In transparent mode lines are `OK` and values; noise may be longer. */
const MAX_LINE_BYTES = 64;
/** Mark of a text line among the messages: no API frame has this type. */
const TEXT = '\xff';
const GUARD_MARGIN_US = 100_000;

interface Query {
  readonly id: number;
  readonly answered: (value: Uint8Array | undefined) => void;
  readonly cancel: Cancel;
}

export class XbeeDriver extends AcousticDriver {
  readonly capabilities: PhyCapabilities;
  readonly timing: PhyTiming;
  protected readonly decoder: Decoder;
  readonly #settings: XbeeSettings;
  readonly #encode: (frame: Uint8Array) => Uint8Array;
  #lastId = 0;
  /** ATNP, as soon as it is known. */
  #payloadBytes = Number.POSITIVE_INFINITY;
  readonly #queries: Query[] = [];
  #cancelCheck: Cancel | undefined;

  constructor(profile: Profile, settings: XbeeSettings, options: DriverOptions) {
    super(profile, settings, options);
    const { air } = profile;
    this.#settings = settings;
    const codec = xbeeCodec({ maxFrameBytes: MAX_API_BYTES, apiMode: settings.apiMode });
    this.#encode = codec.encode;
    this.capabilities = {
      channelAccess: profile.mac.channelAccess,
      duplex: air.duplex,
      carrierSense: 'none',
      sentReport: 'on-air',
      checksIntegrity: true,
      maxFrameBytes: maxFrameBytes(profile),
    };
    const octetUs = airOctetUs(profile);
    const preambleUs = air.preambleUs === 'auto' ? 0 : air.preambleUs;
    const tailUs = air.tailUs === 'auto' ? 0 : air.tailUs;
    const airtimeUs = (frameBytes: number): number =>
      Math.ceil(preambleUs + (frameBytes + settings.airOverheadBytes) * octetUs + tailUs);
    const longest = this.capabilities.maxFrameBytes;
    const lineUs = Math.ceil((longest + REQUEST_BYTES + FRAME_BYTES) * this.lineOctetUs);
    this.timing = {
      airtimeUs,
      turnaroundUs: lineUs + air.turnaroundUs,
      carrierDetectUs: air.carrierDetectUs === 'auto' ? lineUs : air.carrierDetectUs,
      propagationUs: air.propagationUs,
      hostLatencyUs: this.hostLatencyUs,
      // One other station's frame may come first.
      modemAccessUs: settings.accessMs * 1000 + airtimeUs(longest),
    };
    this.decoder = this.#decoders(
      codec.decoder({
        frame: (octets) => this.message(textOf(octets)),
        discard: (cause, octets) => {
          // Before it is in API mode a module says all sorts of things.
          if (this.ready) this.discard(cause, octets);
        },
      }),
    );
  }

  protected preparation(): readonly Exchange[] {
    const { apiMode, parameters } = this.#settings;
    const set = (command: string, value: readonly number[], more: Partial<Exchange> = {}): Exchange => {
      const id = this.#nextId();
      return { send: this.#atFrame(id, command, value), judge: judgeAt(id), ...more };
    };
    this.#lastId = 0;
    this.#checkLater();
    return [
      // This frame needs no escapes, so that a module in either API mode understands it.
      set('AP', [apiMode], { tries: 2, optional: true, replyUs: 300_000 }),
      this.#leaveTransparentMode(),
      set('AP', [apiMode]),
      // Frames of type 90 rather than explicit ones; firmware for 802.15.4 does not know it.
      set('AO', [0], { optional: true }),
      ...Object.entries(parameters).map(([command, value]) => set(command, valueOctets(value))),
      this.#askPayloadBytes(),
    ];
  }

  protected override stopped(): void {
    this.#cancelCheck?.();
    for (const { cancel } of this.#queries) cancel();
    this.#queries.length = 0;
  }

  protected override fits(frame: Uint8Array): boolean {
    return super.fits(frame) && frame.length <= this.#payloadBytes;
  }

  protected begin(frame: Uint8Array): void {
    const { transmit, destination, transmitOptions, accessMs, replyMs } = this.#settings;
    const id = this.#nextId();
    const to = octetsOfHex(destination);
    const request =
      transmit === 'legacy'
        ? Uint8Array.of(TRANSMIT_LEGACY, id, ...to, transmitOptions, ...frame)
        : Uint8Array.of(TRANSMIT, id, ...to, 0xff, 0xfe, 0, transmitOptions, ...frame);
    const judge: Exchange['judge'] = (message) => {
      const type = message.charCodeAt(0);
      if ((type !== STATUS && type !== STATUS_LEGACY) || message.charCodeAt(1) !== id) return undefined;
      const status = message.charCodeAt(type === STATUS ? 5 : 2);
      if (SENT.has(status)) return 'ok';
      return status === CCA_FAILURE ? 'busy' : 'refused';
    };
    const replyUs = (accessMs + replyMs) * 1000 + this.timing.airtimeUs(frame.length);
    // Given once: a status that was lost does not mean that nothing was sent.
    this.exchange({ send: this.#encode(request), judge, tries: 1, replyUs }, (verdict) => {
      if (verdict === 'silent') this.restart();
      else this.over(verdict === 'ok' ? 'sent' : 'refused');
    });
  }

  protected report(message: string): void {
    const octets = octetsOf(message);
    switch (octets[0]) {
      case MODEM_STATUS:
        if (RESETS.has(octets[1] ?? 0)) this.restart();
        return;
      case AT_RESPONSE:
        this.#answered(octets);
        return;
      case RECEIVED:
        this.#received(octets.subarray(RECEIVED_BYTES));
        return;
      case RECEIVED_64:
        this.#receivedWith(octets, RECEIVED_64_BYTES);
        return;
      case RECEIVED_16:
        this.#receivedWith(octets, RECEIVED_16_BYTES);
        return;
      case STATUS:
      case STATUS_LEGACY:
        return;
      default:
        if (this.ready) this.listener.discarded('rx-other', octets.length);
    }
  }

  /** API frames; and, until the module is ready, also lines of text. */
  #decoders(api: Decoder): Decoder {
    const text = lineSplitter(
      { maxLineBytes: MAX_LINE_BYTES },
      { line: (octets) => this.message(TEXT + textOf(octets)), discard: () => {} },
    );
    return {
      push: (octets) => {
        if (!this.ready) text.push(octets);
        api.push(octets);
      },
      reset: () => {
        text.reset();
        api.reset();
      },
      get heldOctets() {
        return api.heldOctets;
      },
    };
  }

  /** Silence, `+++`, silence, `OK`; then the commands, each answered by `OK`. Leaves with the last. */
  #leaveTransparentMode(): Exchange {
    const { apiMode, guardMs, save } = this.#settings;
    const guardUs = guardMs * 1000 + GUARD_MARGIN_US;
    const commands = [`ATAP ${apiMode}\r`, ...(save ? ['ATWR\r'] : []), 'ATCN\r'];
    let given = 0;
    const judge = (message: string): Verdict | undefined => {
      // Ahead of it on the line may stand what the module has heard meanwhile.
      if (!message.startsWith(TEXT) || !message.endsWith('OK')) return undefined;
      const command = commands[given++];
      if (command === undefined) return 'ok';
      this.write(octetsOf(command));
      return undefined;
    };
    const replyUs = guardUs + this.#settings.replyMs * 1000 * commands.length;
    return { send: octetsOf('+++'), judge, guardUs, replyUs, tries: 1, optional: true, afterSilence: true };
  }

  #askPayloadBytes(): Exchange {
    const id = this.#nextId();
    const judgeResponse = judgeAt(id);
    const judge = (message: string): Verdict | undefined => {
      const verdict = judgeResponse(message);
      const value = octetsOf(message.slice(5));
      if (verdict === 'ok' && value.length > 0) this.#payloadBytes = value.reduce((sum, octet) => sum * 256 + octet, 0);
      return verdict;
    };
    // Old firmware does not know it.
    return { send: this.#atFrame(id, 'NP', []), judge, optional: true };
  }

  #receivedWith(octets: Uint8Array, headBytes: number): void {
    const rssi = octets[headBytes - 2];
    const frame = octets.slice(headBytes);
    if (rssi === undefined || frame.length === 0) this.discard('malformed', octets.length);
    // Behind those that wait for their RSSI.
    else if (this.#queries.length > 0) this.#query('AP', () => this.deliver(frame, { rssiDbm: -rssi }));
    else this.deliver(frame, { rssiDbm: -rssi });
  }

  #received(view: Uint8Array): void {
    const frame = view.slice();
    if (frame.length === 0) this.discard('malformed', RECEIVED_BYTES);
    else if (this.#settings.rssi === 'frame' || !this.ready) this.deliver(frame, {});
    else {
      this.#query('DB', (value) => {
        const [rssi] = value ?? [];
        const meta: ReceptionMeta = rssi === undefined ? {} : { rssiDbm: -rssi };
        this.deliver(frame, meta);
      });
    }
  }

  /** Asks for a parameter, beside what else is going on. Answers come in the order of the questions. */
  #query(command: string, answered: Query['answered']): void {
    const id = this.#nextId();
    const latestUs = this.scheduler.nowUs() + this.#settings.replyMs * 1000;
    const cancel = this.scheduler.at(latestUs, () => this.#settle(id, undefined));
    this.#queries.push({ id, answered, cancel });
    this.write(this.#atFrame(id, command, []));
  }

  #answered(octets: Uint8Array): void {
    const [, id = 0, , , status] = octets;
    this.#settle(id, status === 0 ? octets.slice(5) : undefined);
  }

  /** Questions asked before this one will not be answered any more. */
  #settle(id: number, value: Uint8Array | undefined): void {
    const index = this.#queries.findIndex((query) => query.id === id);
    for (const [i, query] of this.#queries.splice(0, index + 1).entries()) {
      query.cancel();
      query.answered(i === index ? value : undefined);
    }
  }

  /** A module that was reset without a word may be back in transparent mode, where it answers nothing. */
  #checkLater(): void {
    this.#cancelCheck?.();
    const { checkMs, apiMode } = this.#settings;
    if (checkMs === 0) return;
    this.#cancelCheck = this.scheduler.at(this.scheduler.nowUs() + checkMs * 1000, () => {
      this.#checkLater();
      if (!this.ready) return;
      this.#query('AP', (value) => {
        if (value?.[0] !== apiMode) this.restart();
      });
    });
  }

  #atFrame(id: number, command: string, value: readonly number[]): Uint8Array {
    return this.#encode(Uint8Array.of(AT, id, ...octetsOf(command), ...value));
  }

  #nextId(): number {
    this.#lastId = (this.#lastId % MAX_ID) + 1;
    return this.#lastId;
  }
}

export const driver = defineDriver({
  settings: xbeeDriver,
  create: (profile, settings, options) => new XbeeDriver(profile, settings, options),
});

/** The response to the AT frame of this id: 88, id, command, status. */
function judgeAt(id: number): Exchange['judge'] {
  const head = `^\\x88${escapeOctet(id)}[\\s\\S]{2}`;
  return judgeBy([new RegExp(`${head}\\x00`), 'ok'], [new RegExp(head), 'refused']);
}

function escapeOctet(octet: number): string {
  return `\\x${octet.toString(16).padStart(2, '0')}`;
}

function octetsOfHex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'hex'));
}

function valueOctets(text: string): readonly number[] {
  return [...octetsOfHex(text.length % 2 === 0 ? text : `0${text}`)];
}
