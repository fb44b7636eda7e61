/** The driver section of KISS TNCs. */
import { z } from 'zod';
import { integer, oneOf, section, text, yesNo } from '../schema-parts.js';

const HOUR_MS = 3_600_000;

/** KISS counts times in one octet of 10 ms (KISS specification: TXDELAY, SlotTime, TXtail). */
export const KISS_TIME_UNIT_MS = 10;
export const KISS_TIME_MAX_MS = 2550;
const kissTime = (): z.ZodNumber =>
  integer({ min: 0, max: KISS_TIME_MAX_MS, multipleOf: KISS_TIME_UNIT_MS, unit: 'ms' });

export const kissDriver = section({
  kind: oneOf(['kiss']),
  port: integer({ min: 0, max: 15 }).default(0),
  txDelayMs: kissTime().default(500),
  /** A TNC sends in a free slot with probability (persistence + 1) / 256. */
  persistence: integer({ min: 0, max: 255 }).default(63),
  slotTimeMs: kissTime().default(100),
  /**
   * Tells the TNC with each frame a slot time of its own, at most so much off `slotTimeMs`. For TNCs that all draw the
   * same numbers: two that once start together would start together for good.
   */
  slotTimeSpreadMs: kissTime().default(0),
  txTailMs: kissTime().default(30),
  /** Whether these are told to the TNC when the line opens; if not, they only describe it. */
  sendParameters: yesNo().default(true),
  /** Tells them again so often, for TNCs that forget; 0 is never. */
  resendMs: integer({ min: 0, max: 24 * HOUR_MS, unit: 'ms' }).default(0),
  /** Octets that the TNC adds to each frame on the air: AX.25 flags (2) and FCS (2). */
  airOverheadBytes: integer({ min: 0, max: 255, unit: 'octets' }).default(4),
  /** The longest frame the TNC takes; Dire Wolf's MAX_KISS_LEN, and enough for an Ethernet MTU. */
  maxFrameBytes: integer({ min: 8, max: 65_535, unit: 'octets' }).default(2048),
  /** Check of frames on the line between host and TNC; both sides must be set to it. */
  checksum: oneOf(['none', 'smack', 'flexnet', 'xkiss']).default('none'),
  /**
   * How the TNC tells that a frame has left: not at all; by the echo of ACKMODE; by the octets in its queue, which
   * Dire Wolf tells when asked.
   */
  reports: oneOf(['none', 'ackmode', 'txbuf']).default('none'),
  /** How often the queue is asked for. */
  pollMs: integer({ min: 10, max: 60_000, unit: 'ms' }).default(100),
  /** SetHardware arguments to be sent when the line opens, as hexadecimal octets. */
  hardware: z
    .array(text('octets in hexadecimal, such as "10"', /^([0-9a-fA-F]{2}\s*)+$/), {
      error: 'a list of hexadecimal texts',
    })
    .default([]),
  /** Lines typed before anything else, each ended by CR: they bring a TNC from its command mode into KISS. */
  enter: z.array(text('a line of text'), { error: 'a list of lines' }).default([]),
  /** The TNC's time for each of them. */
  enterMs: integer({ min: 0, max: 60_000, unit: 'ms' }).default(500),
  /** Frames that begin with this text were made by the TNC and never on the air (NinoTNC: `=`). Empty: none. */
  ignorePrefix: z.string({ error: 'a text' }).default(''),
});

export type KissSettings = z.output<typeof kissDriver>;
