/** The driver sections of the acoustic modems. What their manuals leave open stands here, not in the drivers. */
import { z } from 'zod';
import { autoOrInteger, integer, oneOf, section, text, yesNo } from '../schema-parts.js';

/** How a dialogue of commands and replies goes on when the modem does not answer, or has no time. */
const dialogue = {
  /** Without a reply for so long, a command is given again or the modem prepared anew. */
  replyMs: integer({ min: 10, max: 60_000, unit: 'ms' }).default(2000),
  /** After the modem said that it is busy, the command is given again so much later, ... */
  busyRetryMs: integer({ min: 10, max: 60_000, unit: 'ms' }).default(500),
  /** ... so many times; then the frame is refused. */
  busyRetries: integer({ min: 0, max: 100, unit: 'retries' }).default(8),
} as const;

const unitOf = (max: number) =>
  /** Own address in the modem; `auto`: the station's number. Frames go to everybody, the link frame says to whom. */
  autoOrInteger({ min: 0, max }).default('auto');

export const nanomodemDriver = section({
  kind: oneOf(['nanomodem']),
  address: unitOf(255),
  maxFrameBytes: integer({ min: 8, max: 64, unit: 'octets' }).default(64),
  ...dialogue,
});

export type NanomodemSettings = z.output<typeof nanomodemDriver>;

export const evologicsDriver = section({
  kind: oneOf(['evologics']),
  /** `messages`: instant messages to everybody, the MAC contends; `burst`: to one peer, which the modem connects to and repeats for. */
  service: oneOf(['messages', 'burst']).default('messages'),
  /** Burst: address of the one peer; `auto`: 2 for station 1, and 1 for every other. */
  peer: autoOrInteger({ min: 1, max: 254 }).default('auto'),
  /** Burst: connection and header ahead of the data; not documented. */
  connectMs: integer({ min: 0, max: 60_000, unit: 'ms' }).default(300),
  /** Burst: how long the modem may repeat, after the airtime, before it says DELIVERED or FAILED; not documented. */
  deliveryMs: integer({ min: 100, max: 600_000, unit: 'ms' }).default(30_000),
  /** Burst: number of the ATZ that empties the transmit buffer at start; not documented. */
  clear: integer({ min: 0, max: 4 }).default(1),
  address: unitOf(254),
  /** What ends a command: CR on the serial line, LF over TCP. */
  lineEnd: oneOf(['cr', 'lf']).default('cr'),
  /** Transmit power, 0 (most) to 3; `keep`: as the modem has it. */
  sourceLevel: z
    .union([z.literal('keep'), integer({ min: 0, max: 3 })], { error: 'keep, or an integer from 0 to 3' })
    .default('keep'),
  /** From the start of a signal until the modem reports it; not documented. */
  detectMs: integer({ min: 0, max: 10_000, unit: 'ms' }).default(100),
  /** An instant message holds 64, a burst 1000. */
  maxFrameBytes: integer({ min: 8, max: 1000, unit: 'octets' }).default(64),
  ...dialogue,
});

export type EvologicsSettings = z.output<typeof evologicsDriver>;

export const micromodemDriver = section({
  kind: oneOf(['micromodem']),
  /** `cycle`: CCCYC, all models; `fdp`: flexible data packets of the Micro-Modem 2. */
  protocol: oneOf(['cycle', 'fdp']).default('cycle'),
  /** Cycle: 0 (FSK) to 6; flexible packets: 1, 3 or 5. */
  rate: integer({ min: 0, max: 6 }),
  address: unitOf(127),
  /** Goby has 0; the official value is not confirmed. */
  broadcast: integer({ min: 0, max: 127 }).default(0),
  /** Rate 0: the packet that announces a cycle, and the pause behind it. */
  announceMs: integer({ min: 0, max: 60_000, unit: 'ms' }).default(800),
  /** Probe and header of each packet. */
  overheadMs: integer({ min: 0, max: 60_000, unit: 'ms' }).default(300),
  /** One frame of the rate; `auto`: its octets at air.rateBps. */
  frameMs: autoOrInteger({ min: 1, max: 60_000, unit: 'ms' }).default('auto'),
  /** From the start of a signal to CARXP. */
  detectMs: integer({ min: 0, max: 10_000, unit: 'ms' }).default(300),
  /** Cycle: at most what the rate's frames hold, less one octet of count (two above 256). */
  maxFrameBytes: integer({ min: 8, max: 2046, unit: 'octets' }),
  ...dialogue,
});

export type MicromodemSettings = z.output<typeof micromodemDriver>;

export const unetstackDriver = section({
  kind: oneOf(['unetstack']),
  /** The physical agent; its notifications come by its topic. */
  agent: text('the name of an agent', /^[A-Za-z][A-Za-z0-9_-]*$/).default('phy'),
  /** 1 is the CONTROL frame, 2 the DATA frame. */
  frameType: integer({ min: 1, max: 9 }).default(2),
  /** Not confirmed. */
  broadcast: integer({ min: 0, max: 254 }).default(0),
  /** The frame type's MTU, as the modem is configured. */
  maxFrameBytes: integer({ min: 8, max: 1500, unit: 'octets' }),
  ...dialogue,
});

export type UnetstackSettings = z.output<typeof unetstackDriver>;

export const popotoDriver = section({
  kind: oneOf(['popoto']),
  address: unitOf(254),
  payloadMode: integer({ min: 0, max: 5 }).default(0),
  /** `keep`: as the modem has it. */
  powerWatts: z
    .union([z.literal('keep'), integer({ min: 1, max: 100 })], { error: 'keep, or an integer from 1 to 100 (W)' })
    .default('keep'),
  /** Part of the alert that ends a transmission; without one its end is reckoned. Not documented. */
  sentAlert: z.string({ error: 'text, or nothing' }).default(''),
  /** The length in a header has ten bits. */
  maxFrameBytes: integer({ min: 8, max: 1023, unit: 'octets' }),
  ...dialogue,
});

export type PopotoSettings = z.output<typeof popotoDriver>;

export const benthosDriver = section({
  kind: oneOf(['benthos']),
  address: unitOf(254),
  /** Index of the modem's table; which bit rate it stands for says air.rateBps. */
  txRate: integer({ min: 2, max: 13 }),
  /** Silence before and after +++. */
  guardMs: integer({ min: 1000, max: 10_000, unit: 'ms' }).default(1300),
  /** From `Forwarding Delay Up` to the start of the signal; not documented. */
  startMs: integer({ min: 0, max: 10_000, unit: 'ms' }).default(100),
  /** Whether the settings are stored in the modem, so that they outlive its power. */
  store: yesNo().default(false),
  /** Part of what the modem says when it has started; empty: it says nothing. Not documented. */
  restartText: z.string({ error: 'text, or nothing' }).default('Benthos'),
  maxFrameBytes: integer({ min: 8, max: 4000, unit: 'octets' }),
  ...dialogue,
});

export type BenthosSettings = z.output<typeof benthosDriver>;
