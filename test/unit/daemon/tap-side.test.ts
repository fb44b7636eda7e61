/** The TAP's side of a bridge, where the other side of the TAP does not behave, or the modem is away. */
import { describe, expect, it } from 'vitest';
import { DropCounters } from '../../../src/base/drops.js';
import { TapSide } from '../../../src/daemon/tap-side.js';
import type { BackPressureMode } from '../../../src/flow/back-pressure.js';
import { gateBurstBytes } from '../../../src/flow/credit-gate.js';
import { ETHERNET_HEADER_BYTES } from '../../../src/flow/kick.js';
import { VirtualTime } from '../../../src/sim/virtual-time.js';
import { NeighbourTable } from '../../../src/wire/address.js';
import { ALL_FILTERS } from '../../../src/wire/chatter.js';
import { IpEncapsulation } from '../../../src/wire/encapsulation.js';
import { HomeFilter } from '../../../src/wire/local-answers.js';

/** What a flood brings while the ring is emptied; endless for who waits for its end. */
const FLOOD_FRAMES = 100_000;
const LARGEST_MTU_BYTES = 65_500;
const SECOND_US = 1_000_000;
const DEADLINE_US = 20 * SECOND_US;
const INTERACTIVE_DEADLINE_US = 2 * SECOND_US;
const LOOK_US = 30 * SECOND_US;

const RING_FRAMES = 1000;

function sideOf(read: () => Uint8Array | null, mode: BackPressureMode = 'none') {
  const time = new VirtualTime(0);
  const drops = new DropCounters();
  const neighbours = new NeighbourTable({ station: 1, addresses: ['10.0.0.1/24'], table: {} });
  const modem = { down: true };
  const side = new TapSide({
    tap: {
      name: 'flooded0',
      ifindex: 1,
      read,
      write: () => true,
      onceReadable: () => undefined,
      close: () => undefined,
    },
    backPressure: {
      mode,
      reason: 'a test',
      grants: 0,
      grant: () => undefined,
      isKick: () => false,
      qdisc: () => ({ kind: 'none', backlogPackets: 0, backlogBytes: 0, dropped: 0 }),
      close: () => undefined,
    },
    encapsulation: new IpEncapsulation(neighbours),
    homeFilter: new HomeFilter({ neighbours, filters: ALL_FILTERS, unknownNeighbour: 'peer' }),
    drops,
    scheduler: time,
    macConfig: { deadlineUs: DEADLINE_US, interactiveDeadlineUs: INTERACTIVE_DEADLINE_US },
    down: () => modem.down,
    gateFailed: () => undefined,
    tapFailed: () => undefined,
    read: () => undefined,
    demand: () => undefined,
  });
  side.start();
  return { side, time, drops, modem };
}

/** A ring, and a gate that lets a packet into it every second. */
function leakingSide(mode: BackPressureMode = 'gate', typeOfService = 0) {
  const ring: Uint8Array[] = [];
  const bench = sideOf(() => ring.shift() ?? null, mode);
  const ringCounts = { longest: 0, dropped: 0, leaked: 0 };
  const leak = (): void => {
    if (ring.length < RING_FRAMES) ring.push(datagram(ringCounts.leaked, typeOfService));
    else ringCounts.dropped++;
    ringCounts.leaked++;
    ringCounts.longest = Math.max(ringCounts.longest, ring.length);
    bench.time.at(bench.time.nowUs() + SECOND_US, leak);
  };
  bench.time.at(SECOND_US / 2, leak);
  const pulled = (): number[] => {
    const numbers: number[] = [];
    for (let packet = bench.side.pull(); packet !== null; packet = bench.side.pull()) {
      numbers.push(new DataView(packet.payload.slice().buffer).getUint32(28));
    }
    return numbers;
  };
  return { ...bench, ring, ringCounts, pulled };
}

/** IPv4 over Ethernet to 10.0.0.2, with a number for content. */
function datagram(number: number, typeOfService: number): Uint8Array {
  const frame = new Uint8Array(14 + 32);
  frame.set([0x02, 0x73, 0x6c, 0, 0, 2], 0);
  frame.set([0x08, 0x00, 0x45, typeOfService, 0, 32, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2], 12);
  new DataView(frame.buffer).setUint32(42, number);
  return frame;
}

