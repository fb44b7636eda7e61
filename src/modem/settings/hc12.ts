/** The driver section of HC-12 modules. */
import { z } from 'zod';
import { integer, oneOf, section } from '../schema-parts.js';
import { setUp } from './set-up.js';

export const hc12Driver = section({
  kind: oneOf(['hc12']),
  ...setUp,
  /** The modem line that is wired to the module's SET pin. `none`: the module is used as it was set up before. */
  setLine: oneOf(['none', 'rts', 'dtr']).default('none'),
  /** Which level of that line pulls SET low: USB adapters with TTL levels are low when asserted. */
  setLow: oneOf(['asserted', 'released']).default('asserted'),
  /** Transmission mode, FU1 to FU4; line.baudRate must be one that it knows. */
  mode: z.union([z.literal(1), z.literal(2), z.literal(3), z.literal(4)], { error: '1, 2, 3 or 4' }).default(3),
  /** 433.4 MHz + 0.4 MHz * (channel - 1); above 100 the range is not specified. */
  channel: integer({ min: 1, max: 127 }).default(1),
  /** 1 is -1 dBm, 8 is 20 dBm, 3 dB a step. */
  power: integer({ min: 1, max: 8 }).default(8),
  /** What follows a command: the manual has nothing, many programs send CR LF; both are seen to work. */
  lineEnd: oneOf(['none', 'crlf']).default('none'),
  /** From SET low until the module listens to commands (40 in the manual), and from SET high until it is on the air. */
  enterMs: integer({ min: 1, max: 10_000, unit: 'ms' }).default(60),
  leaveMs: integer({ min: 1, max: 10_000, unit: 'ms' }).default(200),
});

export type Hc12Settings = z.output<typeof hc12Driver>;
