/** When an acknowledgement may wait, what is owed, and what is known of others' frames. */
import { beforeEach, describe, expect, it } from 'vitest';
import { Deferral } from '../../../src/mac/deferral.js';
import { newMacCounters } from '../../../src/mac/statistics.js';
import { VirtualTime } from '../../../src/sim/virtual-time.js';
import { decodeLinkFrame, encodeLinkFrame, type LinkFrame } from '../../../src/wire/link-frame.js';
import type { Piggyback } from '../../../src/wire/piggyback.js';
import { FakePhy, macOn } from './fake-phy.js';

const LATER: Piggyback = { later: true, acks: [] };
const AIRTIME_US = 100_000;

let counters = newMacCounters();
let deferral: Deferral;
let world: { precedes: boolean; lossRatio: number; allHeard: boolean };

const frame = (source: number, fields: Partial<LinkFrame> = {}): LinkFrame => ({
  type: 'ip',
  destination: 9,
  source,
  sequence: 0,
  behind: 0,
  more: false,
  retry: false,
  body: new Uint8Array(1),
  ...fields,
});

function make(longestBytes = 100, enabled = true): Deferral {
  return new Deferral({
    enabled,
    fcsBytes: 4,
    longestBytes,
    counters,
    answerUs: 0.05 * AIRTIME_US,
    contention: { precedes: () => world.precedes },
    arrived: (from) => ({ next: from % 32, bitmap: from === 5 ? 0x04 : 0 }),
    lossRatio: () => world.lossRatio,
    allHeard: () => world.allHeard,
  });
}

beforeEach(() => {
  counters = newMacCounters();
  world = { precedes: true, lossRatio: 0, allHeard: true };
  deferral = make();
  deferral.heard(frame(2), 50);
});

describe('an acknowledgement may wait', () => {
  it('where the receiver had its turn, with room to spare, and is due again before us', () => {
    expect(deferral.mayWait(2, AIRTIME_US)).toBe(true);
    expect(deferral.mayWait(3, AIRTIME_US)).toBe(false);
    world.precedes = false;
    expect(deferral.mayWait(2, AIRTIME_US)).toBe(false);
  });

  it('not where an answer costs little beside what it answers', () => {
    expect(deferral.mayWait(2, 2 * AIRTIME_US)).toBe(false);
  });

  it('not where many are lost, and not where some are hidden', () => {
    world.lossRatio = 0.2;
    expect(deferral.mayWait(2, AIRTIME_US)).toBe(false);
    world = { precedes: true, lossRatio: 0, allHeard: false };
    expect(deferral.mayWait(2, AIRTIME_US)).toBe(false);
  });

  it('not where the receiver has no room left, be it for what it owes to others', () => {
    deferral.heard(frame(2), 98);
    expect(deferral.mayWait(2, AIRTIME_US)).toBe(false);
    deferral.heard(frame(2), 97);
    expect(deferral.mayWait(2, AIRTIME_US)).toBe(true);
    deferral.heard(frame(4, { destination: 2, piggyback: LATER }), 50);
    expect(deferral.mayWait(2, AIRTIME_US)).toBe(false);
    // What came along took room that is there.
    deferral.heard(frame(2, { piggyback: { later: false, acks: [{ to: 4, next: 0, bitmap: 0 }] } }), 100);
    expect(deferral.mayWait(2, AIRTIME_US)).toBe(true);
  });

  it('not where the receiver had nothing to send', () => {
    deferral.heard(frame(2, { type: 'acks' }), 12);
    expect(deferral.mayWait(2, AIRTIME_US)).toBe(false);
  });

  it('less and less often after it did not come, again and again', () => {
    const answeredAtOnce = [0, 1, 2, 3].map(() => {
      deferral.waitFor(2);
      deferral.settle(false);
      let times = 0;
      while (!deferral.mayWait(2, AIRTIME_US)) times++;
      return times;
    });
    expect(answeredAtOnce).toEqual([0, 4, 8, 16]);
    deferral.waitFor(2);
    deferral.settle(true);
    expect(deferral.mayWait(2, AIRTIME_US)).toBe(true);
  });
});

it('who had its turn and said nothing has nothing to acknowledge', () => {
  deferral.waitFor(2);
  deferral.heard(frame(3), 50);
  expect(deferral.passed).toBe(false);
  deferral.heard(frame(2), 50);
  expect(deferral.passed).toBe(true);
});

describe('what is not understood', () => {
  it('is taken for one without an answer, if the last frame of who was expected was', () => {
    expect(deferral.goesUnanswered(2)).toBe(false);
    deferral.heard(frame(2, { piggyback: LATER }), 50);
    expect(deferral.goesUnanswered(2)).toBe(true);
    expect(deferral.goesUnanswered(undefined)).toBe(false);
    expect(deferral.goesUnanswered(3)).toBe(false);
  });

  it('is not, if it may be in the middle of a burst', () => {
    deferral.heard(frame(2, { more: true }), 50);
    deferral.heard(frame(2, { piggyback: LATER }), 50);
    expect(deferral.goesUnanswered(2)).toBe(false);
  });
});

describe('what is owed', () => {
  beforeEach(() => {
    for (const station of [4, 5, 6]) deferral.owe(station);
  });

  it('comes along as far as there is room, in order, and once', () => {
    expect(deferral.take(5)).toEqual([{ to: 4, next: 4, bitmap: 0 }]);
    expect(deferral.take(6)).toEqual([
      { to: 5, next: 5, bitmap: 4 },
      { to: 6, next: 6, bitmap: 0 },
    ]);
    expect(deferral.owes).toBe(false);
    expect(deferral.take(100)).toEqual([]);
    expect(counters.acksCarried).toBe(3);
  });

  it('is not owed any more once it was answered', () => {
    deferral.answered(5);
    expect(deferral.take(100).map(({ to }) => to)).toEqual([4, 6]);
  });

  it('goes to seven at most, and alone in a frame of its own', () => {
    for (let station = 10; station < 20; station++) deferral.owe(station);
    const alone = decodeLinkFrame(deferral.frame(1), 4);
    expect(alone).toMatchObject({ type: 'acks', source: 1, destination: 4 });
    expect(typeof alone === 'string' ? [] : alone.piggyback?.acks).toHaveLength(7);
    expect(deferral.owes).toBe(true);
  });

  it('is nothing where no frame could hold it', () => {
    for (const [longestBytes, enabled] of [
      [11, true],
      [100, false],
    ] as const) {
      const other = make(longestBytes, enabled);
      other.owe(2);
      expect(other.owes).toBe(false);
    }
  });
});

describe('a MAC that hears a frame whose acknowledgement may wait', () => {
  const answer = (): LinkFrame | string => {
    const time = new VirtualTime();
    const phy = new FakePhy(time);
    const mac = macOn(time, phy, []);
    phy.listener.ready(true);
    time.runFor(1_000_000);
    phy.transmitted.length = 0;
    phy.hear(encodeLinkFrame(frame(2, { destination: 1, piggyback: LATER }), 4));
    expect(phy.transmitted).toEqual([]);
    expect(mac.counters.acksSent).toBe(0);
    time.runFor(2_000_000);
    expect(phy.transmitted).toHaveLength(1);
    return decodeLinkFrame(phy.transmitted[0]?.octets ?? new Uint8Array(0), 4);
  };

  it('acknowledges it alone, on a turn of its own, though it has nothing to send', () => {
    const acks = [{ to: 2, next: 1, bitmap: 0 }];
    expect(answer()).toMatchObject({ type: 'acks', destination: 2, piggyback: { later: false, acks } });
  });
});
