/**
 * Microchip RN2483 and RN2903 (LoStik), the radio without the LoRaWAN stack: `mac pause`, `radio tx`, `radio rx 0`. Reception
 * ends with each packet and must be switched on again; a transmission is refused while it is on, and stopping it races
 * with a packet that arrives. What is sent goes to everybody: there are no addresses.
 */
import type { ReceptionMeta } from '../../mac/phy.js';
import type { DriverOptions } from '../driver.js';
import { defineDriver } from '../driver-definition.js';
import type { Profile } from '../profile-schema.js';
import { type Rn2483Settings, rn2483Driver } from '../settings/lora.js';
import { type Exchange, judgeBy } from './acoustic-driver.js';
import { CommandDriver, fromHex, toHex } from './command-driver.js';

/** `radio tx ` and CR LF, `ok` and CR LF. */
const TX_BYTES = 11 + 4;
/** `radio rxstop` and its `ok`. */
const RXSTOP_BYTES = 14 + 4;
/** `radio_rx` and two spaces, CR LF. */
const RX_BYTES = 12;
/** `radio get snr`, `radio get rssi` and the answers. */
const SIGNAL_BYTES = 15 + 5 + 16 + 6;
const PACKET = /^radio_rx {1,2}([0-9A-Fa-f]+)$/;
/** `radio rx 0` and its `ok`. */
const LISTEN_BYTES = 12 + 4;
/** Commands that a receiving host gives until it listens again. */
const DIALOGUES = 3;
/** The version, without being asked: the modem has started anew. */
const BANNER = /^RN2\d{3} \d/;

const judgeOk = judgeBy([/^ok$/, 'ok'], [/^busy$/, 'busy'], [/^(invalid_param|err)$/, 'refused']);
const judgeNumber = judgeBy([/^-?\d+$/, 'ok'], [/^invalid_param$/, 'refused']);
/** Anything is an answer to what nobody understands. */
const judgeAny = judgeBy([/^/, 'ok']);

export class Rn2483Driver extends CommandDriver {
  readonly #settings: Rn2483Settings;
  #receiving = false;
  /** The command for a frame has been given: what `radio_tx_ok` and `radio_err` are about. */
  #given = false;
  /** ... and taken. */
  #taken = false;
  /** Until then the receivers of our last frame are deaf. */
  #deafUntilUs = 0;
  #sentBytes = 0;

  constructor(profile: Profile, settings: Rn2483Settings, options: DriverOptions) {
    const language = {
      commandBytes: (bytes: number) => RXSTOP_BYTES + TX_BYTES + 2 * bytes,
      reportBytes: (bytes: number) => RX_BYTES + 2 * bytes + (settings.reportSignal ? SIGNAL_BYTES : 0),
      airBytes: (bytes: number) => bytes,
      maxFrameBytes: settings.maxFrameBytes,
      sentReport: 'on-air',
      lineEnd: '\r\n',
      maxLineBytes: RX_BYTES + 2 * 255,
    } as const;
    super(profile, settings, language, options);
    this.#settings = settings;
  }

  protected setUp(): readonly Exchange[] {
    const { frequencyHz, powerDbm, spreadingFactor, bandwidthHz, codingRate, preambleSymbols, syncWord } =
      this.#settings;
    const radio = (setting: string): Exchange => this.command(`radio set ${setting}`, judgeOk);
    return [
      // Ends what somebody else had begun.
      this.command('', judgeAny, { tries: 1, optional: true, replyUs: 100_000 }),
      this.command('sys get ver', judgeBy([/^RN2\d{3} \d/, 'ok']), { tries: 10 }),
      // Reception refuses all that follows; `invalid_param` with firmware before 1.0.5.
      this.command('radio rxstop', judgeBy([/^(ok|invalid_param)$/, 'ok']), { optional: true }),
      this.command('mac pause', judgeNumber),
      radio('mod lora'),
      radio(`freq ${frequencyHz}`),
      radio(`pwr ${powerDbm}`),
      radio(`sf sf${spreadingFactor}`),
      radio(`bw ${bandwidthHz / 1000}`),
      radio(`cr 4/${codingRate}`),
      radio(`prlen ${preambleSymbols}`),
      radio(`sync ${syncWord.toString(16).padStart(2, '0')}`),
      radio('crc on'),
      radio('iqi off'),
      radio('wdt 0'),
    ];
  }

  protected listening(): readonly Exchange[] {
    const judge: Exchange['judge'] = (message) => {
      const verdict = judgeOk(message);
      if (verdict === 'ok') this.#receiving = true;
      return verdict;
    };
    return [this.command('radio rx 0', judge)];
  }

