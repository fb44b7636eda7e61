/** The driver section of transparent modems. */
import type { z } from 'zod';
import { integer, oneOf, section } from '../schema-parts.js';

export const transparentDriver = section({
  kind: oneOf(['transparent']),
  framing: oneOf(['slip', 'hdlc', 'cobs']).default('slip'),
  /**
   * The modem line that says that a signal is on the air, beside the octets that arrive. RI is not for what changes often:
   * many ports tell of one edge only.
   */
  carrierLine: oneOf(['none', 'dcd', 'cts', 'dsr', 'ri']).default('none'),
  /** Its level then; adapters with TTL levels and squelch outputs that are low when open invert it. */
  carrierLevel: oneOf(['asserted', 'released']).default('asserted'),
  /** So many octet times of quiet end a carrier that no frame end has ended. */
  silenceOctets: integer({ min: 1, max: 1000, unit: 'octet times' }).default(4),
  /** The longest frame the modem takes; Dire Wolf's MAX_KISS_LEN, and enough for an Ethernet MTU. */
  maxFrameBytes: integer({ min: 8, max: 65_535, unit: 'octets' }).default(2048),
});

export type TransparentSettings = z.output<typeof transparentDriver>;
