/** The TAP's side of a bridge, where the other side of the TAP does not behave. */
import { expect, it } from 'vitest';
import { DropCounters } from '../../../src/base/drops.js';
import { TapSide } from '../../../src/daemon/tap-side.js';
import { NeighbourTable } from '../../../src/wire/address.js';
import { ALL_FILTERS } from '../../../src/wire/chatter.js';
import { IpEncapsulation } from '../../../src/wire/encapsulation.js';
import { HomeFilter } from '../../../src/wire/local-answers.js';

/** What a flood brings while the ring is emptied; endless for who waits for its end. */
const FLOOD_FRAMES = 100_000;

it('throwing away what is in the ring ends, though senders fill it as fast as it is emptied', () => {
  const neighbours = new NeighbourTable({ station: 1, addresses: ['10.0.0.1/24'], table: {} });
  let left = FLOOD_FRAMES;
  const side = new TapSide({
    tap: {
      name: 'flooded0',
      ifindex: 1,
      read: () => (left-- > 0 ? new Uint8Array(60) : null),
      write: () => true,
      onceReadable: () => undefined,
      close: () => undefined,
    },
    backPressure: {
      mode: 'none',
      reason: 'a test',
      grants: 0,
      grant: () => undefined,
      isKick: () => false,
      qdisc: () => ({ kind: 'none', backlogPackets: 0, backlogBytes: 0, dropped: 0 }),
      close: () => undefined,
    },
    encapsulation: new IpEncapsulation(neighbours),
    homeFilter: new HomeFilter({ neighbours, filters: ALL_FILTERS }),
    drops: new DropCounters(),
    gateFailed: () => undefined,
    tapFailed: () => undefined,
    read: () => undefined,
    demand: () => undefined,
  });
  const thrownAway = side.discardRing();
  // The longest ring that a gate makes.
  expect(thrownAway).toBeGreaterThan(1000);
  expect(thrownAway).toBe(FLOOD_FRAMES - left);
  expect(left).toBeGreaterThan(0);
});
