/** What law and courtesy allow on a channel: the section `limits` of a profile or configuration. */
import type { z } from 'zod';
import { integer, section, text } from '../schema-parts.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Also what one frame of the slowest modems takes. */
const TEXT_OCTETS_MAX = 64;
const MINUTES_MAX = 60;

export const limits = section({
  /** Share of any window that this station may be on the air; 1000 is all of it. EN 300 220-2 has bands of 1, 10 and 100. */
  dutyCyclePermille: integer({ min: 1, max: 1000, unit: 'permille' }).default(1000),
  /** EN 300 220-2 counts by the hour. */
  dutyCycleWindowMs: integer({ min: 1000, max: DAY_MS, unit: 'ms' }).default(HOUR_MS),
  /** No frame and no burst keeps the key down for longer; a modem that does is reset by closing its line. */
  keyDownMs: integer({ min: 10, max: HOUR_MS, unit: 'ms' }).optional(),
  /** After the start, nothing is sent for so long. */
  quietMs: integer({ min: 0, max: HOUR_MS, unit: 'ms' }).default(0),
  /** Who transmits, said when it begins to and at this interval as long as it does (47 CFR 97.119: ten minutes). */
  identification: section({
    text: text(`text of 1 to ${TEXT_OCTETS_MAX} octets, a call sign for instance`).refine(
      (value) => new TextEncoder().encode(value).length <= TEXT_OCTETS_MAX,
      { error: `text of 1 to ${TEXT_OCTETS_MAX} octets, a call sign for instance` },
    ),
    everyMinutes: integer({ min: 1, max: MINUTES_MAX, unit: 'minutes' }).default(10),
  }).optional(),
});

export type LimitSettings = z.output<typeof limits>;
