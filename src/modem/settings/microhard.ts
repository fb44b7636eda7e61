/** The driver section of Microhard's MHX and n920 radios. */
import { z } from 'zod';
import { integer, oneOf, section, text, yesNo } from '../schema-parts.js';
import { setUp } from './set-up.js';

export const microhardDriver = section({
  kind: oneOf(['microhard']),
  ...setUp,
  /** Whether the radio is set up by AT commands when the line opens. */
  configure: yesNo().default(true),
  /** S101: one master, which the others follow. */
  mode: oneOf(['master', 'slave', 'multipoint-master', 'multipoint-slave']).default('slave'),
  /** S103: 1 is turbo, 3 is normal; the same on all. */
  linkRate: integer({ min: 1, max: 3 }).default(3),
  /** S104: the same on all. */
  networkAddress: integer({ min: 0, max: 65_535 }).default(1),
  /** Given first, each answered by OK; words for results whatever they were set to. */
  init: z.array(text('a command, such as AT&C1'), { error: 'a list of commands' }).default(['ATV1', 'AT&C1', 'AT&K3']),
  /** Silence before and after `+++`; 1 s with Hayes. */
  guardMs: integer({ min: 10, max: 10_000, unit: 'ms' }).default(1100),
  /** After ATA, until CONNECT; without it, and with no DCD, the radio is taken to be connected. */
  connectMs: integer({ min: 100, max: 600_000, unit: 'ms' }).default(3000),
});

export type MicrohardSettings = z.output<typeof microhardDriver>;
