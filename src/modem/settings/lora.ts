/** The driver sections of LoRa modules that are spoken to in commands. What their manuals leave open stands here. */
import { z } from 'zod';
import { integer, oneOf, section, text, yesNo } from '../schema-parts.js';

/** One step of a profile's own set-up, after the driver's. */
const scriptStep = section({
  /** Without the line's end. */
  send: text('a command'),
  /** How the line that answers it begins. */
  expect: text('the beginning of the reply').default('OK'),
  timeoutMs: integer({ min: 10, max: 60_000, unit: 'ms' }).default(1000),
  /** Further tries when no reply comes. */
  retries: integer({ min: 0, max: 100, unit: 'retries' }).default(2),
});

export type ScriptStep = z.output<typeof scriptStep>;

/** How the dialogue goes on when the modem does not answer, has no time, or has forgotten what it was told. */
const dialogue = {
  /** Without a reply for so long, a command is given again, or the modem prepared anew. */
  replyMs: integer({ min: 10, max: 60_000, unit: 'ms' }).default(1000),
  busyRetryMs: integer({ min: 1, max: 60_000, unit: 'ms' }).default(50),
  /** After so many busy replies the frame is refused, and the MAC tries again when it sees fit. */
  busyRetries: integer({ min: 0, max: 1000, unit: 'retries' }).default(20),
  /** How often a modem that is at rest is asked whether it still knows its settings; 0 is never. */
  checkMs: integer({ min: 0, max: 3_600_000, unit: 'ms' }).default(10_000),
  init: z.array(scriptStep, { error: 'a list of steps with send, expect, timeoutMs, retries' }).default([]),
} as const;

const bandwidth = (): z.ZodUnion<[z.ZodLiteral<125_000>, z.ZodLiteral<250_000>, z.ZodLiteral<500_000>]> =>
  z.union([z.literal(125_000), z.literal(250_000), z.literal(500_000)], { error: '125000, 250000 or 500000 (Hz)' });

/** All stations of a channel need the same; `powerDbm` excepted. */
const modulation = {
  /** The range of the SX1276 (datasheet, table 32 of bands); modules have narrower ones. */
  frequencyHz: integer({ min: 137_000_000, max: 1_020_000_000, unit: 'Hz' }),
  spreadingFactor: integer({ min: 7, max: 12 }),
  bandwidthHz: bandwidth(),
  /** The denominator: 5 is 4/5. */
  codingRate: integer({ min: 5, max: 8 }).default(5),
  preambleSymbols: integer({ min: 4, max: 65_535, unit: 'symbols' }).default(8),
  powerDbm: integer({ min: -9, max: 22, unit: 'dBm' }).default(14),
} as const;

export const rylrDriver = section({
  kind: oneOf(['rylr']),
  ...modulation,
  ...dialogue,
  networkId: integer({ min: 0, max: 18 }).default(18),
  /** How octets are written in the data field, which drivers seen so far treat as text; raw is not known to be safe. */
  encoding: oneOf(['raw', 'hex', 'base64']).default('hex'),
  /** Whether `+OK` comes before the signal or after it: not documented. */
  okMeans: oneOf(['accepted', 'sent']).default('accepted'),
  /** What the module adds on the air. */
  airOverheadBytes: integer({ min: 0, max: 32, unit: 'octets' }).default(8),
  /** Of the data field, as it is written. */
  maxDataBytes: integer({ min: 16, max: 240, unit: 'octets' }).default(240),
  maxFrameBytes: integer({ min: 8, max: 240, unit: 'octets' }).default(120),
});

export const rn2483Driver = section({
  kind: oneOf(['rn2483']),
  ...modulation,
  ...dialogue,
  syncWord: integer({ min: 0, max: 255 }).default(0x12),
  /** Asks for SNR and RSSI after each packet (firmware 1.0.5 and later); the receiver is off meanwhile. */
  reportSignal: yesNo().default(true),
  /** What a receiver takes, beside line time and host, to listen again; lorapipe's own pause is 120 in all. */
  rxRestMs: integer({ min: 0, max: 5000, unit: 'ms' }).default(10),
  /** From Microchip's manuals, not confirmed. */
  maxFrameBytes: integer({ min: 8, max: 255, unit: 'octets' }).default(255),
});

export const rak3172Driver = section({
  kind: oneOf(['rak3172']),
  ...modulation,
  ...dialogue,
  /** Channel activity detection before each transmission. */
  cad: yesNo().default(true),
  /** AT+PSEND's limit. */
  maxFrameBytes: integer({ min: 8, max: 239, unit: 'octets' }).default(239),
});

export const wioE5Driver = section({
  kind: oneOf(['wio-e5']),
  ...modulation,
  ...dialogue,
  rxPreambleSymbols: integer({ min: 4, max: 65_535, unit: 'symbols' }).default(15),
  /** RFCFG's second argument: `SF7`, or `7` with other firmware. */
  spreadingForm: oneOf(['SFn', 'n']).default('SFn'),
  /** How long to wait after TX DONE before reception is switched on; some drivers wait 300 to 600. */
  afterTxMs: integer({ min: 0, max: 5000, unit: 'ms' }).default(0),
  /** Not documented. */
  maxFrameBytes: integer({ min: 8, max: 255, unit: 'octets' }).default(200),
});

export type RylrSettings = z.output<typeof rylrDriver>;
export type Rn2483Settings = z.output<typeof rn2483Driver>;
export type Rak3172Settings = z.output<typeof rak3172Driver>;
export type WioE5Settings = z.output<typeof wioE5Driver>;
/** What all of them have. */
export type LoraSettings = Pick<RylrSettings, keyof typeof modulation | keyof typeof dialogue>;
