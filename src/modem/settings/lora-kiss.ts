/** The driver sections of LoRa modems that talk KISS: RNode, MeshCore. */
import type { z } from 'zod';
import { autoOrInteger, integer, oneOf, section } from '../schema-parts.js';

const HOUR_MS = 3_600_000;

const radio = {
  /** Required: what is allowed where you are is yours to know. */
  frequencyHz: integer({ min: 137_000_000, max: 3_000_000_000, unit: 'Hz' }),
  bandwidthHz: integer({ min: 7_800, max: 1_625_000, unit: 'Hz' }),
  spreadingFactor: integer({ min: 7, max: 12 }),
  /** 5 is 4/5, 8 is 4/8. */
  codingRate: integer({ min: 5, max: 8 }),
  txPowerDbm: integer({ min: 0, max: 37, unit: 'dBm' }),
} as const;

export const rnodeDriver = section({
  kind: oneOf(['rnode']),
  ...radio,
  /** `auto`: what the firmware takes, 18 symbols or 24 ms. */
  preambleSymbols: autoOrInteger({ min: 6, max: 65_535, unit: 'symbols' }).default('auto'),
  /** Share of airtime in some 15 seconds, and in an hour, that the firmware may use: hundredths of a per cent; 0 is no limit. */
  shortAirtimeLock: integer({ min: 0, max: 10_000, unit: '0.01 %' }).default(0),
  longAirtimeLock: integer({ min: 0, max: 10_000, unit: '0.01 %' }).default(0),
  /** The firmware's own limit (RNode_Firmware, MTU). */
  maxFrameBytes: integer({ min: 8, max: 508, unit: 'octets' }).default(508),
  /** For each answer. */
  replyMs: integer({ min: 50, max: 60_000, unit: 'ms' }).default(250),
  /** After a modem that did not answer as it should. */
  retryMs: integer({ min: 100, max: HOUR_MS, unit: 'ms' }).default(5000),
});

export const meshcoreDriver = section({
  kind: oneOf(['meshcore']),
  ...radio,
  preambleSymbols: integer({ min: 6, max: 65_535, unit: 'symbols' }).default(16),
  txDelayMs: integer({ min: 0, max: 2550, multipleOf: 10, unit: 'ms' }).default(50),
  persistence: integer({ min: 0, max: 255 }).default(63),
  slotTimeMs: integer({ min: 0, max: 2550, multipleOf: 10, unit: 'ms' }).default(100),
  /** Asks so often whether the channel is busy; 0 is never. */
  busyPollMs: integer({ min: 0, max: 60_000, unit: 'ms' }).default(0),
  maxFrameBytes: integer({ min: 8, max: 255, unit: 'octets' }).default(255),
  replyMs: integer({ min: 50, max: 60_000, unit: 'ms' }).default(500),
  retryMs: integer({ min: 100, max: HOUR_MS, unit: 'ms' }).default(2000),
});

export type RnodeSettings = z.output<typeof rnodeDriver>;
export type MeshcoreSettings = z.output<typeof meshcoreDriver>;
