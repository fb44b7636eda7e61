/** The driver section of modems that dial: telephone modems with Hayes commands, and satellite telephones that know them. */
import { z } from 'zod';
import { integer, oneOf, section, text } from '../schema-parts.js';

const HOUR_MS = 3_600_000;

export const hayesDriver = section({
  kind: oneOf(['hayes']),
  /** Which of the two stations dials. */
  call: oneOf(['dial', 'answer']).default('answer'),
  /** What is dialled, with whatever the modem takes between the digits. Needed to dial. */
  number: text(
    'a number, with the pauses and signs that the modem knows',
    /^[0-9A-Da-d*#,@!WwPpTt;()+ -]+$/,
  ).optional(),
  dialCommand: text('a command, such as ATDT', /^AT/i).default('ATDT'),
  /** Rings before ATA. 0: the modem answers by itself, told so in `init` (ATS0=1). */
  answerAfterRings: integer({ min: 0, max: 30, unit: 'rings' }).default(1),
  /** Commands before each call, each answered by OK. The replies must be words (V1). */
  init: z
    .array(text('a command that begins with AT', /^AT/i), { error: 'a list of commands' })
    .default(['ATZ', 'ATE0V1X4&K3&C1&D2']),
  /** For each reply. */
  replyMs: integer({ min: 10, max: 60_000, unit: 'ms' }).default(2000),
  /** From the last digit, or ATA, to CONNECT. */
  connectMs: integer({ min: 1000, max: 600_000, unit: 'ms' }).default(60_000),
  /** The pause after a call that failed or was lost; doubled each time, up to the second, until a call has held for a minute. */
  redialMs: integer({ min: 0, max: HOUR_MS, unit: 'ms' }).default(5000),
  redialMaxMs: integer({ min: 0, max: 24 * HOUR_MS, unit: 'ms' }).default(300_000),
  /** Silence before and after +++: S12, in units of 20 ms, is 50 by default. */
  guardMs: integer({ min: 20, max: 10_000, unit: 'ms' }).default(1000),
  /** How long DTR is dropped to hang up; S25 of many modems wants more than 50. */
  dtrMs: integer({ min: 10, max: 10_000, unit: 'ms' }).default(500),
  framing: oneOf(['slip', 'hdlc', 'cobs']).default('hdlc'),
  maxFrameBytes: integer({ min: 8, max: 65_535, unit: 'octets' }).default(2048),
});

export type HayesSettings = z.output<typeof hayesDriver>;