  /** Whoever has forgotten that we switched the watchdog off has forgotten the rest. */
  protected override check(): Exchange {
    return this.command('radio get wdt', judgeBy([/^0$/, 'ok'], [/^\d+$/, 'refused'], [/^busy$/, 'busy']));
  }

  protected override stopped(): void {
    super.stopped();
    this.#forget();
  }

  protected give(frame: Uint8Array): void {
    if (!this.#receiving) {
      this.#transmit(frame);
      return;
    }
    // The packet that came meanwhile is reported first; with or without an answer, reception is over.
    this.exchange(
      this.command('radio rxstop', judgeBy([/^(ok|invalid_param|busy)$/, 'ok']), { tries: 2 }),
      (verdict) => {
        this.#receiving = false;
        if (verdict === 'silent') this.restart();
        else this.#transmit(frame);
      },
    );
  }

  protected report(message: string): void {
    const packet = PACKET.exec(message);
    if (packet !== null) this.#packet(packet[1] ?? '', message.length);
    else if (message === 'radio_tx_ok') {
      if (this.#given) this.#sent('sent');
    } else if (message === 'radio_err') {
      if (this.#taken) this.#sent('refused');
      else if (this.#receiving) {
        this.#receiving = false;
        this.hearBroken(message.length);
        this.#listenAgain();
      }
    } else if (BANNER.test(message)) this.restart();
  }

  /** A frame on the heels of another finds nobody listening: whoever got that one is still being told of it. */
  #transmit(frame: Uint8Array): void {
    const startUs = this.#deafUntilUs - (TX_BYTES + 2 * frame.length) * this.lineOctetUs;
    if (startUs > this.scheduler.nowUs()) this.reportAt(startUs, () => this.#transmitNow(frame));
    else this.#transmitNow(frame);
  }

  #transmitNow(frame: Uint8Array): void {
    this.#given = true;
    this.#sentBytes = frame.length;
    // Given once: a reply that was lost does not mean that nothing was sent.
    this.exchange(this.command(`radio tx ${toHex(frame)}`, judgeOk, { tries: 1 }), (verdict) => {
      if (verdict === 'silent') this.restart();
      else if (verdict !== 'ok') this.#sent('refused');
      else {
        this.#taken = true;
        this.expectReport(frame.length);
      }
    });
  }

  /** If the MAC gives the next frame at once, the receiver stays off. */
  #sent(outcome: 'sent' | 'refused'): void {
    const told = RX_BYTES + 2 * this.#sentBytes + (this.#settings.reportSignal ? SIGNAL_BYTES : 0) + LISTEN_BYTES;
    const restUs = told * this.lineOctetUs + this.#settings.rxRestMs * 1000 + DIALOGUES * this.hostLatencyUs;
    if (outcome === 'sent') this.#deafUntilUs = this.scheduler.nowUs() + restUs;
    this.#given = false;
    this.#taken = false;
    this.over(outcome);
    this.#listenAgain();
  }

  #packet(hex: string, messageBytes: number): void {
    this.#receiving = false;
    const frame = fromHex(hex);
    if (frame === undefined) {
      this.discard('malformed', messageBytes);
      this.#listenAgain();
      return;
    }
    const hear = (meta: ReceptionMeta): void => {
      this.hear(frame, meta);
      this.#listenAgain();
    };
    const steps = this.#settings.reportSignal
      ? ['radio get snr', 'radio get rssi'].map((text) => this.command(text, judgeNumber, { optional: true }))
      : [];
    const isErrand = this.errand(steps, ([snr, rssi]) => hear(metaOf(snr, rssi)));
    if (!isErrand) hear({});
  }

  #listenAgain(): void {
    if (!this.#receiving) this.errand(this.listening());
  }

  #forget(): void {
    this.#receiving = false;
    this.#given = false;
    this.#taken = false;
    this.#deafUntilUs = 0;
  }
}

export const driver = defineDriver({
  settings: rn2483Driver,
  create: (profile, settings, options) => new Rn2483Driver(profile, settings, options),
});

/** Firmware before 1.0.5 does not know the strength. */
function metaOf(snr: string | undefined, rssi: string | undefined): ReceptionMeta {
  const number = (text: string | undefined): number | undefined =>
    text !== undefined && /^-?\d+$/.test(text) ? Number(text) : undefined;
  const snrDb = number(snr);
  const rssiDbm = number(rssi);
  return { ...(snrDb === undefined ? {} : { snrDb }), ...(rssiDbm === undefined ? {} : { rssiDbm }) };
}
