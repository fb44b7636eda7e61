/**
 * Ebyte E22 (SX1262/68), manual 1.5 for the E22-400T22S: registers, and the strength of the channel and of the last packet for
 * whoever asks, also at work. That makes it a radio whose channel can be listened to before it is used. The question is six
 * octets in the stream of data; so none of the four that begin it may be whole in a frame, which HDLC can see to.
 */
import type { Cancel } from '../../base/clock.js';
import type { DriverOptions } from '../driver.js';
import { defineDriver } from '../driver-definition.js';
import type { Profile } from '../profile-schema.js';
import { type E22Settings, e22Driver } from '../settings/ebyte.js';
import { binary, EbyteDriver, replyOf } from './ebyte-driver.js';
import type { Script } from './script.js';

const SAVE = 0xc0;
const READ = 0xc1;
const SET = 0xc2;
/** ADDH, ADDL, NETID, REG0 to REG3. */
const REGISTERS = 7;
const REGISTERS_SAID = replyOf([READ, 0, REGISTERS], REGISTERS);
const UART_RATES = [1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200];
const AIR_RATES = [300, 1200, 2400, 4800, 9600, 19_200, 38_400, 62_500];
const SUB_PACKETS = [240, 128, 64, 32];
const POWERS_DBM = [22, 17, 13, 10];
const REG1_RSSI = 0x20;
const REG3_LBT = 0x10;
/** REG3, period of wake-up, 2000 ms, as from the factory; of no use at work. */
const REG3_FACTORY = 0x03;
/** Two registers from the first: the channel now, the last packet. */
const STRENGTH_QUERY = Uint8Array.of(0xc0, 0xc1, 0xc2, 0xc3, 0x00, 0x02);
const STRENGTH_HEAD = [0xc1, 0x00, 0x02];
const STRENGTH_BYTES = 5;
/** With this one escaped, the query cannot be in a frame. */
const ALSO_ESCAPE = [0xc3];
/** After so many questions without an answer the module is set up anew. */
const SILENCES = 5;
/** dBm = -n / 2 (manual; models for 900 MHz may differ, unconfirmed). */
const dbmOf = (value: number): number => -value / 2;

class E22Driver extends EbyteDriver {
  protected readonly setUpMode = { m0: false, m1: true };
  readonly #settings: E22Settings;
  readonly #queryUs: number;
  /** Frames that wait for their strength. */
  readonly #held: Uint8Array[] = [];
  #reply: number[] = [];
  #askedUntilUs = 0;
  #asking = false;
  #silences = 0;
  #knows = false;
  #strong = false;
  #cancelPoll: Cancel | undefined;
  #cancelAnswer: Cancel | undefined;

  constructor(profile: Profile, settings: E22Settings, options: DriverOptions) {
    const octetUs = 10_000_000 / profile.line.baudRate;
    const lineUs = (STRENGTH_QUERY.length + settings.idleOctets + STRENGTH_BYTES) * octetUs;
    const queryUs = Math.ceil(lineUs + settings.answerMs * 1000);
    const pollUs = settings.rssiPollMs * 1000;
    const polled = pollUs > 0 ? { detectUs: pollUs + 2 * queryUs, extraUs: queryUs } : { extraUs: 0 };
    super(profile, settings, { framing: 'hdlc', alsoEscape: ALSO_ESCAPE }, options, polled);
    this.#settings = settings;
    this.#queryUs = queryUs;
  }

  override senseBusy(): boolean {
    return super.senseBusy() || this.#strong;
  }

  /** The question goes through the module's buffer, and the answer back: each of them shows on AUX. */
  protected override auxIsOwn(): boolean {
    return super.auxIsOwn() || this.#asking;
  }

