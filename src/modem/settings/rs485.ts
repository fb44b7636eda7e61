/** The driver section of RS-485: two wires that all stations drive in turn. */
import type { z } from 'zod';
import { integer, oneOf, section, yesNo } from '../schema-parts.js';

export const rs485Driver = section({
  kind: oneOf(['rs485']),
  /**
   * Who switches the driver on and off: the adapter by itself (most USB ones), the kernel (line.rs485, ports whose driver can
   * do it), or we, by RTS: the least exact, for ports whose driver cannot.
   */
  direction: oneOf(['adapter', 'kernel', 'rts']).default('adapter'),
  /** With rts: its level while we send. */
  rtsOnSend: oneOf(['asserted', 'released']).default('asserted'),
  /** How long the wire is held ahead of the first octet and behind the last, by us or by the adapter; the kernel: line.rs485. */
  beforeSendUs: integer({ min: 0, max: 1_000_000, unit: 'us' }).default(0),
  afterSendUs: integer({ min: 0, max: 1_000_000, unit: 'us' }).default(0),
  /** Whether our own octets come back, because the receiver stays on: they are taken away, and tell of collisions. */
  echo: yesNo().default(false),
  /** How long after its time the last of them may come. */
  echoMs: integer({ min: 1, max: 10_000, unit: 'ms' }).default(20),
  framing: oneOf(['slip', 'hdlc', 'cobs']).default('hdlc'),
  /** Modbus has 3.5 characters of silence between frames. */
  silenceOctets: integer({ min: 1, max: 1000, unit: 'octet times' }).default(4),
  maxFrameBytes: integer({ min: 8, max: 65_535, unit: 'octets' }).default(2048),
});

export type Rs485DriverSettings = z.output<typeof rs485Driver>;
