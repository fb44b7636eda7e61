/** An Ebyte E32, as its libraries and modems.md have it. */
import { EbyteModem, type EbyteWiring, uartRate } from './ebyte-modem.js';
import type { EmulatorContext, EmulatorFactory } from './emulator.js';

/** Address 0000, 9600 and 2.4 kbit/s, channel 17h, push-pull outputs, FEC. */
const FACTORY = [0, 0, 0x1a, 0x17, 0x44];
const AIR_RATES = [300, 1200, 2400, 4800, 9600, 19_200, 19_200, 19_200];
const SUB_PACKET_BYTES = 58;
const PREAMBLE_BYTES = 12;
const VERSION = [0xc3, 0x32, 0x27, 0x02];

export class E32Emulator extends EbyteModem {
  /** @param answersWrites not documented: some firmware repeats what was written, some says nothing */
  readonly #answersWrites: boolean;

  constructor(context: EmulatorContext, wiring: EbyteWiring = {}, answersWrites = true, registers = FACTORY) {
    super(
      context,
      { bufferBytes: 512, registers, setUpMode: 3, lineRate: ([, , speed = 0]) => uartRate(speed >> 3) },
      wiring,
    );
    this.#answersWrites = answersWrites;
  }

  protected get airRateBps(): number {
    return AIR_RATES[(this.registers[2] ?? 0) & 7] ?? 2400;
  }

  protected get subPacketBytes(): number {
    return SUB_PACKET_BYTES;
  }

  protected get preambleUs(): number {
    return (PREAMBLE_BYTES * 8e6) / this.airRateBps;
  }

  protected get identity(): readonly [number, number] {
    const [, , speed = 0, channel = 0, option = 0] = this.registers;
    return [channel, (speed & 7) | (option & 4)];
  }

  protected execute(typed: readonly number[]): number[] | undefined {
    const [command = 0, ...values] = typed;
    const isThrice = typed.length === 3 && values.every((value) => value === command);
    switch (command) {
      case 0xc1:
        if (isThrice) return [0xc0, ...this.registers];
        break;
      case 0xc3:
        if (isThrice) return VERSION;
        break;
      case 0xc4:
        if (isThrice) this.restart();
        break;
      case 0xc0:
      case 0xc2:
        if (values.length < 5) return undefined;
        this.registers = values;
        if (command === 0xc0) this.stored.splice(0, 5, ...values);
        return this.#answersWrites ? [...typed] : [];
      default:
        return [];
    }
    return typed.length < 3 ? undefined : [];
  }
}

export const emulator: EmulatorFactory = (context) => new E32Emulator(context);