  /** At work again, it is asked whether it knows the question; some models do not, or nobody has told it to. */
  protected override *script(): Script {
    if (!(yield* super.script())) return false;
    if (this.#settings.rssiPollMs === 0) return true;
    yield { quietUs: this.#queryUs };
    this.#knows = (yield* this.ask(binary(...STRENGTH_QUERY), replyOf(STRENGTH_HEAD, 2))) !== undefined;
    return true;
  }

  protected *configure(): Script {
    const { address, networkId, channel, airRateBps, subPacketBytes, powerDbm, rssiPollMs, lbt, save } = this.#settings;
    const reg0 = (UART_RATES.indexOf(this.baudRate) << 5) | AIR_RATES.indexOf(airRateBps);
    const rssi = rssiPollMs > 0 ? REG1_RSSI : 0;
    const reg1 = (SUB_PACKETS.indexOf(subPacketBytes) << 6) | rssi | POWERS_DBM.indexOf(powerDbm);
    const reg3 = REG3_FACTORY | (lbt ? REG3_LBT : 0);
    const wanted = binary(address >> 8, address & 0xff, networkId, reg0, reg1, channel, reg3);
    for (const mayDiffer of [true, false]) {
      const reply = yield* this.ask(binary(READ, 0, REGISTERS), REGISTERS_SAID);
      if (reply === undefined) return false;
      if (REGISTERS_SAID.exec(reply)?.[1] === wanted) return true;
      if (mayDiffer) yield* this.ask(binary(save ? SAVE : SET, 0, REGISTERS) + wanted, REGISTERS_SAID);
    }
    return false;
  }

  protected override started(): void {
    this.#silences = 0;
    this.#pollLater();
  }

  protected override stopped(): void {
    this.#cancelPoll?.();
    this.#cancelAnswer?.();
    this.#asking = false;
    this.#askedUntilUs = 0;
    this.#strong = false;
    this.#reply = [];
    for (const frame of this.#held.splice(0)) this.listener.discarded('rx-other', frame.length);
    super.stopped();
  }

  protected override strongSignal(): boolean {
    return this.#strong || this.#held.length > 0;
  }

  /** A question and its answer must be over, or data would be taken for a part of them. */
  protected override earliestStartUs(): number {
    return Math.max(super.earliestStartUs(), this.#askedUntilUs);
  }

  /** A frame is handed up with its strength, which is asked for. */
  protected override deliver(frame: Uint8Array): boolean {
    if (!this.#polls() || this.transmitting) return super.deliver(frame);
    this.#held.push(frame);
    // What is under way was asked before this frame.
    if (!this.#asking) this.#ask();
    // HDLC has checked it.
    return true;
  }

  protected override receive(octets: Uint8Array): void {
    if (!this.#asking) {
      super.receive(octets);
      return;
    }
    for (const octet of octets) {
      this.#reply.push(octet);
      const at = this.#reply.length - 1;
      const isHead = at >= STRENGTH_HEAD.length || octet === STRENGTH_HEAD[at];
      if (!isHead) this.#passOn();
      else if (at === STRENGTH_BYTES - 1) this.#answered();
    }
  }

  /** No answer after all, but for its last octet perhaps, which may begin one. */
  #passOn(): void {
    const octets = this.#reply;
    this.#reply = [];
    const last = octets.length > 1 && octets.at(-1) === STRENGTH_HEAD[0] ? octets.pop() : undefined;
    super.receive(Uint8Array.from(octets));
    if (last !== undefined) this.#reply.push(last);
  }

  #answered(): void {
    const [, , , channel = 0, packet = 0] = this.#reply;
    this.#reply = [];
    this.#silences = 0;
    this.#strong = dbmOf(channel) > this.#settings.busyAboveDbm;
    this.#answerOver(dbmOf(packet));
  }

  #answerOver(rssiDbm: number | undefined): void {
    this.#asking = false;
    this.#cancelAnswer?.();
    const frames = this.#held.splice(0);
    for (const frame of frames) this.listener.received(frame, rssiDbm === undefined ? {} : { rssiDbm });
    this.update();
    this.#pollLater();
  }

  #polls(): boolean {
    return this.#knows && this.#silences < SILENCES;
  }

  #pollLater(): void {
    this.#cancelPoll?.();
    if (!this.#polls() || !this.ready) return;
    this.#cancelPoll = this.scheduler.at(this.scheduler.nowUs() + this.#settings.rssiPollMs * 1000, () => {
      // While it sends, or is about to, it is not disturbed; while it hears something, that is known already.
      if (this.transmitting || this.octetsAreHeard) this.#pollLater();
      else this.#ask();
    });
  }

  #ask(): void {
    this.#cancelPoll?.();
    const nowUs = this.scheduler.nowUs();
    this.#asking = true;
    this.#reply = [];
    this.#askedUntilUs = nowUs + this.#queryUs;
    this.writeToLine(STRENGTH_QUERY);
    this.#cancelAnswer = this.scheduler.at(this.#askedUntilUs, () => this.#unanswered());
  }

  #unanswered(): void {
    this.#silences++;
    this.#passOn();
    this.#strong = false;
    this.#answerOver(undefined);
    // It knew them before: it has lost its settings, or its power.
    if (this.#silences === SILENCES) this.restart();
  }
}

export const driver = defineDriver({
  settings: e22Driver,
  create: (profile, settings, options) => new E22Driver(profile, settings, options),
});
