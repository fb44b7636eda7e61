/**
 * A SiK radio (SiK, Firmware/radio: at.c, tdm.c, packet.c, mavlink.c): `+++` between guard times, settings that hold after a
 * restart, two radios that take turns on the air, a turn with nothing to say given away, RADIO_STATUS put in between data
 * for a host that has sent a heartbeat. The radios' clocks agree from the start; hops and error correction are left out.
 */
import { crc16X25 } from '../../base/crc.js';
import { OctetQueue } from '../octet-queue.js';
import type { HeardFrame } from '../signal.js';
import type { EmulatorContext, EmulatorFactory } from './emulator.js';
import { EscapeSequence } from './escape-sequence.js';
import { StreamModem } from './stream-modem.js';

/** As ATI5 lists them; the position is the number. Values: factory settings of a 915 MHz radio. */
export const SIK_FACTORY: readonly (readonly [name: string, value: number])[] = [
  ['FORMAT', 26],
  ['SERIAL_SPEED', 57],
  ['AIR_SPEED', 64],
  ['NETID', 25],
  ['TXPOWER', 20],
  ['ECC', 0],
  ['MAVLINK', 1],
  ['OPPRESEND', 0],
  ['MIN_FREQ', 915_000],
  ['MAX_FREQ', 928_000],
  ['NUM_CHANNELS', 50],
  ['DUTY_CYCLE', 100],
  ['LBT_RSSI', 0],
  ['MANCHESTER', 0],
  ['RTSCTS', 0],
  ['MAX_WINDOW', 131],
];

const SERIAL_RATES = new Map(
  [1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200, 230_400].map((rate) => [Math.floor(rate / 1000), rate]),
);
const AIR_SPEEDS = [2, 4, 8, 16, 19, 24, 32, 48, 64, 96, 128, 192, 250];
const FROM_HOST_BYTES = 1850;
const TO_HOST_BYTES = 645;
/** CTS goes off with less room than this, and on with more than that. */
const CTS_OFF_BYTES = 17;
const CTS_ON_BYTES = 34;
const GUARD_US = 1_000_000;
const MAX_COMMAND = 16;
const REPLY_US = 5_000;
const BOOT_US = 1_000_000;
/** Of one packet on the air, without the trailer. */
const MAX_DATA_BYTES = 250;
const MAX_PACKET_BYTES = 252;
const TICK_US = 16;
/** In octets: what a packet without data takes. */
const PACKET_OVERHEAD_OCTETS = 13;
const IDENTITY_BYTES = 2;
const MAVLINK_STX = 0xfe;
const MAVLINK_BYTES = 17;
const RADIO_STATUS = 109;
const RADIO_STATUS_EXTRA = 185;

export class SikEmulator extends StreamModem {
  /** As typed; those that hold are the saved ones. */
  readonly registers = new Map<string, number>();
  readonly #port: EmulatorContext['port'];
  readonly #saved: Map<string, number>;
  /** As it was started. */
  #running = new Map<string, number>();
  readonly #buffer = new OctetQueue();
  readonly #escape: EscapeSequence;
  #cts = true;
  #commands = false;
  #command = '';
  /** The other side has given its turn away until then. */
  #bonusUntilUs = 0;
  #recent: number[] = [];
  #sequence = 0;
  readonly #air = { packets: 0, brokenPackets: 0, statuses: 0 };

