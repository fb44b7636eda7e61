/** The driver section of XBee modules in API mode. */
import { z } from 'zod';
import { integer, oneOf, section, text, yesNo } from '../schema-parts.js';

const HEX_ADDRESS = /^[0-9A-Fa-f]{16}$/;
const HEX_VALUE = /^[0-9A-Fa-f]{1,16}$/;
const COMMAND = /^[A-Z][A-Z0-9]$/;

export const xbeeDriver = section({
  kind: oneOf(['xbee']),
  /** ATAP: 1 plain, 2 escaped. */
  apiMode: z.union([z.literal(1), z.literal(2)], { error: '1 or 2' }).default(2),
  /** `extended`: frame 10 and its status 8B. `legacy`: frame 00 and its status 89 (802.15.4 firmware). */
  transmit: oneOf(['extended', 'legacy']).default('extended'),
  /** 64 bits; with two stations the other one's address makes the module acknowledge and repeat by itself. */
  destination: text('16 hexadecimal digits', HEX_ADDRESS).default('000000000000FFFF'),
  /** Transmit options: 40 point-multipoint, 80 repeater, C0 DigiMesh (DigiMesh, SX); 0 otherwise. */
  transmitOptions: integer({ min: 0, max: 255 }).default(0),
  /** AT parameters that are set before use, as hexadecimal values: `{ ID: '3332', CH: '0C' }`. */
  parameters: z
    .record(
      z.string().regex(COMMAND, { error: 'an AT command of two letters as the key' }),
      text('a hexadecimal value', HEX_VALUE),
      { error: 'a mapping of AT command to hexadecimal value' },
    )
    .default({}),
  /** Whether API mode is written to flash (ATWR) when the module was found in transparent mode. */
  save: yesNo().default(true),
  /** ATGT: silence around `+++`. */
  guardMs: integer({ min: 1, max: 60_000, unit: 'ms' }).default(1000),
  /** `frame`: as received with it (80, 81), otherwise unknown. `query`: ATDB after each frame without it. */
  rssi: oneOf(['frame', 'query']).default('query'),
  /** Octets around the payload on the air: preamble, headers, check. */
  airOverheadBytes: integer({ min: 0, max: 255, unit: 'octets' }).default(31),
  /** How long the module may contend and repeat before it reports. */
  accessMs: integer({ min: 0, max: 60_000, unit: 'ms' }).default(50),
  /** Without a reply for so long, beside that, the module is prepared anew. */
  replyMs: integer({ min: 10, max: 60_000, unit: 'ms' }).default(1000),
  /** After a CCA failure the frame is given again so much later, ... */
  busyRetryMs: integer({ min: 1, max: 60_000, unit: 'ms' }).default(20),
  /** ... so many times; then it is refused. */
  busyRetries: integer({ min: 0, max: 1000, unit: 'retries' }).default(50),
  /** How often the module is asked whether it is still in API mode; 0 is never. */
  checkMs: integer({ min: 0, max: 3_600_000, unit: 'ms' }).default(10_000),
  /** At most what the module says (ATNP). */
  maxFrameBytes: integer({ min: 8, max: 2048, unit: 'octets' }).default(100),
});

export type XbeeSettings = z.output<typeof xbeeDriver>;