it('throwing away what is in the ring ends, though senders fill it as fast as it is emptied', () => {
  let left = FLOOD_FRAMES;
  const { side } = sideOf(() => (left-- > 0 ? new Uint8Array(60) : null));
  const thrownAway = side.discardRing();
  // The longest ring that a gate makes: as many of the shortest frames as one credit lets pass.
  expect(thrownAway).toBeGreaterThan(gateBurstBytes(LARGEST_MTU_BYTES) / ETHERNET_HEADER_BYTES);
  expect(thrownAway).toBe(FLOOD_FRAMES - left);
  expect(left).toBeGreaterThan(0);
});

describe('what leaks past the gate while the modem is away', () => {
  it('fills no ring, is dropped by the deadline, and what is young enough goes out when the modem is back', () => {
    const { side, time, drops, modem, ringCounts, pulled } = leakingSide();
    time.runUntil(3 * 3600 * SECOND_US);
    expect(ringCounts).toMatchObject({ leaked: 3 * 3600, dropped: 0 });
    expect(ringCounts.longest).toBeLessThanOrEqual((2 * LOOK_US) / SECOND_US);
    modem.down = false;
    const numbers = pulled();
    const first = numbers[0] ?? 0;
    // None is lost without a count, none twice, and the order is that of the ring.
    expect(drops.toJSON()).toEqual({ deadline: first });
    expect(numbers).toEqual(Array.from({ length: ringCounts.leaked - first }, (_, i) => first + i));
    expect(numbers.length * SECOND_US).toBeGreaterThanOrEqual(DEADLINE_US);
    expect(numbers.length * SECOND_US).toBeLessThanOrEqual(DEADLINE_US + LOOK_US);
    side.close();
    expect(drops.toJSON()).toEqual({ deadline: first });
  });

  it('has the deadline of its class', () => {
    const { time, modem, pulled } = leakingSide('gate', 0x10);
    time.runUntil(600 * SECOND_US);
    modem.down = false;
    expect(pulled().length * SECOND_US).toBeLessThanOrEqual(INTERACTIVE_DEADLINE_US + LOOK_US);
  });

  it('is counted when the daemon stops, but for what still went out', () => {
    const { side, time, drops, ring, ringCounts } = leakingSide();
    time.runUntil(70.9 * SECOND_US);
    side.end(false);
    expect(side.empty).toBe(false);
    expect(side.pull()).not.toBeNull();
    side.close();
    expect(1 + drops.get('shutdown') + ring.length).toBe(ringCounts.leaked);
    expect(drops.get('shutdown')).toBeGreaterThan(0);
    expect(side.pull()).toBeNull();
  });

  it('goes out before the daemon stops, if the modem is back; what is in the ring stays for the next one', () => {
    const { side, time, ring, ringCounts, pulled } = leakingSide();
    time.runUntil(70.9 * SECOND_US);
    side.end(false);
    const numbers = pulled();
    expect(side.empty).toBe(true);
    expect(numbers).toEqual(Array.from({ length: ringCounts.leaked - ring.length }, (_, i) => i));
    expect(ring.length).toBeGreaterThan(0);
  });

  it('stays where it is when the modem is back soon', () => {
    const { time, modem, ring } = leakingSide();
    for (let outage = 0; outage < 10; outage++) {
      modem.down = true;
      time.runFor(LOOK_US - SECOND_US);
      modem.down = false;
      time.runFor(LOOK_US + SECOND_US);
    }
    expect(ring).toHaveLength((20 * LOOK_US) / SECOND_US);
  });

  it('is not taken out while the modem can send, nor where the full ring is what holds senders back', () => {
    const working = leakingSide();
    working.modem.down = false;
    working.time.runUntil(200 * SECOND_US);
    expect(working.ring).toHaveLength(200);
    for (const mode of ['native', 'none'] as const) {
      const { time, ring } = leakingSide(mode);
      time.runUntil(200 * SECOND_US);
      expect(ring).toHaveLength(200);
    }
  });

  it('is no flood to be taken in, should the gate be gone', () => {
    let frames = 0;
    const { time } = sideOf(() => datagram(frames++, 0), 'gate');
    time.runUntil(2 * LOOK_US);
    expect(frames).toBeGreaterThan(1000);
    expect(frames).toBeLessThan(5000);
  });
});
