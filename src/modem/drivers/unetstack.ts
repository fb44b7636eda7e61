/**
 * Modems with UnetStack (Subnero and others) by fjåge's line of JSON objects, over TCP or a serial line (fjåge,
 * protocol.rst): frames go to the physical agent with TxFrameReq and come as RxFrameNtf; TxFrameNtf and RxFrameStartNtf
 * report. Everything is broadcast; the link frame says to whom.
 */
import type { Decoder } from '../../framing/codec.js';
import { lineSplitter } from '../../framing/lines.js';
import type { PhyCapabilities, PhyTiming } from '../../mac/phy.js';
import { fixedRateAirtimeUs } from '../airtime.js';
import type { DriverOptions } from '../driver.js';
import { defineDriver } from '../driver-definition.js';
import { maxFrameBytes, rateBps } from '../link-timing.js';
import type { Profile } from '../profile-schema.js';
import { type UnetstackSettings, unetstackDriver } from '../settings/acoustic.js';
import { AcousticDriver, type Exchange, octetsOf, textOf, type Verdict } from './acoustic-driver.js';

/** Our agent's name; notifications of an agent go to its topic. */
const OWN_NAME = 'sluice';
const TX_FRAME_REQUEST = 'org.arl.unet.phy.TxFrameReq';
/** Octets of JSON around a frame in base64, at most about so many, either way. */
const ENVELOPE_BYTES = 400;
/** A line of other agents, parameters for instance. */
const MAX_LINE_BYTES = 65_536;
/** What the modem may take for a report beyond the airtime. */
const REPORT_MARGIN_US = 5_000_000;

