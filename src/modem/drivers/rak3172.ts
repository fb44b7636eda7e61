/**
 * RAK3172 with RUI3 in P2P mode: AT+PSEND in hexadecimal, +EVT:TXP2P DONE when it is out, +EVT:RXP2P for what comes. With
 * AT+PRECV=65533 the module listens for good and may send all the same. With AT+CAD=1 it looks for another signal's preamble
 * before it sends, and says that it is busy: the host's slots are still needed, for CAD hears no signal that is under way.
 */
import type { DriverOptions } from '../driver.js';
import { defineDriver } from '../driver-definition.js';
import type { Profile } from '../profile-schema.js';
import { type Rak3172Settings, rak3172Driver } from '../settings/lora.js';
import { type Exchange, judgeBy } from './acoustic-driver.js';
import { CommandDriver, fromHex, toHex } from './command-driver.js';

/** `AT+PSEND=` and CR; CR LF, `OK`, CR LF. */
const COMMAND_BYTES = 10 + 6;
/** CR LF, `+EVT:RXP2P:-120:-20:`, CR LF. */
const REPORT_BYTES = 24;
/** AT+P2P's third argument. */
const BANDWIDTH_INDEX: Readonly<Record<Rak3172Settings['bandwidthHz'], number>> = {
  125000: 0,
  250000: 1,
  500000: 2,
};
/** Continuous, and sending is allowed. */
const LISTEN_FOR_GOOD = 65_533;
/**
 * The module is asked so often, each time for `replyMs`, after the change of the network mode, which restarts it. How long it
 * takes is not documented; it answers as soon as it is up.
 */
const REBOOT_TRIES = 10;
const PACKET = /^\+EVT:RXP2P:(-?\d+):(-?\d+):([0-9A-Fa-f]+)$/;

const judgeReply = judgeBy([/^OK$/, 'ok'], [/^AT_BUSY_ERROR$/, 'busy'], [/^AT_[A-Z_]+$/, 'refused']);

export class Rak3172Driver extends CommandDriver {
  readonly #settings: Rak3172Settings;
  #given = false;

  constructor(profile: Profile, settings: Rak3172Settings, options: DriverOptions) {
    const language = {
      commandBytes: (bytes: number) => COMMAND_BYTES + 2 * bytes,
      reportBytes: (bytes: number) => REPORT_BYTES + 2 * bytes,
      airBytes: (bytes: number) => bytes,
      maxFrameBytes: settings.maxFrameBytes,
      sentReport: 'on-air',
      lineEnd: '\r',
      maxLineBytes: REPORT_BYTES + 2 * 255,
    } as const;
    super(profile, settings, language, options);
    this.#settings = settings;
  }

  protected setUp(): readonly Exchange[] {
    const { frequencyHz, spreadingFactor, bandwidthHz, codingRate, preambleSymbols, powerDbm, cad } = this.#settings;
    const parameters = [
      frequencyHz,
      spreadingFactor,
      BANDWIDTH_INDEX[bandwidthHz],
      codingRate - 5,
      preambleSymbols,
      powerDbm,
    ];
    return [
      // Ends what somebody else had begun.
      this.command('AT', judgeBy([/^(OK|AT_[A-Z_]+)$/, 'ok']), { tries: 1, optional: true }),
      this.command('AT', judgeReply, { tries: REBOOT_TRIES }),
      // In another mode (LoRaWAN, FSK) this counts as no answer; only then the mode is set, which restarts the module.
      this.command('AT+NWM=?', this.#judgeValue(/^AT\+NWM=0$/, undefined), { tries: 1, optional: true }),
      this.command('AT+NWM=0', judgeReply, { tries: 1, optional: true, afterSilence: true }),
      this.command('AT', judgeReply, { tries: REBOOT_TRIES }),
      // While it listens, the module refuses changes.
      this.command('AT+PRECV=0', judgeReply),
      this.command(`AT+P2P=${parameters.join(':')}`, judgeReply),
      this.command(`AT+CAD=${cad ? 1 : 0}`, judgeReply),
    ];
  }

  protected listening(): readonly Exchange[] {
    return [this.command(`AT+PRECV=${LISTEN_FOR_GOOD}`, judgeReply)];
  }

  /** The parameters outlive a restart, reception does not. */
  protected override check(): Exchange {
    return this.command('AT+PRECV=?', this.#judgeValue(/^AT\+PRECV=(P2P_RX_ON|65533)$/, 'refused'));
  }

  protected override stopped(): void {
    super.stopped();
    this.#given = false;
  }

  protected give(frame: Uint8Array): void {
    this.#given = true;
    // Given once: a reply that was lost does not mean that nothing was sent.
    this.exchange(this.command(`AT+PSEND=${toHex(frame)}`, judgeReply, { tries: 1 }), (verdict) => {
      if (verdict === 'silent') this.restart();
      else if (verdict !== 'ok') this.#over('refused');
      else this.expectReport(frame.length);
    });
  }

  protected report(message: string): void {
    const packet = PACKET.exec(message);
    const frame = fromHex(packet?.[3] ?? '');
    if (packet !== null && frame !== undefined) {
      this.hear(frame, { rssiDbm: Number(packet[1]), snrDb: Number(packet[2]) });
    } else if (message === '+EVT:TXP2P DONE') {
      if (this.#given) this.#over('sent');
    } else if (message === '+EVT:RXP2P RECEIVE ERROR') this.hearBroken(message.length);
    else if (message.startsWith('+EVT:RXP2P:')) this.discard('malformed', message.length);
  }

  #over(outcome: 'sent' | 'refused'): void {
    this.#given = false;
    this.over(outcome);
  }

  /** A query: the value comes first, OK after it. Another value than the expected is `otherwise`. */
  #judgeValue(expected: RegExp, otherwise: 'refused' | undefined): Exchange['judge'] {
    let isExpected = false;
    return (message) => {
      if (expected.test(message)) isExpected = true;
      if (!/^(OK|AT_[A-Z_]+)$/.test(message)) return undefined;
      const verdict = isExpected ? 'ok' : otherwise;
      isExpected = false;
      return verdict;
    };
  }
}

export const driver = defineDriver({
  settings: rak3172Driver,
  create: (profile, settings, options) => new Rak3172Driver(profile, settings, options),
});
