/**
 * Transparent modems of which a line beside the data may say that a signal is on the air (DCD, or what else it is wired to):
 * it is heard of before its first octet, and a signal that makes no octets is heard of at all.
 *
 * The channel is busy while the line says so or octets arrive. The end of a good frame is what all stations share: what the
 * line says is disregarded from there on until it falls, however long the radio holds it. So is what rises while we send.
 * Where the port has no such line, that is told once and the octets alone count.
 */
import type { Line, LineInputs } from '../../serial/line.js';
import type { DriverOptions } from '../driver.js';
import { defineDriver } from '../driver-definition.js';
import type { Profile } from '../profile-schema.js';
import { type TransparentSettings, transparentDriver } from '../settings/transparent.js';
import { TransparentDriver } from './transparent.js';

const INPUT_OF = { dcd: 'dcd', cts: 'cts', dsr: 'dsr', ri: 'ring' } as const;

class RadioDriver extends TransparentDriver {
  readonly #name: keyof typeof INPUT_OF;
  readonly #busyLevel: boolean;
  readonly #remark: DriverOptions['remark'];
  #line: Line | undefined;
  #octets = false;
  #level = false;
  #disregarded = false;
  #carrier = false;
  #hasRemarked = false;

  constructor(
    profile: Profile,
    settings: TransparentSettings,
    carrierLine: keyof typeof INPUT_OF,
    options: DriverOptions,
  ) {
    super(profile, settings, options);
    this.#name = carrierLine;
    this.#busyLevel = settings.carrierLevel === 'asserted';
    this.#remark = options.remark;
  }

  override lineOpened(line: Line): void {
    this.#line = line;
    super.lineOpened(line);
    const isWatched = line.inputs?.() !== undefined && line.watchInputs?.((inputs) => this.#look(inputs)) === true;
    if (isWatched) this.#look(line.inputs?.());
    else this.#tellMissing(line);
  }

  override senseBusy(): boolean {
    return super.senseBusy() || this.#lineBusy;
  }

  protected override octetsHeard(busy: boolean): void {
    this.#octets = busy;
    this.#update();
  }

  protected override deliver(frame: Uint8Array): boolean {
    const isWhole = super.deliver(frame);
    if (isWhole) this.#disregarded = this.#level;
    return isWhole;
  }

  protected override started(): void {
    super.started();
    this.#look(this.#line?.inputs?.());
  }

  protected override stopped(): void {
    this.#level = false;
    super.stopped();
    this.#update();
  }

  get #lineBusy(): boolean {
    return this.#level && !this.#disregarded;
  }

  #look(inputs: LineInputs | undefined): void {
    const level = inputs !== undefined && inputs[INPUT_OF[this.#name]] === this.#busyLevel;
    if (!this.ready || level === this.#level) return;
    this.#level = level;
    this.#disregarded = level && this.transmitting;
    this.#update();
  }

  #update(): void {
    const isBusy = this.#octets || this.#lineBusy;
    if (isBusy === this.#carrier) return;
    this.#carrier = isBusy;
    this.listener.carrier(isBusy);
  }

  #tellMissing(line: Line): void {
    if (this.#hasRemarked) return;
    this.#hasRemarked = true;
    this.#remark?.(
      `${line.path} has no modem lines: driver.carrierLine ${this.#name} tells nothing, and only octets that arrive make the channel busy`,
      'Use a port with modem lines, or set driver.carrierLine to none.',
    );
  }
}

export const driver = defineDriver({
  settings: transparentDriver,
  create: (profile, settings, options) =>
    settings.carrierLine === 'none'
      ? new TransparentDriver(profile, settings, options)
      : new RadioDriver(profile, settings, settings.carrierLine, options),
});
