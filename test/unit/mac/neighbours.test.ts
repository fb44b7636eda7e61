import { describe, expect, it } from 'vitest';
import { Neighbours } from '../../../src/mac/neighbours.js';

describe('what is known of the other stations', () => {
  it('adds up what each of them took of the channel', () => {
    const neighbours = new Neighbours();
    expect(neighbours.heard(7, 1000, 300, {})).toBe(true);
    expect(neighbours.heard(7, 2000, 500, { rssiDbm: -90 })).toBe(false);
    neighbours.heard(3, 2500, 40, {});
    expect(neighbours.list()).toMatchObject([
      { station: 3, airtimeUs: 40 },
      { station: 7, airtimeUs: 800, lastHeardUs: 2000, rssiDbm: -90 },
    ]);
  });

  it('keeps apart those that were sent to and never heard', () => {
    const neighbours = new Neighbours();
    neighbours.attempted(9, false);
    neighbours.attempted(9, false);
    neighbours.attempted(4, false);
    neighbours.get(5);
    expect(neighbours.list()).toEqual([]);
    expect(neighbours.unheard()).toMatchObject([
      { station: 4, attempts: 1, lossRatio: 1 },
      { station: 9, attempts: 2, lossRatio: 1 },
    ]);
    expect(neighbours.heard(9, 1000, 10, {})).toBe(true);
    expect(neighbours.unheard().map(({ station }) => station)).toEqual([4]);
    expect(neighbours.list()).toMatchObject([{ station: 9, attempts: 2, airtimeUs: 10 }]);
  });
});
