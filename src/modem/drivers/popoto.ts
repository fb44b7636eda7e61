/**
 * Popoto PMM modems by pshell (facts from goby3's popoto_driver): commands in lines, packets as lists of numbers in JSON,
 * receptions as a header and its data. What pshell answers to a setting, and which alerts frame a transmission, nobody
 * wrote down: settings are given without waiting for an answer, each time again, and the end of a transmission is
 * reckoned unless `sentAlert` names the alert that tells it.
 */
import type { Decoder } from '../../framing/codec.js';
import { lineSplitter } from '../../framing/lines.js';
import type { PhyCapabilities, PhyTiming, ReceptionMeta } from '../../mac/phy.js';
import { fixedRateAirtimeUs } from '../airtime.js';
import type { DriverOptions } from '../driver.js';
import { defineDriver } from '../driver-definition.js';
import { maxFrameBytes, rateBps } from '../link-timing.js';
import type { Profile } from '../profile-schema.js';
import { type PopotoSettings, popotoDriver } from '../settings/acoustic.js';
import { AcousticDriver, addressOf, type Exchange, octetsOf, textOf } from './acoustic-driver.js';

/** Broadcast of setvaluei RemoteID (goby3). */
const EVERYBODY = 255;
/** Prompt and bold letters are no part of a line (goby3). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: VT100 begins with ESC
const DECORATION = /Popoto->|\u001b\[[01]m/g;
/** An octet as a number and its comma. */
const NUMBER_BYTES = 4;
const COMMAND_BYTES = 120;
const REPORT_BYTES = 200;
const MAX_LINE_BYTES = 16_384;
/** Header fields (goby3): type, source, destination, power, length and modulation in two octets. */
const DATA_TYPE = 0;
const LENGTH_MASK = 0x3ff;
/** What the modem may take for an alert beyond the airtime. */
const ALERT_MARGIN_US = 5_000_000;

export class PopotoDriver extends AcousticDriver {
  readonly capabilities: PhyCapabilities;
  readonly timing: PhyTiming;
  protected readonly decoder: Decoder;
  readonly #settings: PopotoSettings;
  readonly #state: string;
  /** Of the packet whose data comes next; undefined: no header came. */
  #length: number | undefined;
  #meta: ReceptionMeta = {};

  constructor(profile: Profile, settings: PopotoSettings, options: DriverOptions) {
    super(profile, settings, options);
    const { air } = profile;
    this.#settings = settings;
    const address = addressOf(profile, settings.address);
    const rate = rateBps(profile);
    this.#state = [
      `setvaluei PayloadMode ${settings.payloadMode}`,
      ...(address === undefined ? [] : [`setvaluei LocalID ${address}`]),
      ...(settings.powerWatts === 'keep' ? [] : [`setvaluef TxPowerWatts ${settings.powerWatts}`]),
      `setRate${rate}`,
      `setvaluei RemoteID ${EVERYBODY}`,
      '',
    ].join('\n');
    this.capabilities = {
      channelAccess: profile.mac.channelAccess,
      duplex: air.duplex,
      carrierSense: 'none',
      sentReport: settings.sentAlert === '' ? 'modelled' : 'on-air',
      // Nothing is written about a check of its own.
      checksIntegrity: false,
      maxFrameBytes: maxFrameBytes(profile),
    };
    const longest = this.capabilities.maxFrameBytes;
    const fixed = {
      rateBps: rate,
      bitsPerOctet: air.bitsPerOctet,
      preambleUs: air.preambleUs === 'auto' ? 0 : air.preambleUs,
      tailUs: air.tailUs === 'auto' ? 0 : air.tailUs,
    };
    const reportUs = Math.ceil((REPORT_BYTES + NUMBER_BYTES * longest) * this.lineOctetUs);
    this.timing = {
      airtimeUs: (frameBytes) => fixedRateAirtimeUs(fixed, frameBytes),
      turnaroundUs: Math.ceil(
        (COMMAND_BYTES + this.#state.length + NUMBER_BYTES * longest) * this.lineOctetUs + air.turnaroundUs,
      ),
      // A packet is told when it has arrived whole, and a frame in progress is heard by nobody.
      carrierDetectUs:
        air.carrierDetectUs === 'auto' ? fixedRateAirtimeUs(fixed, longest) + reportUs : air.carrierDetectUs,
      propagationUs: air.propagationUs,
      hostLatencyUs: this.hostLatencyUs,
    };
    this.decoder = lineSplitter(
      { maxLineBytes: MAX_LINE_BYTES },
      {
        line: (octets) => {
          const line = textOf(octets).replaceAll(DECORATION, '').trim();
          if (line !== '') this.message(line);
        },
        discard: (cause, octets) => this.discard(cause, octets),
      },
    );
  }

