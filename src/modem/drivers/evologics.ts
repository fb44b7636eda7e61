/**
 * EvoLogics S2C modems with instant messages (AT*SENDIM; facts from evins, DUNE and DESERT): up to 64 octets, counted, to
 * everybody and without the modem's own acknowledgement: the link frame says to whom, and the MAC confirms. With AT@ZX1
 * the modem reports the start and the end of what it sends and of what it hears.
 *
 * With `service: burst` frames go to one peer (AT*SEND, evins role_at_impl): the modem connects, repeats and reports
 * DELIVERED or FAILED; who contends, and with whom, is its affair.
 */
import type { Decoder } from '../../framing/codec.js';
import { countedLineSplitter } from '../../framing/counted-lines.js';
import type { PhyCapabilities, PhyTiming } from '../../mac/phy.js';
import { type AirtimePoint, tableAirtimeUs } from '../airtime.js';
import type { DriverOptions } from '../driver.js';
import { defineDriver } from '../driver-definition.js';
import { airOctetUs, maxFrameBytes } from '../link-timing.js';
import type { Profile } from '../profile-schema.js';
import { type EvologicsSettings, evologicsDriver } from '../settings/acoustic.js';
import { AcousticDriver, addressOf, type Exchange, judgeBy, octetsOf, textOf } from './acoustic-driver.js';

/** Instant messages of the S2C R (DESERT, evologics_LUT). */
const AIRTIMES: readonly AirtimePoint[] = [
  { octets: 1, airtimeUs: 172_000 },
  { octets: 8, airtimeUs: 238_000 },
  { octets: 16, airtimeUs: 328_000 },
  { octets: 32, airtimeUs: 500_000 },
  { octets: 48, airtimeUs: 688_000 },
  { octets: 64, airtimeUs: 860_000 },
];
/** Broadcast in the drivers of EvoLogics, DUNE and DESERT. */
const EVERYBODY = 255;
/** The most that an instant message holds. */
const MESSAGE_BYTES = 64;
/** `AT*SENDIM,64,255,noack,` and the line's end; a burst's command is shorter. */
const COMMAND_BYTES = 25;
/** `RECVIM` and its fields before the data, and the prefix of data mode. */
const REPORT_BYTES = 80;
/** `RECVSTART` and its end. */
const RECVSTART_BYTES = 11;
/** The most that a burst holds. */
const MAX_DATA_BYTES = 1024;
/** What the modem may take for a report beyond the airtime. */
const REPORT_MARGIN_US = 3_000_000;
/** In data mode replies and notifications come behind `+++AT...:length:`. */
const TIES_PREFIX = /^\+\+\+AT[^:,]*:\d+:/;
/** The fields up to the counted data; what the piggyback message lacks is the flag. */
const HEAD = /^(?:\+\+\+AT[^:,]*:\d+:)?(?:RECV|RECVIM|RECVIMS),(?:p\d+,)?(\d+)(?:,[^,]*){7},$/;
const PIGGYBACK_HEAD = /^(?:\+\+\+AT[^:,]*:\d+:)?RECVPBM,(?:p\d+,)?(\d+)(?:,[^,]*){6},$/;
/** RECVIM and RECV: length, seven fields, data. */
const DATA_REPORT = /^RECV(?:IM)?,(?:p\d+,)?(\d+)(?:,[^,]*){7},/;
const COMMA = 0x2c;

export class EvologicsDriver extends AcousticDriver {
  readonly capabilities: PhyCapabilities;
  readonly timing: PhyTiming;
  protected readonly decoder: Decoder;
  readonly #settings: EvologicsSettings;
  readonly #isBurst: boolean;
  readonly #address: number | undefined;
  readonly #end: string;
  /** A message after the report of a signal's end: its line time. */
  readonly #reportUs: number;

