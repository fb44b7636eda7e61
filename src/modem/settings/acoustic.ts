/** The driver sections of the acoustic modems. What their manuals leave open stands here, not in the drivers. */
import { z } from 'zod';
import { autoOrInteger, integer, oneOf, section } from '../schema-parts.js';

/** How a dialogue of commands and replies goes on when the modem does not answer, or has no time. */
const dialogue = {
  /** Without a reply for so long, a command is given again or the modem prepared anew. */
  replyMs: integer({ min: 10, max: 60_000, unit: 'ms' }).default(2000),
  /** After the modem said that it is busy, the command is given again so much later, ... */
  busyRetryMs: integer({ min: 10, max: 60_000, unit: 'ms' }).default(500),
  /** ... so many times; then the frame is refused. */
  busyRetries: integer({ min: 0, max: 100, unit: 'retries' }).default(8),
} as const;

const unitOf = (max: number) =>
  /** Own address in the modem; `auto`: the station's number. Frames go to everybody, the link frame says to whom. */
  autoOrInteger({ min: 0, max }).default('auto');

export const nanomodemDriver = section({
  kind: oneOf(['nanomodem']),
  address: unitOf(255),
  maxFrameBytes: integer({ min: 8, max: 64, unit: 'octets' }).default(64),
  ...dialogue,
});

export type NanomodemSettings = z.output<typeof nanomodemDriver>;

export const evologicsDriver = section({
  kind: oneOf(['evologics']),
  address: unitOf(254),
  /** What ends a command: CR on the serial line, LF over TCP. */
  lineEnd: oneOf(['cr', 'lf']).default('cr'),
  /** Transmit power, 0 (most) to 3; `keep`: as the modem has it. */
  sourceLevel: z
    .union([z.literal('keep'), integer({ min: 0, max: 3 })], { error: 'keep, or an integer from 0 to 3' })
    .default('keep'),
  /** From the start of a signal until the modem reports it; not documented. */
  detectMs: integer({ min: 0, max: 10_000, unit: 'ms' }).default(100),
  maxFrameBytes: integer({ min: 8, max: 64, unit: 'octets' }).default(64),
  ...dialogue,
});

export type EvologicsSettings = z.output<typeof evologicsDriver>;

export const acousticDrivers = [nanomodemDriver, evologicsDriver] as const;