  /** Any answer is a sign of life; what a former user left unfinished ends with its line. */
  protected preparation(): readonly Exchange[] {
    const query = '\ngetvaluef BatteryVoltage\n';
    return [{ send: octetsOf(query), judge: (line) => (isReport(line) ? undefined : 'ok') }];
  }

  protected begin(frame: Uint8Array): void {
    const command = `${this.#state}transmitJSON {"Payload":{"Data":[${frame.join(',')}]}}\n`;
    this.write(octetsOf(command));
    const lineUs = command.length * this.lineOctetUs;
    const { airtimeUs, turnaroundUs } = this.timing;
    if (this.#settings.sentAlert !== '') {
      const latestUs = this.scheduler.nowUs() + turnaroundUs + airtimeUs(frame.length) + ALERT_MARGIN_US;
      this.reportAt(latestUs, () => this.restart());
      return;
    }
    const endUs = this.scheduler.nowUs() + lineUs + this.#modemUs(turnaroundUs) + airtimeUs(frame.length);
    this.reportAt(endUs, () => this.over('sent'));
  }

  protected override stopped(): void {
    this.#length = undefined;
    this.#meta = {};
  }

  protected report(line: string): void {
    const object = parse(line);
    if (object === undefined) return;
    const { Header: header, Data: data, SNRdB: snr, Alert: alert } = object;
    if (Array.isArray(header)) {
      const [type, , , , low = 0, high = 0] = header as number[];
      this.#length = type === DATA_TYPE ? (low | (high << 8)) & LENGTH_MASK : undefined;
      this.#meta = {};
    } else if (typeof snr === 'number') this.#meta = { snrDb: snr };
    else if (Array.isArray(data)) this.#received(data, line.length);
    else if (typeof alert === 'string' && this.#settings.sentAlert !== '' && alert.includes(this.#settings.sentAlert)) {
      if (this.transmitting) this.over('sent');
    }
  }

  #received(data: readonly unknown[], bytes: number): void {
    const length = this.#length;
    const isOctets = data.every((item) => Number.isInteger(item) && Number(item) >= 0 && Number(item) <= 0xff);
    if (!isOctets || (length !== undefined && length !== data.length)) this.discard('malformed', bytes);
    else this.deliver(Uint8Array.from(data, Number), this.#meta);
    this.#length = undefined;
    this.#meta = {};
  }

  /** The modem's own part of the turnaround. */
  #modemUs(turnaroundUs: number): number {
    const { maxFrameBytes: longest } = this.capabilities;
    const lineUs = (COMMAND_BYTES + this.#state.length + NUMBER_BYTES * longest) * this.lineOctetUs;
    return turnaroundUs - Math.floor(lineUs);
  }
}

export const driver = defineDriver({
  settings: popotoDriver,
  create: (profile, settings, options) => new PopotoDriver(profile, settings, options),
});

/** Of the channel, not an answer. */
function isReport(line: string): boolean {
  return /^\{"(Header|Data|SNRdB|DopplerVelocity|Alert)"/.test(line);
}

function parse(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}
