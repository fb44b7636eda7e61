/** struct serial_rs485, octet by octet, and what a driver may make of it. */
import { describe, expect, it } from 'vitest';
import { decodeRs485, differingRs485, encodeRs485 } from '../../../src/serial/rs485.js';

const SETTINGS = { rtsOnSend: 'high', delayBeforeSendMs: 1, delayAfterSendMs: 258, receiveDuringSend: true } as const;

describe('RS-485 settings', () => {
  it('stand in 32 octets: flags, two delays, nothing else (include/uapi/linux/serial.h)', () => {
    const octets = Buffer.from(encodeRs485(SETTINGS));
    expect(octets).toHaveLength(32);
    expect(octets.readUInt32LE(0)).toBe(0b1_0011);
    expect(octets.readUInt32LE(4)).toBe(1);
    expect(octets.readUInt32LE(8)).toBe(258);
    expect(octets.subarray(12).every((octet) => octet === 0)).toBe(true);
    expect(Buffer.from(encodeRs485({ ...SETTINGS, rtsOnSend: 'low', receiveDuringSend: false })).readUInt32LE(0)).toBe(
      5,
    );
  });

  it('come back as they were', () => {
    expect(decodeRs485(encodeRs485(SETTINGS))).toEqual(SETTINGS);
    expect(decodeRs485(new Uint8Array(32))).toBeNull();
  });

  it('tell what the driver made otherwise', () => {
    expect(differingRs485(SETTINGS, SETTINGS)).toEqual([]);
    expect(differingRs485(SETTINGS, { ...SETTINGS, delayAfterSendMs: 100 })).toEqual(['delayAfterSendMs']);
    expect(differingRs485(SETTINGS, null)).toEqual(['rs485']);
  });
});
