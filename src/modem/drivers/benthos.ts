/**
 * Teledyne Benthos ATM-900 modems (facts from goby3's benthos_atm900_driver): settings in the clam shell, a packet by
 * going online, writing it and escaping again, receptions as lines of hex with their check.
 *
 * 1. ATO, and CONNECT. 2. The octets, which the modem sends once nothing has come for FwdDelay. 3. `Forwarding Delay Up`:
 * the signal starts; its end is reckoned. 4. Meanwhile the guard time, +++, and AT until it answers: a frame that is given
 * before that waits.
 *
 * CR ends a line even online: frames go as COBS with CR in the place of its zero.
 */
import { cobsCodec } from '../../framing/cobs.js';
import type { Decoder } from '../../framing/codec.js';
import { lineSplitter } from '../../framing/lines.js';
import type { PhyCapabilities, PhyTiming } from '../../mac/phy.js';
import { fixedRateAirtimeUs } from '../airtime.js';
import type { DriverOptions } from '../driver.js';
import { defineDriver } from '../driver-definition.js';
import { maxFrameBytes, rateBps } from '../link-timing.js';
import type { Profile } from '../profile-schema.js';
import { type BenthosSettings, benthosDriver } from '../settings/acoustic.js';
import { AcousticDriver, addressOf, type Exchange, judgeBy, octetsOf, textOf } from './acoustic-driver.js';

/** RemoteAddr for everybody (goby3). */
const EVERYBODY = 255;
const CR = 0x0d;
/** FwdDelay=0.05 (goby3). */
const FORWARDING_DELAY_US = 50_000;
/** `ATO`, `CONNECT` with a rate, line ends. */
const GO_ONLINE_BYTES = 40;
/** The lines of a reception beside its hex. */
const REPORT_BYTES = 140;
/** The most that a packet holds (goby3), as hex, with `DATA(nnnn):`. */
const MAX_LINE_BYTES = 2 * 4096 + 80;
/** What the modem may take for `Forwarding Delay Up`. */
const REPORT_MARGIN_US = 5_000_000;
/** `user:1>` has no line end: its last octet is taken for one. No line that matters has that octet. */
const PROMPT_END = 0x3e;
const LF = 0x0a;

export class BenthosDriver extends AcousticDriver {
  readonly capabilities: PhyCapabilities;
  readonly timing: PhyTiming;
  protected readonly decoder: Decoder;
  readonly #settings: BenthosSettings;
  readonly #address: number | undefined;
  readonly #codec = cobsCodec({ maxFrameBytes: 4096 });
  /** From ATO until AT is answered again. */
  #online = false;
  /** Waits for the command mode. */
  #next: Uint8Array | undefined;
  /** Octets of the frame that waits for `Forwarding Delay Up`. */
  #forwarding: number | undefined;
  #hex = '';
  #expectedBytes = 0;

