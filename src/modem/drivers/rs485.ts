/**
 * RS-485: a wire that stations drive in turn. Who sends must switch its driver on and, when the last bit is out, off again;
 * where the receiver hears its own station meanwhile, what comes back is compared with what was sent: a difference is a
 * collision, known at once, and the frame is given back to be sent again later.
 *
 * With `rts`, a transmission is: 1. RTS. 2. The octets. 3. After the time that they need on the line, which no port can
 * fall short of, and when the port says that it is empty, RTS back. Then it is over.
 */
import type { Cancel } from '../../base/clock.js';
import { SluiceError } from '../../base/errors.js';
import type { Line } from '../../serial/line.js';
import type { DriverOptions } from '../driver.js';
import { defineDriver } from '../driver-definition.js';
import type { Profile } from '../profile-schema.js';
import { type Rs485DriverSettings, rs485Driver } from '../settings/rs485.js';
import { TransparentDriver } from './transparent.js';

/** How often a port is looked at that has not taken all octets. */
const UNWRITTEN_POLL_US = 500;

export class Rs485Driver extends TransparentDriver {
  readonly #settings: Rs485DriverSettings;
  #line: Line | undefined;
  /** We hold the wire by RTS. */
  #driving = false;
  /** Octets that have not come back yet, oldest first. */
  #expected: Uint8Array = new Uint8Array(0);
  /** Of the transmission under way, by its times. */
  #endUs = 0;
  #hasCollided = false;
  #cancelStep: Cancel | undefined;
  #cancelEcho: Cancel | undefined;

  constructor(profile: Profile, settings: Rs485DriverSettings, options: DriverOptions) {
    const { air, line } = profile;
    const leadUs = line.rs485 === undefined ? settings.beforeSendUs : line.rs485.delayBeforeSendMs * 1000;
    const trailUs = line.rs485 === undefined ? settings.afterSendUs : line.rs485.delayAfterSendMs * 1000;
    const adjusted = { ...air, preambleUs: leadUs, tailUs: trailUs };
    super({ ...profile, air: adjusted }, settings, options);
    this.#settings = settings;
  }

  /** @throws SluiceError `line` where RTS cannot be set */
  override lineOpened(line: Line): void {
    this.#line = line;
    if (this.#settings.direction === 'rts' && !this.#drive(false)) {
      this.#line = undefined;
      throw new SluiceError('line', `cannot switch to sending by RTS: ${line.path} has no modem outputs`, {
        subject: line.path,
        remedy: 'Use a port with RTS, or an adapter that switches by itself and driver.direction adapter.',
      });
    }
    super.lineOpened(line);
  }

  override lineLost(): void {
    this.#line = undefined;
    super.lineLost();
  }

  protected override writeToLine(octets: Uint8Array): void {
    const { direction, beforeSendUs, echo } = this.#settings;
    const timeUs = octets.length * this.lineOctetUs;
    if (echo) this.#expect(octets, beforeSendUs + timeUs);
    if (direction !== 'rts') {
      super.writeToLine(octets);
      return;
    }
    this.#driving = this.#drive(true);
    this.#step(beforeSendUs, () => {
      super.writeToLine(octets);
      this.#step(timeUs, () => this.#whenWritten());
    });
  }

  protected override isHeld(): boolean {
    return super.isHeld() || this.#driving || this.#expected.length > 0;
  }

  protected override receive(octets: Uint8Array): void {
    const rest = this.#expected.length > 0 ? this.#compare(octets) : octets;
    if (rest.length > 0) super.receive(rest);
  }

  protected override stopped(): void {
    this.#cancelStep?.();
    this.#cancelEcho?.();
    this.#expected = new Uint8Array(0);
    if (this.#driving) this.#drive(false);
    this.#driving = false;
    super.stopped();
  }

  #drive(on: boolean): boolean {
    return this.#line?.setOutputs?.({ rts: on === (this.#settings.rtsOnSend === 'asserted') }) ?? false;
  }

  /** The time of all octets has passed; it counts from when the last of them was taken. */
  #whenWritten(): void {
    const line = this.#line;
    if (line === undefined) return;
    if (line.unwrittenBytes > 0) {
      this.#step(Math.max(UNWRITTEN_POLL_US, line.unwrittenBytes * this.lineOctetUs), () => this.#whenWritten());
      return;
    }
    const release = (): void => this.#step(this.#settings.afterSendUs, () => this.#release());
    if (line.drain?.(release) !== true) release();
  }

  #release(): void {
    this.#drive(false);
    this.#driving = false;
    this.#look();
  }

  #expect(octets: Uint8Array, withinUs: number): void {
    this.#expected = octets.slice();
    this.#cancelEcho?.();
    const atUs = this.scheduler.nowUs() + withinUs + this.#settings.echoMs * 1000 + this.hostLatencyUs;
    // What has not come back has not been on the wire as it was sent.
    this.#cancelEcho = this.scheduler.at(Math.ceil(atUs), () => this.#collided());
  }

  /** @returns what comes behind the last octet of ours */
  #compare(octets: Uint8Array): Uint8Array {
    const bytes = Math.min(octets.length, this.#expected.length);
    for (let i = 0; i < bytes; i++) {
      if (octets[i] === this.#expected[i]) continue;
      this.discard('noise', octets.length);
      this.#collided();
      return new Uint8Array(0);
    }
    this.#expected = this.#expected.subarray(bytes);
    if (this.#expected.length === 0) {
      this.#cancelEcho?.();
      this.#look();
    }
    return octets.subarray(bytes);
  }

  /** The port goes on to send what it has; the wire is ours until then. */
  #collided(): void {
    this.#cancelEcho?.();
    this.#expected = new Uint8Array(0);
    this.#hasCollided = true;
    this.#look();
  }

  /** What the end of the transmission waited for has happened. */
  #look(): void {
    if (this.isHeld() || !this.transmitting) return;
    this.reportAt(Math.max(this.scheduler.nowUs(), this.#endUs));
  }

  protected override signalEndUs(frameBytes: number, encodedBytes: number): number {
    this.#endUs = super.signalEndUs(frameBytes, encodedBytes);
    this.#hasCollided = false;
    return this.#endUs;
  }

  protected override outcome(): 'sent' | 'refused' {
    return this.#hasCollided ? 'refused' : 'sent';
  }

  #step(waitUs: number, then: () => void): void {
    this.#cancelStep?.();
    this.#cancelStep = this.scheduler.at(Math.ceil(this.scheduler.nowUs() + waitUs), then);
  }
}

export const driver = defineDriver({
  settings: rs485Driver,
  // Two would switch the driver, or nobody.
  contradictions: ({ direction }, { rs485 }) => {
    if ((direction === 'kernel') === (rs485 !== undefined)) return [];
    const expected =
      direction === 'kernel'
        ? 'a mapping with driver.direction kernel'
        : `no such section with driver.direction ${direction}; kernel has one`;
    return [{ path: ['line', 'rs485'], expected }];
  },
  create: (profile, settings, options) => new Rs485Driver(profile, settings, options),
});
