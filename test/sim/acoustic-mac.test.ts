/**
 * The production MAC on the acoustic drivers and their emulated modems, half a kilometre of water between them: packets
 * larger than a frame, both ways, arrive once, whole and in order.
 */
import { describe, expect, it } from 'vitest';
import { runTwoStations } from './two-stations.js';

const PACKETS = 4;

describe('the MAC on acoustic modems', () => {
  it.each([
    ['nanomodem-v3', 640],
    ['evologics-s2cr-im', 595],
    ['micromodem-fsk-80', 80],
    ['micromodem-psk-490', 490],
    ['micromodem2-fdp-1', 250],
    ['unetstack', 2400],
    ['popoto-640', 640],
    ['benthos-atm900-140', 140],
    ['benthos-atm900-2400', 2400],
  ])('%s', { timeout: 60_000 }, (profile, rateBps) => {
    const { delivered, drops, about } = runTwoStations({
      profile,
      settings: ['air.propagationUs=334000'],
      medium: { rateBps, propagationMps: 1500 },
      ...{ senders: [1, 2], packets: PACKETS, packetBytes: 120 },
      config: (_configuration, { capabilities }) => ({
        ...{ linkFrames: true, fcsBytes: capabilities.checksIntegrity ? 0 : 4 },
        ...{ arq: true, maxRetries: 7, deadlineUs: 1e12 },
      }),
    });
    const all = Array.from({ length: PACKETS }, (_, i) => i);
    const seen = { delivered, givenUp: drops.get('retry-limit') };
    expect(seen, about).toEqual({
      delivered: { 1: all, 2: all },
      givenUp: 0,
    });
  });
});