  constructor(profile: Profile, settings: BenthosSettings, options: DriverOptions) {
    super(profile, settings, options);
    const { air } = profile;
    this.#settings = settings;
    this.#address = addressOf(profile, settings.address);
    this.capabilities = {
      channelAccess: profile.mac.channelAccess,
      duplex: air.duplex,
      carrierSense: 'none',
      sentReport: 'modelled',
      checksIntegrity: true,
      maxFrameBytes: maxFrameBytes(profile),
    };
    const rate = {
      rateBps: rateBps(profile),
      bitsPerOctet: air.bitsPerOctet,
      preambleUs: air.preambleUs === 'auto' ? 0 : air.preambleUs,
      tailUs: air.tailUs === 'auto' ? 0 : air.tailUs,
    };
    const longest = this.#codec.maxEncodedBytes(this.capabilities.maxFrameBytes);
    this.timing = {
      airtimeUs: (frameBytes) => fixedRateAirtimeUs(rate, this.#codec.maxEncodedBytes(frameBytes) - 1),
      turnaroundUs: Math.ceil((GO_ONLINE_BYTES + longest) * this.lineOctetUs + FORWARDING_DELAY_US + air.turnaroundUs),
      // A packet is told when it has arrived whole, and a frame in progress is heard by nobody.
      carrierDetectUs:
        air.carrierDetectUs === 'auto'
          ? fixedRateAirtimeUs(rate, longest) + Math.ceil((REPORT_BYTES + 2 * longest) * this.lineOctetUs)
          : air.carrierDetectUs,
      propagationUs: air.propagationUs,
      hostLatencyUs: this.hostLatencyUs,
    };
    const lines = lineSplitter(
      { maxLineBytes: MAX_LINE_BYTES },
      {
        line: (octets) => {
          const line = textOf(octets).trim();
          if (line !== '') this.message(line);
        },
        discard: (cause, octets) => this.discard(cause, octets),
      },
    );
    this.decoder = {
      push: (octets) => lines.push(octets.map((octet) => (octet === PROMPT_END ? LF : octet))),
      reset: () => lines.reset(),
      get heldOctets() {
        return lines.heldOctets;
      },
    };
  }

  protected preparation(): readonly Exchange[] {
    const { txRate, store } = this.#settings;
    const set = (key: string, value: string | number): Exchange => ({
      send: octetsOf(`@${key}=${value}\r`),
      judge: judgeBy([new RegExp(`^${key}\\s*\\|`, 'i'), 'ok']),
    });
    const steps = [
      this.#escape,
      attention,
      set('P1EchoChar', 'Dis'),
      set('OpMode', 0),
      set('Verbose', 3),
      set('DataRetry', 0),
      set('FwdDelay', FORWARDING_DELAY_US / 1e6),
      ...(this.#address === undefined ? [] : [set('LocalAddr', this.#address)]),
      set('RemoteAddr', EVERYBODY),
      set('TxRate', txRate),
      set('PrintHex', 'Ena'),
      set('RcvAll', 'Ena'),
      set('ShowBadData', 'Ena'),
    ];
    if (store) steps.push({ send: octetsOf('cfg store\r'), judge: judgeBy([/stored/i, 'ok']) });
    return steps;
  }

  protected begin(frame: Uint8Array): void {
    if (this.#online) {
      this.#next = frame;
      return;
    }
    const judge = judgeBy([/^CONNECT/, 'ok'], [/BUSY|ERROR|not found/i, 'busy']);
    this.#online = true;
    this.exchange({ send: octetsOf('ATO\r'), judge, tries: 1 }, (verdict) => {
      if (verdict === 'silent') this.restart();
      else if (verdict !== 'ok') {
        this.#online = false;
        this.over('refused');
      } else {
        const encoded = this.#codec.encode(frame).subarray(0, -1);
        this.write(encoded.map((octet) => octet ^ CR));
        this.#forwarding = frame.length;
        const latestUs = encoded.length * this.lineOctetUs + FORWARDING_DELAY_US + REPORT_MARGIN_US;
        this.reportAt(this.scheduler.nowUs() + latestUs, () => this.restart());
      }
    });
  }

  protected override stopped(): void {
    this.#online = false;
    this.#next = undefined;
    this.#forwarding = undefined;
    this.#hex = '';
    this.#expectedBytes = 0;
  }

  protected report(line: string): void {
    const { restartText } = this.#settings;
    const data = /^DATA\((\d+)\):\s*([0-9A-Fa-f]*)/.exec(line);
    const check = /^CRC:(\w+)/.exec(line);
    if (restartText !== '' && line.includes(restartText)) this.restart();
    else if (/Forwarding Delay Up/i.test(line)) this.#transmissionStarts();
    else if (data !== null) {
      this.#expectedBytes = Number(data[1]);
      this.#hex = data[2] ?? '';
    } else if (check !== null) this.#received(check[1] === 'Pass', line);
    else if (this.#hex.length < 2 * this.#expectedBytes && /^[0-9A-Fa-f]+$/.test(line)) this.#hex += line;
  }

  #transmissionStarts(): void {
    const bytes = this.#forwarding;
    if (bytes === undefined) return;
    this.#forwarding = undefined;
    const endUs = this.scheduler.nowUs() + this.#settings.startMs * 1000 + this.timing.airtimeUs(bytes);
    this.reportAt(endUs, () => this.over('sent', true));
    // Whatever the escape is answered with: what counts is that AT is.
    this.exchange({ ...this.#escape, tries: 1 }, () =>
      this.exchange(attention, (verdict) => {
        if (verdict !== 'ok') {
          this.restart();
          return;
        }
        this.#online = false;
        const frame = this.#next;
        this.#next = undefined;
        if (frame !== undefined) this.begin(frame);
      }),
    );
  }

  #received(isGood: boolean, line: string): void {
    const octets = Uint8Array.from(this.#hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16) ^ CR);
    const isWhole = octets.length === this.#expectedBytes && octets.length > 0;
    this.#hex = '';
    this.#expectedBytes = 0;
    if (!isGood || !isWhole) {
      this.discard(isGood ? 'malformed' : 'check', Math.max(1, octets.length));
      return;
    }
    const snr = /\bSNR:\s*([+-]?[\d.]+)/.exec(line);
    const meta = snr === null ? {} : { snrDb: Number(snr[1]) };
    const decoder = this.#codec.decoder({
      frame: (frame) => this.deliver(frame, meta),
      discard: (cause, count) => this.discard(cause, count),
    });
    decoder.push(octets);
    decoder.push(Uint8Array.of(0));
  }

  get #escape(): Exchange {
    const guardUs = this.#settings.guardMs * 1000;
    return {
      send: octetsOf('+++\r'),
      judge: judgeBy([/not found|^user:\d+$/i, 'ok']),
      guardUs,
      replyUs: guardUs,
      tries: 1,
      optional: true,
    };
  }
}

export const driver = defineDriver({
  settings: benthosDriver,
  create: (profile, settings, options) => new BenthosDriver(profile, settings, options),
});

const attention: Exchange = { send: octetsOf('AT\r'), judge: judgeBy([/^OK\b/, 'ok']) };