interface Message {
  /** Without the package. */
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export class UnetstackDriver extends AcousticDriver {
  readonly capabilities: PhyCapabilities;
  readonly timing: PhyTiming;
  protected readonly decoder: Decoder;
  readonly #settings: UnetstackSettings;
  /** Counts requests of this session. */
  #requests = 0;

  constructor(profile: Profile, settings: UnetstackSettings, options: DriverOptions) {
    super(profile, settings, options);
    const { air } = profile;
    this.#settings = settings;
    this.capabilities = {
      channelAccess: profile.mac.channelAccess,
      duplex: air.duplex,
      carrierSense: 'reported',
      sentReport: 'on-air',
      checksIntegrity: true,
      maxFrameBytes: maxFrameBytes(profile),
    };
    const rate = {
      rateBps: rateBps(profile),
      bitsPerOctet: air.bitsPerOctet,
      preambleUs: air.preambleUs === 'auto' ? 0 : air.preambleUs,
      tailUs: air.tailUs === 'auto' ? 0 : air.tailUs,
    };
    const lineUs = (frameBytes: number): number => (ENVELOPE_BYTES + (4 * frameBytes) / 3) * this.lineOctetUs;
    this.timing = {
      airtimeUs: (frameBytes) => fixedRateAirtimeUs(rate, frameBytes),
      turnaroundUs: Math.ceil(lineUs(this.capabilities.maxFrameBytes) + air.turnaroundUs),
      carrierDetectUs: air.carrierDetectUs === 'auto' ? Math.ceil(rate.preambleUs + lineUs(0)) : air.carrierDetectUs,
      propagationUs: air.propagationUs,
      hostLatencyUs: this.hostLatencyUs,
    };
    this.decoder = lineSplitter(
      { maxLineBytes: MAX_LINE_BYTES },
      {
        line: (octets) => this.message(textOf(octets)),
        discard: (cause, octets) => this.discard(cause, octets),
      },
    );
  }

  protected preparation(): readonly Exchange[] {
    const { agent } = this.#settings;
    const id = `${OWN_NAME}-${agent}`;
    const lines = [
      // What a former user left unfinished ends with its line.
      '',
      JSON.stringify({ alive: true }),
      JSON.stringify({ action: 'wantsMessagesFor', agentIDs: [OWN_NAME, `#${agent}__ntf`] }),
      JSON.stringify({ action: 'containsAgent', id, agentID: agent }),
      '',
    ];
    const judge = (line: string): Verdict | undefined => {
      const object = parseObject(line);
      if (object?.inResponseTo !== 'containsAgent' || object.id !== id) return undefined;
      return object.answer === true ? 'ok' : 'refused';
    };
    return [{ send: octetsOf(lines.join('\n')), judge }];
  }

  protected begin(frame: Uint8Array): void {
    const { agent, frameType, broadcast } = this.#settings;
    const id = `${OWN_NAME}-${++this.#requests}`;
    const data = {
      to: broadcast,
      type: frameType,
      data: { clazz: '[B', data: btoa(textOf(frame)) },
      msgID: id,
      perf: 'REQUEST',
      recipient: agent,
      sender: OWN_NAME,
    };
    // `clazz` must come first (protocol.rst).
    const request = JSON.stringify({ action: 'send', message: { clazz: TX_FRAME_REQUEST, data } });
    const judge = (line: string): Verdict | undefined => {
      const message = parseMessage(line);
      if (message?.data.inReplyTo !== id) return undefined;
      const performative = message.data.perf;
      if (performative === 'AGREE') return 'ok';
      // Why it refuses is not in the reply; another frame under way is the likely reason.
      if (performative === 'REFUSE') return 'busy';
      return performative === 'FAILURE' || performative === 'NOT_UNDERSTOOD' ? 'refused' : undefined;
    };
    this.exchange({ send: octetsOf(`${request}\n`), judge, tries: 1 }, (verdict) => {
      if (verdict === 'silent') this.restart();
      else if (verdict !== 'ok') this.over('refused');
      else {
        const { airtimeUs, turnaroundUs } = this.timing;
        const latestUs = this.scheduler.nowUs() + turnaroundUs + airtimeUs(frame.length) + REPORT_MARGIN_US;
        this.reportAt(latestUs, () => this.restart());
      }
    });
  }

  protected override stopped(): void {
    this.#requests = 0;
  }

  protected report(line: string): void {
    const message = parseMessage(line);
    if (message === undefined) {
      if (parseObject(line) === undefined) this.discard('malformed', line.length);
      return;
    }
    const ours = message.data.inReplyTo === `${OWN_NAME}-${this.#requests}`;
    switch (message.name) {
      case 'TxFrameNtf':
        if (ours && this.transmitting) this.over('sent');
        return;
      case 'RxFrameStartNtf':
        this.carrierStarts(this.timing.airtimeUs(this.capabilities.maxFrameBytes) + REPORT_MARGIN_US);
        return;
      case 'RxFrameNtf':
        this.#received(message.data, line.length);
        this.carrierEnds();
        return;
      case 'BadFrameNtf':
      case 'CollisionNtf':
        this.discard('check', 1);
        this.carrierEnds();
        return;
      default:
        if (ours && this.transmitting && message.data.perf === 'FAILURE') this.over('refused');
    }
  }

  #received({ type, data }: Message['data'], bytes: number): void {
    if (type !== this.#settings.frameType) {
      this.listener.discarded('rx-other', bytes);
      return;
    }
    const frame = octetArray(data);
    if (frame === undefined) this.discard('malformed', bytes);
    else this.deliver(frame, {});
  }
}

export const driver = defineDriver({
  settings: unetstackDriver,
  create: (profile, settings, options) => new UnetstackDriver(profile, settings, options),
});

function parseObject(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function parseMessage(line: string): Message | undefined {
  const message = parseObject(line)?.message;
  if (!isObject(message) || typeof message.clazz !== 'string' || !isObject(message.data)) return undefined;
  return { name: message.clazz.slice(message.clazz.lastIndexOf('.') + 1), data: message.data };
}

/** Octets as base64 with the class `[B`, or as a list of Java's signed octets. */
function octetArray(value: unknown): Uint8Array | undefined {
  if (Array.isArray(value)) {
    return value.every((item) => Number.isInteger(item)) ? Uint8Array.from(value, (item) => item & 0xff) : undefined;
  }
  if (!isObject(value) || value.clazz !== '[B' || typeof value.data !== 'string') return undefined;
  try {
    return octetsOf(atob(value.data));
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
