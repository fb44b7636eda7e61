/** A carrier that never ends, as its station's modem has it, and as nobody else does. */
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import { buildMedium, parseMediumFile } from '../../../src/sim/medium-file.js';
import { VirtualTime } from '../../../src/sim/virtual-time.js';

/** 8000 bit/s: an octet is 1 ms. */
const FILE = `
rateBps: 8000
stations: [{ id: 1 }, { id: 2 }, { id: 3, stuckCarrierAfterMs: 100 }]
`;
const EVERY_VALUE = Uint8Array.from({ length: 256 }, (_, i) => i);

function start() {
  const time = new VirtualTime();
  const medium = buildMedium(parseMediumFile(FILE), time, seededRandom(1));
  const octets = new Map<number, number[]>([
    [2, []],
    [3, []],
  ]);
  const carrier: string[] = [];
  for (const [station, list] of octets) {
    medium.listen(station, {
      octet: (octet) => list.push(octet),
      carrier: (busy) => carrier.push(`${station} ${busy} ${time.nowUs()}`),
      frame: ({ intact }) => carrier.push(`${station} ${intact ? 'intact' : 'spoiled'}`),
    });
  }
  return { time, medium, carrier, octets: (station: number) => octets.get(station) ?? [] };
}

describe('a stuck carrier', () => {
  it('begins when the file says, gives noise at the rate of the air, and never ends', () => {
    const { time, carrier, octets, medium } = start();
    time.runUntil(100_000);
    expect(octets(3)).toEqual([]);
    time.runUntil(5_100_000);
    expect(octets(3)).toHaveLength(5000);
    expect(new Set(octets(3)).size).toBe(256);
    expect(octets(2)).toEqual([]);
    expect(carrier).toEqual(['3 true 100000']);
    expect(medium.channelTime().busyUs).toBe(0);
    expect(medium.counts(3)).toMatchObject({ deliveries: 0, octetsReceived: 0 });
  });

  it('covers what others send, for this station alone', () => {
    const { time, medium, carrier, octets } = start();
    time.runUntil(200_000);
    const signal = medium.keyUp(1);
    for (const octet of EVERY_VALUE) signal.sendOctet(octet);
    signal.keyDown();
    time.runUntil(1_000_000);
    expect(octets(2)).toEqual([...EVERY_VALUE]);
    expect(octets(3)).toHaveLength(900);
    expect(medium.counts(3)).toMatchObject({ deliveries: 0, octetsReceived: 0 });
    const frame = medium.keyUp(1);
    frame.sendFrame(EVERY_VALUE);
    frame.keyDown();
    time.runUntil(2_000_000);
    expect(carrier.filter((each) => / (intact|spoiled)$/.test(each))).toEqual(['2 intact', '3 spoiled']);
  });

  it('is not heard while the station sends, and there again after it', () => {
    const { time, medium, carrier, octets } = start();
    time.runUntil(200_000);
    const signal = medium.keyUp(3);
    signal.sendFrame(EVERY_VALUE);
    signal.keyDown();
    expect(medium.carrierNow(3)).toBe(false);
    time.runUntil(456_000);
    expect(octets(3)).toHaveLength(100);
    expect(medium.carrierNow(3)).toBe(true);
    time.runUntil(1_000_000);
    expect(octets(3)).toHaveLength(100 + 544);
    expect(carrier.filter((each) => each.startsWith('3'))).toEqual(['3 true 100000']);
  });
});
