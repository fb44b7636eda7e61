/** Ebyte E32 (SX1276/78): six octets of settings, no word about the channel but AUX. */
import type { DriverOptions } from '../driver.js';
import { defineDriver } from '../driver-definition.js';
import type { Profile } from '../profile-schema.js';
import { type E32Settings, e32Driver } from '../settings/ebyte.js';
import { binary, EbyteDriver, replyOf } from './ebyte-driver.js';
import type { Script } from './script.js';

const SAVE = 0xc0;
const SET = 0xc2;
/** Asks for the settings; the answer begins with C0 whatever they were written with. */
const READ = binary(0xc1, 0xc1, 0xc1);
const SETTINGS = replyOf([SAVE], 5);
/** SPED, bits 5 to 3. */
const UART_RATES = [1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200];
/** SPED, bits 2 to 0. */
const AIR_RATES = [300, 1200, 2400, 4800, 9600, 19_200];
/** OPTION: bit 6, push-pull outputs, as from the factory; bit 2, FEC. */
const OPTION_IO_DRIVE = 0x40;
const OPTION_FEC = 0x04;

class E32Driver extends EbyteDriver {
  protected readonly setUpMode = { m0: true, m1: true };
  readonly #settings: E32Settings;

  constructor(profile: Profile, settings: E32Settings, options: DriverOptions) {
    super(profile, settings, { framing: settings.framing }, options, { extraUs: 0 });
    this.#settings = settings;
  }

  protected *configure(): Script {
    const { address, channel, airRateBps, powerIndex, fec, save } = this.#settings;
    const speed = (UART_RATES.indexOf(this.baudRate) << 3) | AIR_RATES.indexOf(airRateBps);
    const option = OPTION_IO_DRIVE | (fec ? OPTION_FEC : 0) | powerIndex;
    const wanted = binary(address >> 8, address & 0xff, speed, channel, option);
    for (const mayDiffer of [true, false]) {
      const reply = yield* this.ask(READ, SETTINGS);
      if (reply === undefined) return false;
      if (SETTINGS.exec(reply)?.[1] === wanted) return true;
      // Whether writing is answered is not documented: what counts is what is read next.
      if (mayDiffer) yield* this.ask(binary(save ? SAVE : SET) + wanted, replyOf([], 6), 1);
    }
    return false;
  }
}

export const driver = defineDriver({
  settings: e32Driver,
  create: (profile, settings, options) => new E32Driver(profile, settings, options),
});
