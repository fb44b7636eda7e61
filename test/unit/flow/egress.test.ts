/** The pull: a grant only when the ring is empty, kicks thrown away, an end to every loop. */

import { describe, expect, it } from 'vitest';
import type { BackPressure } from '../../../src/flow/back-pressure.js';
import { Egress } from '../../../src/flow/egress.js';
import { isKickFrame, kickFrame } from '../../../src/flow/kick.js';

const data = (value: number): Uint8Array => new Uint8Array(60).fill(value);

/** A gate whose grants put the given batches into the ring, one after the other. */
function bench(ring: Uint8Array[], batches: Uint8Array[][]): { egress: Egress; backPressure: BackPressure } {
  let grants = 0;
  const backPressure: BackPressure = {
    mode: 'gate',
    reason: 'test',
    grant: () => {
      expect(ring).toEqual([]);
      ring.push(...(batches[grants] ?? []));
      grants++;
    },
    isKick: isKickFrame,
    get grants() {
      return grants;
    },
    qdisc: () => ({ kind: 'pfifo_fast', backlogPackets: 0, backlogBytes: 0, dropped: 0 }),
    close: () => undefined,
  };
  return { egress: new Egress({ read: () => ring.shift() ?? null }, backPressure), backPressure };
}

describe('pullFrame', () => {
  it('takes what is in the ring without a grant', () => {
    const { egress, backPressure } = bench([kickFrame(), data(1), data(2)], []);
    expect(egress.pullFrame()).toEqual(data(1));
    expect(egress.pullFrame()).toEqual(data(2));
    expect(backPressure.grants).toBe(0);
    expect(egress.kicks).toBe(1);
  });

  it('grants when the ring is empty, and reads past the kick', () => {
    const { egress, backPressure } = bench([], [[kickFrame(), data(1)]]);
    expect(egress.pullFrame()).toEqual(data(1));
    expect(backPressure.grants).toBe(1);
  });

  it('gives up after one grant when nothing waits', () => {
    const { egress, backPressure } = bench([], [[kickFrame()], [kickFrame(), data(1)]]);
    expect(egress.pullFrame()).toBeNull();
    expect(backPressure.grants).toBe(1);
  });

  it('gives up when another processor has not put it into the ring yet', () => {
    const { egress, backPressure } = bench([], [[]]);
    expect(egress.pullFrame()).toBeNull();
    expect(backPressure.grants).toBe(1);
  });

  it('grants again while kicks that had waited fill the credit', () => {
    const full = Array.from({ length: 85 }, kickFrame);
    const { egress, backPressure } = bench([], [full, full, [kickFrame(), data(1)]]);
    expect(egress.pullFrame()).toEqual(data(1));
    expect(backPressure.grants).toBe(3);
    expect(egress.kicks).toBe(171);
  });

  it('does not take kicks from before the grant for a full credit', () => {
    const { egress, backPressure } = bench([kickFrame(), kickFrame(), kickFrame()], [[kickFrame()]]);
    expect(egress.pullFrame()).toBeNull();
    expect(backPressure.grants).toBe(1);
  });
});
