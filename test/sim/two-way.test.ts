/** Traffic both ways in virtual time: acknowledgements that come along with data pay, and lose, double and reorder nothing. */
import { describe, expect, it } from 'vitest';
import { simulateLink } from '../../src/sim/lossy-link.js';
import { type SaturationResult, simulateSaturation } from '../../src/sim/saturation.js';
import { type TwoWayScene, twoWay } from '../../src/sim/two-way.js';

const rounded = (value: number): number => Math.round(value * 1000) / 1000;

function run(scene: TwoWayScene, a: number, piggyback: boolean, frameErrorRate = 0): SaturationResult {
  const conditions = { ...twoWay(scene, a, frameErrorRate), config: { piggyback } };
  return simulateSaturation({ ...conditions, seed: 4, durationFrames: 600, warmUpFrames: 200 });
}

const counted = (packets: number): number[] => Array.from({ length: packets }, (_, index) => index);

const sum = ({ snapshots }: SaturationResult, counter: 'acksCarried' | 'acksDeferred' | 'acksSent'): number =>
  snapshots.reduce((total, { counters }) => total + counters[counter], 0);

describe.each(['one pair', 'three pairs', 'five, all to all', 'hub and four leaves'] as const)('%s', (scene) => {
  it('carry more than with an answer to each frame, the more the longer an answer takes', () => {
    const grid = [0.03, 0.3, 1].map((a) => {
      const [along, apart] = [run(scene, a, true), run(scene, a, false)];
      expect(along.jain).toBeGreaterThanOrEqual(0.95);
      expect(sum(along, 'acksCarried')).toBeGreaterThan(sum(along, 'acksSent'));
      return { a, utilisation: rounded(along.utilisation), ratio: rounded(along.utilisation / apart.utilisation) };
    });
    const least = [1.02, 1.15, 1.3];
    for (const [i, { ratio }] of grid.entries()) expect(ratio).toBeGreaterThan(least[i] ?? 1);
    expect(grid).toMatchSnapshot();
  });

  it('leave alone what would not gain, bit by bit', () => {
    const [along, apart] = [run(scene, 0.003, true), run(scene, 0.003, false)];
    expect(along.arrivals).toEqual(apart.arrivals);
    expect(sum(along, 'acksDeferred')).toBe(0);
  });

  it('lose nothing to noise that they had without', () => {
    expect(run(scene, 0.3, true, 0.1).utilisation).toBeGreaterThan(0.95 * run(scene, 0.3, false, 0.1).utilisation);
  });
});

describe.each([
  ['single frames', {}],
  ['bursts of up to four', { burstAirtimeUs: 1_400_000 }],
] as const)('%s both ways', (_name, config) => {
  it.each([0, 0.02, 0.1])('arrive in order and once, frame errors %f', (frameErrorRate) => {
    const packets = 1500;
    const { received, receivedBack, drops, sender } = simulateLink({
      packets,
      packetBytes: () => 400,
      frameErrorRate,
      maxFrameBytes: 500,
      bothWays: true,
      turnaroundUs: 300_000,
      config: { maxRetries: 15, ...config },
    });
    expect(received).toEqual(counted(packets));
    expect(receivedBack).toEqual(counted(packets));
    expect(drops.get('retry-limit')).toBe(0);
    expect(sender.inHand).toBe(0);
    if (frameErrorRate < 0.1) expect(sender.counters.acksDeferred).toBeGreaterThan(50);
  });
});

it('a station that stops sending acknowledges by itself what might wait', () => {
  const { snapshots, arrivals } = simulateSaturation({
    ...twoWay('one pair', 0.3),
    seed: 2,
    durationFrames: 200,
    active: (station) => (station === 1 ? [Number.NEGATIVE_INFINITY, 200] : [Number.NEGATIVE_INFINITY, 100]),
  });
  const [first] = snapshots;
  expect(first?.counters.acksDeferred).toBeGreaterThan(20);
  // What began as a meeting of two newcomers, and no more.
  expect(first?.counters.unacked).toBeLessThan(5);
  expect(arrivals.filter(({ atFrames, source }) => source === 1 && atFrames > 100).length).toBeGreaterThan(50);
});
