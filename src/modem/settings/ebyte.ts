/** The driver sections of Ebyte's transparent LoRa modules, which are set up in a mode that pins choose. */
import { z } from 'zod';
import { integer, oneOf, section, yesNo } from '../schema-parts.js';

const bits = <const T extends readonly number[]>(rates: T) =>
  z.literal(rates, { error: `one of ${rates.join(', ')} (bit/s)` });

const output = () => oneOf(['none', 'rts', 'dtr']).default('none');
const level = () => oneOf(['asserted', 'released']).default('asserted');

/** How the module is wired, and how long it takes. */
const wiring = {
  /** The modem output that is wired to each pin. Without any the module is used as it was set up before; E32 may have both on one. */
  m0: output(),
  m1: output(),
  /** Which level of an output makes its pin low: USB adapters with TTL levels are low when asserted. */
  pinLow: level(),
  /** The modem input that AUX is wired to. Without it, times are waited for. */
  aux: oneOf(['none', 'cts', 'dsr', 'dcd']).default('none'),
  auxLow: level(),
  /** How long AUX is waited for, at most, and what a change of mode takes; libraries have 1000 and 40. */
  auxMs: integer({ min: 10, max: 60_000, unit: 'ms' }).default(1000),
  modeMs: integer({ min: 1, max: 10_000, unit: 'ms' }).default(40),
  replyMs: integer({ min: 10, max: 60_000, unit: 'ms' }).default(500),
  retryMs: integer({ min: 100, max: 3_600_000, unit: 'ms' }).default(5000),
  /** Whether settings are stored, so that they outlive the module's power. */
  save: yesNo().default(true),
  /** FFFF hears all; frames go to everybody on the channel in any case, and say by themselves to whom. */
  address: integer({ min: 0, max: 0xffff }).default(0),
  channel: integer({ min: 0, max: 255 }),
  /** So many octet times of quiet on the line make the module send what it has (not documented). */
  idleOctets: integer({ min: 1, max: 100, unit: 'octet times' }).default(3),
  /** So many octet times of quiet end what was heard. */
  silenceOctets: integer({ min: 1, max: 1000, unit: 'octet times' }).default(8),
  maxFrameBytes: integer({ min: 8, max: 1000, unit: 'octets' }),
} as const;

export const e22Driver = section({
  kind: oneOf(['e22']),
  ...wiring,
  networkId: integer({ min: 0, max: 255 }).default(0),
  /** REG0. */
  airRateBps: bits([300, 1200, 2400, 4800, 9600, 19_200, 38_400, 62_500]).default(2400),
  powerDbm: z.literal([22, 17, 13, 10], { error: 'one of 22, 17, 13, 10 (dBm)' }).default(22),
  subPacketBytes: z.literal([240, 128, 64, 32], { error: 'one of 240, 128, 64, 32 (octets)' }).default(240),
  /** The module's own listening before it sends, beside ours; how long it may hold a packet back is not documented. */
  lbt: yesNo().default(false),
  /** How often the strength of the channel is asked for; 0 is never. */
  rssiPollMs: integer({ min: 0, max: 60_000, unit: 'ms' }).default(100),
  /** What the module may take to answer that, beside line time; not documented. */
  answerMs: integer({ min: 1, max: 1000, unit: 'ms' }).default(20),
  /** Above this the channel is busy. */
  busyAboveDbm: integer({ min: -127, max: 0, unit: 'dBm' }).default(-90),
});

export const e32Driver = section({
  kind: oneOf(['e32']),
  ...wiring,
  framing: oneOf(['slip', 'hdlc', 'cobs']).default('hdlc'),
  /** SPED. */
  airRateBps: bits([300, 1200, 2400, 4800, 9600, 19_200]).default(2400),
  /** OPTION: 0 is the most. */
  powerIndex: integer({ min: 0, max: 3 }).default(0),
  fec: yesNo().default(true),
  /** What fits in one packet on the air. */
  subPacketBytes: integer({ min: 16, max: 512, unit: 'octets' }).default(58),
});

export type E22Settings = z.output<typeof e22Driver>;
export type E32Settings = z.output<typeof e32Driver>;
export type EbyteSettings = Pick<E22Settings, keyof typeof wiring> & { readonly subPacketBytes: number };