  constructor(context: EmulatorContext, saved: Readonly<Record<string, number>> = {}, factory = SIK_FACTORY) {
    const all = new Map<string, number>([...factory, ...Object.entries(saved)]);
    const code = all.get('SERIAL_SPEED') ?? 0;
    const rate = SERIAL_RATES.get(code) ?? 57_600;
    super(context, {
      baudRate: rate,
      bootUs: BOOT_US,
      replyUs: REPLY_US,
      hardwareFlow: true,
      outputBytes: TO_HOST_BYTES,
    });
    this.#port = context.port;
    this.#saved = all;
    this.#escape = new EscapeSequence(this.scheduler, GUARD_US, () => this.#escaped());
    this.#start();
    context.medium.listen(context.station, { frame: (frame) => this.#fromAir(frame) });
    this.after(0, () => this.#nextTurn());
  }

  override counts(): Record<string, number> {
    return { ...super.counts(), ...this.#air };
  }

  /** Settings as if saved before; they hold from the next start. */
  save(registers: Readonly<Record<string, number>>): void {
    for (const [name, value] of Object.entries(registers)) this.#saved.set(name, value);
  }

  /** Left in command mode by a former user. */
  leaveInCommandMode(): void {
    this.#commands = true;
  }

  protected forget(): void {
    this.#buffer.takeAll();
    this.#commands = false;
    this.#command = '';
    this.#escape.reset();
    this.#bonusUntilUs = 0;
    this.#recent = [];
  }

  protected override booted(): void {
    this.#start();
    this.#nextTurn();
  }

  #start(): void {
    this.registers.clear();
    for (const [name, value] of this.#saved) this.registers.set(name, value);
    this.#running = new Map(this.registers);
    this.baudRate = SERIAL_RATES.get(this.#running.get('SERIAL_SPEED') ?? 0) ?? 57_600;
    this.#setCts(true);
  }

  // ---- from the host ----------------------------------------------------------------------------------------------

  protected octet(octet: number): boolean {
    if (this.#commands) {
      this.#type(octet);
      return true;
    }
    this.#escape.take(octet, this.line.octetUs);
    const room = FROM_HOST_BYTES - this.#buffer.length;
    if (this.#running.get('RTSCTS') === 1) {
      if (room <= CTS_OFF_BYTES) {
        this.#setCts(false);
        return false;
      }
    } else if (room <= 0) {
      this.line.counts.inputOverrun++;
      return true;
    }
    this.#buffer.push(Uint8Array.of(octet));
    this.#lookForHeartbeat(octet);
    // In a turn that was given away, what comes goes out; a moment is waited for more.
    this.after(this.#timing().latencyUs, () => this.#speak(this.#bonusUntilUs, true));
    return true;
  }

  #setCts(on: boolean): void {
    if (on === this.#cts) return;
    this.#cts = on;
    this.#port.setInputs?.({ cts: on });
  }

  #escaped(): void {
    if (this.asleep) return;
    this.#commands = true;
    this.#command = '';
    this.reply('OK\r\n');
  }

  #type(octet: number): void {
    if (octet === 0x0d) {
      this.echo(0x0d);
      this.echo(0x0a);
      const command = this.#command;
      this.#command = '';
      this.#execute(command);
    } else if (this.#command.length >= MAX_COMMAND) {
      this.#commands = false;
      this.#command = '';
    } else if (octet >= 0x20 && octet < 0x7f) {
      const typed = String.fromCharCode(octet).toUpperCase();
      this.#command += typed;
      this.echo(typed.charCodeAt(0));
    }
  }

  #execute(command: string): void {
    if (!command.startsWith('AT')) return;
    if (command === 'ATZ') {
      this.restart();
      return;
    }
    if (command === 'ATO') {
      this.#commands = false;
      this.#escape.reset();
      return;
    }
    const answer = this.#answer(command.slice(2));
    this.countCommand(answer !== undefined);
    this.reply(`${answer ?? 'ERROR'}\r\n`);
  }

  #answer(command: string): string | undefined {
    const names = [...this.registers.keys()];
    const [, number, operator, text] = /^S(\d+)([?=])(\d*)$/.exec(command) ?? [];
    const name = names[Number(number ?? Number.NaN)];
    if (name !== undefined) {
      if (operator === '?') return String(this.registers.get(name));
      const value = Number(text);
      if (number === '0' || text === '' || !isLegal(name, value)) return undefined;
      this.registers.set(name, value);
      return 'OK';
    }
    switch (command) {
      case '':
        return 'OK';
      case 'I':
        return 'SiK 2.2 on HM-TRP';
      case 'I5':
        return names.map((each, i) => `S${i}:${each}=${this.registers.get(each)}`).join('\r\n');
      case '&W':
        for (const [each, value] of this.registers) this.#saved.set(each, value);
        return 'OK';
      case '&F':
        for (const [each, value] of SIK_FACTORY) this.registers.set(each, value);
        return 'OK';
      default:
        return undefined;
    }
  }

  // ---- the air ----------------------------------------------------------------------------------------------------

  #timing() {
    const octetTicks = Math.trunc((8 + 8_000 / (this.#running.get('AIR_SPEED') ?? 64)) / TICK_US) + 1;
    const octetUs = octetTicks * TICK_US;
    const latencyUs = PACKET_OVERHEAD_OCTETS * (octetUs + TICK_US);
    const most = 1000 * (this.#running.get('MAX_WINDOW') ?? 131);
    const windowUs = Math.min(most, 3 * (latencyUs + MAX_PACKET_BYTES * octetUs));
    return { octetUs, latencyUs, windowUs, silenceUs: 2 * latencyUs };
  }

  /** When this turn ends, and when the next begins of those that are ours, or the other's. */
  #turn(ours: boolean): { endUs: number; nextUs: number } {
    const { windowUs, silenceUs } = this.#timing();
    const roundUs = 2 * (windowUs + silenceUs);
    const isFirst = (this.station % 2 === 1) === ours;
    const offsetUs = isFirst ? 0 : windowUs + silenceUs;
    const beganUs = Math.floor((this.scheduler.nowUs() - offsetUs) / roundUs) * roundUs + offsetUs;
    return { endUs: beganUs + windowUs, nextUs: beganUs + roundUs };
  }

  #nextTurn(): void {
    const { endUs, nextUs } = this.#turn(true);
    if (this.scheduler.nowUs() < endUs) this.#speak(endUs, false);
    this.after(nextUs - this.scheduler.nowUs(), () => this.#nextTurn());
  }

  /** Sends what there is until `untilUs`; in a turn of ours, that there is nothing more. */
  #speak(untilUs: number, isGift: boolean): void {
    const { octetUs, latencyUs } = this.#timing();
    const room = Math.floor((untilUs - this.scheduler.nowUs() - latencyUs) / octetUs);
    if (room < 1 || this.asleep || this.medium.sending(this.station)) return;
    if (isGift && this.#buffer.length === 0) return;
    const data: number[] = [];
    while (data.length < Math.min(room, MAX_DATA_BYTES)) {
      const octet = this.#buffer.shift();
      if (octet === undefined) break;
      data.push(octet);
    }
    this.#sent();
    const identity = this.#identity();
    const packet = Uint8Array.from([identity >> 8, identity & 0xff, ...data]);
    const signal = this.medium.keyUp(this.station);
    this.#air.packets++;
    const endUs = signal.sendFrame(packet, latencyUs + data.length * octetUs);
    // Whatever happens to the radio meanwhile, the signal ends.
    this.scheduler.at(endUs, () => signal.keyDown());
    if (isGift || data.length > 0) this.after(endUs - this.scheduler.nowUs() + 1, () => this.#speak(untilUs, isGift));
  }

  /** There is room again. */
  #sent(): void {
    if (this.#cts || FROM_HOST_BYTES - this.#buffer.length > CTS_ON_BYTES) {
      this.#setCts(true);
      this.line.roomAgain();
    }
  }

  #fromAir({ octets, intact }: HeardFrame): void {
    if (this.asleep) return;
    const identity = this.#identity();
    if (!intact) {
      this.#air.brokenPackets++;
      return;
    }
    if (octets[0] !== identity >> 8 || octets[1] !== (identity & 0xff)) return;
    if (octets.length === IDENTITY_BYTES) {
      const { endUs } = this.#turn(false);
      this.#bonusUntilUs = endUs;
      this.#speak(endUs, true);
    } else if (!this.#commands) this.hear(octets.subarray(IDENTITY_BYTES));
  }

  /** What must agree for radios to hear each other. */
  #identity(): number {
    const names = ['AIR_SPEED', 'NETID', 'ECC', 'MIN_FREQ', 'MAX_FREQ', 'NUM_CHANNELS', 'MANCHESTER', 'MAX_WINDOW'];
    return names.reduce((sum, name) => (sum * 31 + (this.#running.get(name) ?? 0)) & 0xffff, 7);
  }

  // ---- MAVLink ----------------------------------------------------------------------------------------------------

  #lookForHeartbeat(octet: number): void {
    if ((this.#running.get('MAVLINK') ?? 0) === 0) return;
    this.#recent = [...this.#recent, octet].slice(-MAVLINK_BYTES);
    const [stx, length, , , , message] = this.#recent;
    if (this.#recent.length < MAVLINK_BYTES || stx !== MAVLINK_STX || length !== 9 || message !== 0) return;
    this.after(REPLY_US, () => this.#reportStatus());
  }

  #reportStatus(): void {
    if (this.#commands || this.line.outputRoom < MAVLINK_BYTES) return;
    this.#air.statuses++;
    const free = Math.floor((100 * (FROM_HOST_BYTES - this.#buffer.length)) / FROM_HOST_BYTES);
    const errors = this.#air.brokenPackets & 0xffff;
    const head = [9, this.#sequence++ & 0xff, 0x33, 0x44, RADIO_STATUS];
    const rssi = 110 + this.random.below(30);
    const body = [errors & 0xff, errors >> 8, 0, 0, rssi, rssi - 5, free, 40, 42];
    const sum = crc16X25(Uint8Array.from([...head, ...body, RADIO_STATUS_EXTRA])) ^ 0xffff;
    this.hear(Uint8Array.from([MAVLINK_STX, ...head, ...body, sum & 0xff, sum >> 8]));
  }
}

function isLegal(name: string, value: number): boolean {
  if (name === 'SERIAL_SPEED') return SERIAL_RATES.has(value);
  if (name === 'AIR_SPEED') return AIR_SPEEDS.includes(value);
  if (name === 'TXPOWER') return value <= 30;
  return name === 'MAVLINK' ? value <= 2 : true;
}

export const emulator: EmulatorFactory = (context) => new SikEmulator(context);
