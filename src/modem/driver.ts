/** The two faces of a modem driver: the MAC sees a Phy, the daemon hands it the line. */
import type { Scheduler } from '../base/clock.js';
import type { Phy } from '../mac/phy.js';
import type { Line } from '../serial/line.js';

export interface ModemDriver extends Phy {
  /** The line is open, for the first time or again; only while no line is. `ready(true)` follows, once the modem has settled. */
  lineOpened(line: Line): void;
  /** Octets from the line, in any split. */
  lineData(octets: Uint8Array): void;
  /** The line has taken octets that it had no room for at first. */
  lineDrained?(): void;
  /**
   * The line was lost or closed: first `ready(false)`, then `sent('line-down')` for a transmission in progress. Idempotent.
   */
  lineLost(): void;
  /** What the modem said of itself, and what the driver counted of it, by name: for whoever looks on. */
  figures?(): Record<string, number>;
}

export interface DriverOptions {
  readonly scheduler: Scheduler;
  /** As measured on this host; used where the profile says `auto`. */
  readonly hostLatencyUs?: number | undefined;
  /** Told what the operator should know: what does not work as the profile says, and the remedy. */
  readonly remark?: ((meaning: string, remedy: string) => void) | undefined;
}
