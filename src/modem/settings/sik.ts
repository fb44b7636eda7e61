/** The driver section of SiK radios: 3DR, Holybro, RFD900. */
import { z } from 'zod';
import { integer, oneOf, section, yesNo } from '../schema-parts.js';
import { setUp } from './set-up.js';

/** Air rates that the firmware knows, kbit/s. */
const AIR_SPEEDS = [2, 4, 8, 16, 19, 24, 32, 48, 64, 96, 128, 192, 250] as const;
const node = () => integer({ min: 0, max: 65_535 }).optional();

/**
 * Settings by the names under which ATI5 lists them; their numbers are asked of the radio, because firmwares differ. What
 * is left out stays as it is. SERIAL_SPEED, RTSCTS and MAVLINK follow from the rest of the profile.
 */
const registers = section({
  NETID: integer({ min: 0, max: 65_535 }).optional(),
  AIR_SPEED: z.literal(AIR_SPEEDS, { error: `one of ${AIR_SPEEDS.join(', ')} (kbit/s)` }).optional(),
  TXPOWER: integer({ min: 0, max: 30, unit: 'dBm' }).optional(),
  ECC: integer({ min: 0, max: 1 }).optional(),
  OPPRESEND: integer({ min: 0, max: 1 }).optional(),
  MIN_FREQ: integer({ min: 100_000, max: 6_000_000, unit: 'kHz' }).optional(),
  MAX_FREQ: integer({ min: 100_000, max: 6_000_000, unit: 'kHz' }).optional(),
  NUM_CHANNELS: integer({ min: 1, max: 255 }).optional(),
  DUTY_CYCLE: integer({ min: 10, max: 100, unit: '%' }).optional(),
  LBT_RSSI: integer({ min: 0, max: 220 }).optional(),
  MANCHESTER: integer({ min: 0, max: 1 }).optional(),
  MAX_WINDOW: integer({ min: 20, max: 400, unit: 'ms' }).optional(),
  /** Of the RFD900x firmware for several nodes. */
  NODEID: node(),
  NODEDESTINATION: node(),
  NODECOUNT: node(),
  SYNCANY: node(),
});

export const sikDriver = section({
  kind: oneOf(['sik']),
  ...setUp,
  /** Whether the radio is set up by AT commands when the line opens. */
  configure: yesNo().default(true),
  registers: registers.prefault({}),
  /** Silence before and after `+++`; the firmware wants 1 s. */
  guardMs: integer({ min: 1000, max: 10_000, unit: 'ms' }).default(1100),
  /** After ATZ, until the radio carries data. Unconfirmed. */
  bootMs: integer({ min: 100, max: 60_000, unit: 'ms' }).default(2000),
  /** How often the radio is made to report signal and buffer (RADIO_STATUS); 0: never. 17 octets on the air each time. */
  statusMs: integer({ min: 0, max: 3_600_000, unit: 'ms' }).default(0),
});

export type SikSettings = z.output<typeof sikDriver>;
