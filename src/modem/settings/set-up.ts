/** What the driver sections of transparent modems that are set up by commands have in common. */
import { z } from 'zod';
import { integer, oneOf } from '../schema-parts.js';

/** All rates of HC-12, SiK and Microhard radios; SiK has each of them. */
export const SERIAL_RATES = [1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200, 230_400] as const;

export const setUp = {
  /** COBS: two octets whatever the data, where SLIP may double a frame, which matters to small buffers. */
  framing: oneOf(['slip', 'hdlc', 'cobs']).default('cobs'),
  /** So many octet times of quiet end a carrier that no frame end has ended. */
  silenceOctets: integer({ min: 1, max: 1000, unit: 'octet times' }).default(4),
  maxFrameBytes: integer({ min: 8, max: 65_535, unit: 'octets' }).default(2048),
  /** For each reply. */
  replyMs: integer({ min: 10, max: 60_000, unit: 'ms' }).default(500),
  /** Until a set-up that failed is begun anew. */
  retryMs: integer({ min: 100, max: 3_600_000, unit: 'ms' }).default(5000),
  /** Rates at which a modem is looked for that does not answer at line.baudRate; an empty list keeps to that one. */
  searchBaudRates: z
    .array(z.literal(SERIAL_RATES), { error: `a list of rates of ${SERIAL_RATES.join(', ')}` })
    .default([9600, 57_600, 115_200, 38_400, 19_200, 4800, 2400, 1200]),
} as const;
