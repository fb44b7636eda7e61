/** Airtime models: against Semtech's formula as tabulated, and against arithmetic by hand. */
import { describe, expect, it } from 'vitest';
import { fixedRateAirtimeUs, loraAirtimeUs, loraSymbolUs, tableAirtimeUs } from '../../../src/modem/airtime.js';

describe('fixedRateAirtimeUs', () => {
  it('is preamble, octets at the rate, tail', () => {
    const rate = { rateBps: 9600, bitsPerOctet: 8, preambleUs: 20_000, tailUs: 5000 };
    expect(fixedRateAirtimeUs(rate, 120)).toBe(125_000);
    expect(fixedRateAirtimeUs({ ...rate, bitsPerOctet: 10 }, 96)).toBe(125_000);
    expect(fixedRateAirtimeUs({ ...rate, preambleUs: 0, tailUs: 0 }, 1)).toBe(834);
  });
});

describe('loraAirtimeUs', () => {
  // CRC on, explicit header, preamble of 8 symbols, coding rate 4/5; computed apart from this program.
  const PAYLOADS = [10, 50, 100, 200, 240];
  it.each([
    [7, 125_000, 1.024, [41.2, 97.5, 174.3, 317.7, 379.1]],
    [8, 125_000, 2.048, [72.2, 174.6, 307.7, 563.7, 666.1]],
    [9, 125_000, 4.096, [144.4, 328.7, 554.0, 1004.5, 1188.9]],
    [10, 250_000, 4.096, [144.4, 308.2, 513.0, 922.6, 1086.5]],
    [12, 125_000, 32.768, [991.2, 2302.0, 3940.4, 7217.2, 8527.9]],
    [7, 500_000, 0.256, [10.3, 24.4, 43.6, 79.4, 94.8]],
  ])('SF%i at %i Hz', (spreadingFactor, bandwidthHz, symbolMs, airtimesMs) => {
    const modulation = {
      spreadingFactor,
      bandwidthHz,
      codingRate: 5,
      preambleSymbols: 8,
      explicitHeader: true,
      crc: true,
    };
    expect(loraSymbolUs(modulation)).toBeCloseTo(symbolMs * 1000, 6);
    for (const [i, airtimeMs] of airtimesMs.entries()) {
      const airtimeUs = loraAirtimeUs(modulation, PAYLOADS[i] ?? 0);
      expect(Math.abs(airtimeUs / 1000 - airtimeMs)).toBeLessThanOrEqual(0.051);
    }
  });

  it('refuses spreading factors that the formula does not cover', () => {
    const modulation = {
      spreadingFactor: 6,
      bandwidthHz: 125_000,
      codingRate: 5,
      preambleSymbols: 8,
      explicitHeader: true,
      crc: true,
    };
    expect(() => loraAirtimeUs(modulation, 10)).toThrow('LoRa spreading factor 6 is not allowed; expected 7 to 12');
  });
});

describe('tableAirtimeUs', () => {
  // EvoLogics S2C instant messages, as DESERT's table has them.
  const S2C = [
    { octets: 1, airtimeUs: 172_000 },
    { octets: 8, airtimeUs: 238_000 },
    { octets: 16, airtimeUs: 328_000 },
    { octets: 64, airtimeUs: 860_000 },
  ];
  it.each([
    [0, 172_000],
    [1, 172_000],
    [8, 238_000],
    [12, 283_000],
    [16, 328_000],
    [64, 860_000],
    [112, 1_392_000],
  ])('%i octets take %i us', (octets, airtimeUs) => {
    expect(tableAirtimeUs(S2C, octets)).toBe(airtimeUs);
  });

  it('takes a single point for a constant', () => {
    expect(tableAirtimeUs([{ octets: 8, airtimeUs: 1_000_000 }], 100)).toBe(1_000_000);
  });

  it('refuses tables that are empty or out of order', () => {
    expect(() => tableAirtimeUs([], 1)).toThrow(/at least one point/);
    expect(() => tableAirtimeUs([...S2C].reverse(), 1)).toThrow(/ascending/);
  });
});
