/**
 * Seeed Wio-E5 (LoRa-E5) in its test mode: TXLRPKT in hexadecimal, TX DONE when it is out, RXLRPKT to listen, which every
 * transmission ends. A packet is reported in two lines: length and strength, then the octets.
 */
import type { Cancel } from '../../base/clock.js';
import type { ReceptionMeta } from '../../mac/phy.js';
import type { DriverOptions } from '../driver.js';
import { defineDriver } from '../driver-definition.js';
import type { Profile } from '../profile-schema.js';
import { type WioE5Settings, wioE5Driver } from '../settings/lora.js';
import { type Exchange, judgeBy } from './acoustic-driver.js';
import { CommandDriver, fromHex, toHex } from './command-driver.js';

/** `AT+TEST=TXLRPKT,"` and `"`, CR LF. */
const COMMAND_BYTES = 20;
/** `+TEST: LEN:255, RSSI:-120, SNR:-20`, `+TEST: RX ""`, and two CR LF. */
const REPORT_BYTES = 36 + 12 + 4;
const QUALITY = /^\+TEST: LEN:\d+, RSSI:(-?\d+), SNR:(-?\d+)/;
const PACKET = /^\+TEST: RX "([0-9A-Fa-f]+)"$/;

const answered = (pattern: RegExp): Exchange['judge'] => judgeBy([pattern, 'ok'], [/^\+[A-Z]+: ERROR/, 'refused']);

export class WioE5Driver extends CommandDriver {
  readonly #settings: WioE5Settings;
  #given = false;
  #meta: ReceptionMeta = {};
  #cancelListen: Cancel | undefined;

  constructor(profile: Profile, settings: WioE5Settings, options: DriverOptions) {
    const language = {
      commandBytes: (bytes: number) => COMMAND_BYTES + 2 * bytes,
      reportBytes: (bytes: number) => REPORT_BYTES + 2 * bytes,
      airBytes: (bytes: number) => bytes,
      maxFrameBytes: settings.maxFrameBytes,
      sentReport: 'on-air',
      lineEnd: '\r\n',
      maxLineBytes: REPORT_BYTES + 2 * 255,
    } as const;
    super(profile, settings, language, options);
    this.#settings = settings;
  }

  protected setUp(): readonly Exchange[] {
    const { frequencyHz, spreadingFactor, bandwidthHz, preambleSymbols, rxPreambleSymbols, powerDbm, spreadingForm } =
      this.#settings;
    const spreading = spreadingForm === 'n' ? String(spreadingFactor) : `SF${spreadingFactor}`;
    const radio = [frequencyHz / 1e6, spreading, bandwidthHz / 1000, preambleSymbols, rxPreambleSymbols, powerDbm];
    return [
      // Ends what somebody else had begun.
      this.command('AT', judgeBy([/^\+[A-Z]+: /, 'ok']), { tries: 1, optional: true }),
      this.command('AT', answered(/^\+AT: OK$/)),
      this.command('AT+MODE=TEST', answered(/^\+MODE: TEST$/)),
      // CRC on, IQ and network word as they are for nobody's LoRaWAN.
      this.command(`AT+TEST=RFCFG,${radio.join(',')},ON,OFF,OFF`, answered(/^\+TEST: RFCFG/)),
    ];
  }

  protected listening(): readonly Exchange[] {
    return [this.command('AT+TEST=RXLRPKT', answered(/^\+TEST: RXLRPKT$/))];
  }

  /** A modem that has started anew is in LoRaWAN mode. */
  protected override check(): Exchange {
    return this.command('AT+MODE', judgeBy([/^\+MODE: TEST$/, 'ok'], [/^\+MODE: |^\+AT: ERROR/, 'refused']));
  }

  protected override stopped(): void {
    super.stopped();
    this.#given = false;
    this.#meta = {};
    this.#cancelListen?.();
  }

  protected give(frame: Uint8Array): void {
    this.#given = true;
    this.#cancelListen?.();
    // Given once: a reply that was lost does not mean that nothing was sent.
    const command = this.command(`AT+TEST=TXLRPKT,"${toHex(frame)}"`, answered(/^\+TEST: TXLRPKT/), { tries: 1 });
    this.exchange(command, (verdict) => {
      if (verdict === 'silent') this.restart();
      else if (verdict !== 'ok') this.#over('refused');
      else this.expectReport(frame.length);
    });
  }

  protected report(message: string): void {
    const quality = QUALITY.exec(message);
    const packet = PACKET.exec(message);
    const frame = fromHex(packet?.[1] ?? '');
    if (quality !== null) this.#meta = { rssiDbm: Number(quality[1]), snrDb: Number(quality[2]) };
    else if (packet !== null && frame !== undefined) {
      const meta = this.#meta;
      this.#meta = {};
      this.hear(frame, meta);
    } else if (message === '+TEST: TX DONE') {
      if (this.#given) this.#over('sent');
    } else if (message.startsWith('+TEST: RX')) this.discard('malformed', message.length);
  }

  /** If the MAC gives the next frame at once, reception stays off. */
  #over(outcome: 'sent' | 'refused'): void {
    this.#given = false;
    this.over(outcome);
    const { afterTxMs } = this.#settings;
    if (afterTxMs === 0) {
      this.errand(this.listening());
      return;
    }
    this.#cancelListen = this.scheduler.at(this.scheduler.nowUs() + afterTxMs * 1000, () =>
      this.errand(this.listening()),
    );
  }
}

export const driver = defineDriver({
  settings: wioE5Driver,
  create: (profile, settings, options) => new WioE5Driver(profile, settings, options),
});
