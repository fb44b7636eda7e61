/**
 * SiK radios (3DR, Holybro, RFD900): two of them share the air by turns of their own, so that the host sees a full-duplex
 * line whose rate depends on who else sends; CTS tells when their buffer is full. Commands and their replies: SiK,
 * Firmware/radio/at.c; settings take effect when the radio is started anew.
 */
import type { Cancel } from '../../base/clock.js';
import type { ReceptionMeta } from '../../mac/phy.js';
import type { DriverOptions } from '../driver.js';
import { defineDriver } from '../driver-definition.js';
import type { Profile } from '../profile-schema.js';
import { SERIAL_RATES } from '../settings/set-up.js';
import { type SikSettings, sikDriver } from '../settings/sik.js';
import { HEARTBEAT, MavlinkFilter, type RadioStatus, signalDbm } from './mavlink-filter.js';
import type { Dialogue, Script } from './script.js';
import { SetUpDriver } from './set-up-driver.js';

/** A report of the signal older than so many periods says nothing of a frame that comes now. */
const STALE_PERIODS = 3;
/** MAVLINK: raw data, or data in which the radio looks for MAVLink and adds to it. */
const RAW = 0;
const MAVLINK_FRAMING = 1;
const DONE = /(OK|ERROR)\r?\n/;

function isGiven(entry: [string, number | undefined]): entry is [string, number] {
  return entry[1] !== undefined;
}

export class SikDriver extends SetUpDriver {
  readonly #settings: SikSettings;
  /** By name, as the radio must have them. */
  readonly #wanted: ReadonlyMap<string, number>;
  readonly #filter: MavlinkFilter;
  #cancelHeartbeat: Cancel | undefined;
  #status: { readonly atUs: number; readonly status: RadioStatus } | undefined;

  constructor(profile: Profile, settings: SikSettings, options: DriverOptions) {
    super(profile, settings, options);
    this.#settings = settings;
    const follows = {
      // 57 for 57600: the firmware's codes are the rates in kbit/s, cut off.
      SERIAL_SPEED: Math.floor(this.baudRate / 1000),
      RTSCTS: profile.line.flowControl === 'rtscts' ? 1 : 0,
      MAVLINK: settings.statusMs > 0 ? MAVLINK_FRAMING : RAW,
    };
    this.#wanted = new Map(Object.entries({ ...settings.registers, ...follows }).filter(isGiven));
    this.#filter = new MavlinkFilter((status) => this.#heardStatus(status));
  }

  protected *script(): Script {
    if (!this.#settings.configure) return true;
    // What was written may hold for the next start only: once more, to see that it does.
    for (const mayDiffer of [true, false]) {
      if (!(yield* this.search(() => this.#enterCommands()))) return false;
      const differing = yield* this.#differing();
      if (differing === undefined) return false;
      if (differing.length === 0) {
        yield { send: 'ATO\r', until: /\n/, withinUs: this.#settings.replyMs * 1000 };
        return true;
      }
      if (!mayDiffer || !(yield* this.#write(differing))) return false;
    }
    return false;
  }

  protected override started(): void {
    super.started();
    if (this.#settings.statusMs > 0) this.#beat();
  }

  protected override stopped(): void {
    this.#cancelHeartbeat?.();
    this.#filter.reset();
    this.#status = undefined;
    super.stopped();
  }

  protected override data(octets: Uint8Array): void {
    const data = this.#filter.filter(octets);
    if (data.length > 0) super.data(data);
  }

  protected override meta(): ReceptionMeta {
    const staleUs = STALE_PERIODS * this.#settings.statusMs * 1000;
    const last = this.#status;
    if (last === undefined || this.scheduler.nowUs() - last.atUs > staleUs) return {};
    const rssiDbm = signalDbm(last.status.rssi);
    return { rssiDbm, snrDb: rssiDbm - signalDbm(last.status.noise) };
  }

  *#enterCommands(): Script {
    const { guardMs, replyMs } = this.#settings;
    yield { quietUs: guardMs * 1000 };
    const withinUs = (guardMs + replyMs) * 1000;
    if ((yield { send: '+++', until: /OK\r?\n/, withinUs }) !== undefined) return true;
    // Found in command mode, where that was half a command.
    return (yield* this.ask('\rAT\r', /OK\r?\n/, 2)) !== undefined;
  }

  /** Number and wanted value of what is set otherwise; undefined if the radio does not say. */
  *#differing(): Dialogue<[number, number][] | undefined> {
    const each = [...this.#wanted.keys()].map((name) => `(?=[\\s\\S]*\\bS\\d+: ?${name}=\\d+\\r?\\n)`).join('');
    const reply = yield* this.ask('ATI5\r', new RegExp(`^${each}`));
    if (reply === undefined) return undefined;
    const differing: [number, number][] = [];
    for (const [name, wanted] of this.#wanted) {
      const [, number, value] = new RegExp(`\\bS(\\d+): ?${name}=(\\d+)`).exec(reply) ?? [];
      if (Number(value) !== wanted) differing.push([Number(number), wanted]);
    }
    return differing;
  }

  /** Writes, saves, and starts the radio anew. */
  *#write(registers: readonly [number, number][]): Script {
    for (const command of [...registers.map(([number, value]) => `ATS${number}=${value}`), 'AT&W']) {
      const reply = yield* this.ask(`${command}\r`, DONE);
      if (reply === undefined || !reply.includes('OK')) return false;
    }
    yield { send: 'ATZ\r', until: /\n/, withinUs: this.#settings.replyMs * 1000 };
    this.line?.setBaudRate?.(this.baudRate);
    yield { quietUs: this.#settings.bootMs * 1000 };
    return true;
  }

  #beat(): void {
    this.writeToLine(HEARTBEAT);
    const atUs = this.scheduler.nowUs() + this.#settings.statusMs * 1000;
    this.#cancelHeartbeat = this.scheduler.at(atUs, () => this.#beat());
  }

  #heardStatus(status: RadioStatus): void {
    this.#status = { atUs: this.scheduler.nowUs(), status };
    this.note('rssiDbm', signalDbm(status.rssi));
    this.note('remoteRssiDbm', signalDbm(status.remoteRssi));
    this.note('noiseDbm', signalDbm(status.noise));
    this.note('bufferFreePercent', status.bufferFree);
    this.note('rxErrors', status.rxErrors);
  }
}

export const driver = defineDriver({
  settings: sikDriver,
  channelAccess: ['none'],
  baudRates: () => SERIAL_RATES,
  create: (profile, settings, options) => new SikDriver(profile, settings, options),
});