  constructor(profile: Profile, settings: EvologicsSettings, options: DriverOptions) {
    super(profile, settings, options);
    const { air } = profile;
    this.#settings = settings;
    this.#isBurst = settings.service === 'burst';
    this.#address = addressOf(profile, settings.address);
    this.#end = settings.lineEnd === 'lf' ? '\n' : '\r';
    this.capabilities = {
      channelAccess: profile.mac.channelAccess,
      duplex: air.duplex,
      carrierSense: 'reported',
      sentReport: 'on-air',
      checksIntegrity: true,
      maxFrameBytes: maxFrameBytes(profile),
    };
    const octetUs = airOctetUs(profile);
    const longest = this.capabilities.maxFrameBytes;
    this.#reportUs = Math.ceil((REPORT_BYTES + longest) * this.lineOctetUs);
    const detectUs = Math.ceil(settings.detectMs * 1000 + RECVSTART_BYTES * this.lineOctetUs);
    this.timing = {
      airtimeUs: this.#isBurst
        ? (frameBytes) => Math.ceil(settings.connectMs * 1000 + frameBytes * octetUs)
        : (frameBytes) => tableAirtimeUs(AIRTIMES, frameBytes),
      turnaroundUs: Math.ceil((COMMAND_BYTES + longest) * this.lineOctetUs + air.turnaroundUs),
      carrierDetectUs: air.carrierDetectUs === 'auto' ? detectUs : air.carrierDetectUs,
      carrierHoldUs: this.#reportUs,
      propagationUs: air.propagationUs,
      hostLatencyUs: this.hostLatencyUs,
      ...(this.#isBurst ? { modemAccessUs: settings.deliveryMs * 1000 } : {}),
    };
    this.decoder = countedLineSplitter(
      { maxLineBytes: REPORT_BYTES + MAX_DATA_BYTES, dataEnd },
      {
        line: (octets) => this.message(textOf(octets).replace(TIES_PREFIX, '')),
        discard: (cause, octets) => this.discard(cause, octets),
      },
    );
  }

  protected preparation(): readonly Exchange[] {
    const command = (text: string): Exchange => ({ send: octetsOf(text + this.#end), judge: judgeReply });
    const steps: Exchange[] = [
      // Out of data mode, if it was left there; in command mode it is an error.
      { ...command('+++ATC'), tries: 1, optional: true },
      // Silence: a message was begun, and takes what comes for its data. More than it can want makes it an error.
      {
        send: octetsOf('A'.repeat(MAX_DATA_BYTES + 1) + this.#end),
        judge: judgeBy([/^(ERROR|(\[\*\])?OK)/, 'ok']),
        tries: 1,
        optional: true,
        afterSilence: true,
      },
      command('AT@ZX1'),
    ];
    if (this.#address !== undefined) steps.push(command(`AT!AL${this.#address}`));
    if (this.#settings.sourceLevel !== 'keep') steps.push(command(`AT!L${this.#settings.sourceLevel}`));
    if (this.#isBurst) {
      // DELIVERED is one of the extended notifications; what a former session left in the buffer would be reported too.
      steps.push(command('AT@ZF1'), { ...command(`ATZ${this.#settings.clear}`), optional: true });
      // A burst of a former session that is on its way still would be reported, and be taken for ours.
      steps.push({ ...command('AT?DI'), judge: judgeDelivery });
    }
    return steps;
  }

  protected begin(frame: Uint8Array): void {
    const to = this.#isBurst
      ? `AT*SEND,${frame.length},${this.#peer()},`
      : `AT*SENDIM,${frame.length},${EVERYBODY},noack,`;
    const command = `${to}${textOf(frame)}${this.#end}`;
    const marginUs = this.#isBurst ? this.#settings.deliveryMs * 1000 : REPORT_MARGIN_US;
    // Given once: a reply that was lost does not mean that nothing was sent.
    this.exchange({ send: octetsOf(command), judge: judgeReply, tries: 1 }, (verdict) => {
      if (verdict === 'silent') this.restart();
      else if (verdict !== 'ok') this.over('refused');
      else {
        const { airtimeUs, turnaroundUs } = this.timing;
        const latestUs = this.scheduler.nowUs() + turnaroundUs + airtimeUs(frame.length) + marginUs;
        this.reportAt(latestUs, () => this.restart());
      }
    });
  }

  protected report(message: string): void {
    const [word = ''] = message.split(',', 1);
    switch (word) {
      case 'SENDEND':
      case 'DELIVEREDIM':
        // A burst's signals are several: the modem repeats, and acknowledges.
        if (this.transmitting && !this.#isBurst) this.over('sent');
        return;
      case 'DELIVERED':
        // What was heard last was the acknowledgement.
        this.carrierEnds();
        if (this.transmitting && this.#isBurst) this.over('sent');
        return;
      case 'FAILEDIM':
      case 'CANCELEDIM':
        if (this.transmitting && !this.#isBurst) this.over('refused');
        return;
      case 'FAILED':
        if (this.transmitting && this.#isBurst) this.over('refused');
        return;
      case 'RECVSTART':
        this.carrierStarts(this.timing.airtimeUs(this.capabilities.maxFrameBytes) + REPORT_MARGIN_US);
        return;
      case 'RECVEND':
        // The message itself comes next; the carrier ends behind it.
        if (this.senseBusy()) this.carrierStarts(this.#reportUs);
        return;
      case 'RECVFAILED':
        this.carrierEnds();
        return;
      case 'RECVIM':
      case 'RECV':
        if ((word === 'RECV') === this.#isBurst) this.#received(message);
        else this.listener.discarded('rx-other', message.length);
        this.carrierEnds();
        return;
      case 'RECVIMS':
      case 'RECVPBM':
        this.listener.discarded('rx-other', message.length);
        return;
      // Replies too late, and reports that say nothing about our frames.
      default:
    }
  }

  #peer(): number {
    const { peer } = this.#settings;
    if (peer !== 'auto') return peer;
    return this.#address === 1 ? 2 : 1;
  }

  #received(message: string): void {
    const head = DATA_REPORT.exec(message);
    const count = Number(head?.[1] ?? -1);
    const from = head?.[0].length ?? 0;
    if (head === null || message.length !== from + count) this.discard('malformed', message.length);
    else this.deliver(octetsOf(message.slice(from)), {});
  }
}

export const driver = defineDriver({
  settings: evologicsDriver,
  // A burst's limit is that of the settings.
  maxFrameBytes: (settings) => (settings.service === 'burst' ? settings.maxFrameBytes : MESSAGE_BYTES),
  create: (profile, settings, options) => new EvologicsDriver(profile, settings, options),
});

const judgeReply = judgeBy([/^(\[\*\])?OK$/, 'ok'], [/^(BUSY|ERROR BUFFER)/, 'busy'], [/^ERROR/, 'refused']);

const judgeDelivery = judgeBy([/^DELIVERING$/, 'busy'], [/^(EMPTY|FAILED|EXPIRED|ERROR .*)$/, 'ok']);

function dataEnd(beginning: Uint8Array): number | undefined {
  if (beginning.at(-1) !== COMMA || beginning.length > REPORT_BYTES) return undefined;
  const text = textOf(beginning);
  const head = HEAD.exec(text) ?? PIGGYBACK_HEAD.exec(text);
  return head === null ? undefined : text.length + Number(head[1]);
}
