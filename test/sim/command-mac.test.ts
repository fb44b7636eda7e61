/**
 * The production MAC on LoRa modules behind commands and on XBee, with their emulated modems: packets larger than a frame,
 * both ways at once, arrive once, whole and in order; and a lone sender gets most of the air.
 */
import { describe, expect, it } from 'vitest';
import { macConfig } from '../../src/daemon/mac-config.js';
import { runTwoStations } from './two-stations.js';

const PACKETS = 20;

const run = (profile: string, rateBps: number, senders: readonly number[]) =>
  runTwoStations({
    profile,
    settings: ['link.maxRetries=15'],
    medium: { rateBps },
    ...{ senders, packets: PACKETS, packetBytes: 250 },
    config: (configuration, driver) => ({ ...macConfig(configuration, driver), deadlineUs: 1e12 }),
  });

/** Profile, rate, and the least share of the time that a lone sender is on the air: slow lines and dialogues take the rest. */
const MODEMS = [
  ['rylr998-sf9', 1758, 0.75],
  ['rn2483-sf7', 5469, 0.6],
  ['rak3172-sf7', 5469, 0.65],
  ['wio-e5-sf7', 5469, 0.25],
  ['xbee-s2c-802154', 250_000, 0.01],
  ['xbee-digimesh-24', 250_000, 0.01],
] as const;
const ALL = Array.from({ length: PACKETS }, (_, i) => i);

describe('the MAC on modems behind commands', () => {
  it.each(MODEMS)('%s: both ways at once', { timeout: 60_000 }, (profile, rateBps) => {
    const { delivered, drops, about } = run(profile, rateBps, [1, 2]);
    expect(delivered, about).toEqual({ 1: ALL, 2: ALL });
    expect(drops.get('retry-limit')).toBe(0);
  });

  it.each(MODEMS)('%s: one way', { timeout: 60_000 }, (profile, rateBps, leastShare) => {
    const { delivered, drops, share } = run(profile, rateBps, [1]);
    expect(delivered).toEqual({ 1: ALL });
    expect(share).toBeGreaterThan(leastShare);
    expect(drops.get('retry-limit')).toBe(0);
  });
});
