/** The production MAC over lossy channels in virtual time: loss, order, duplicates, bursts, fragments, aggregates. */
import { describe, expect, it } from 'vitest';
import { LOSSY_LINK_RATE_BPS as RATE_BPS, simulateLink as runLink } from '../../src/sim/lossy-link.js';

const counted = (packets: number): number[] => Array.from({ length: packets }, (_, index) => index);

describe.each([
  ['single frames', {}],
  ['bursts of up to eight', { burstAirtimeUs: 4_000_000 }],
  ['bursts and aggregates', { burstAirtimeUs: 4_000_000, aggregate: true }],
] as const)('%s', (_name, config) => {
  it('deliver everything in order and once over 10 % frame errors', () => {
    const packets = 3000;
    const result = runLink({ packets, packetBytes: () => 400, frameErrorRate: 0.1, maxFrameBytes: 500, config });
    expect(result.received).toEqual(counted(packets));
    expect(result.drops.get('retry-limit')).toBe(0);
    expect(result.sender.inHand).toBe(0);
  });

  it('deliver packets of all lengths over a modem of 32 octets, also when frames are lost', () => {
    const packets = 60;
    const packetBytes = (index: number): number => 8 + ((index * 97) % 1272);
    const result = runLink({ packets, packetBytes, frameErrorRate: 0.05, maxFrameBytes: 32, config });
    expect(result.received).toEqual(counted(packets));
  });

  it('count every packet that is given up, and deliver the others in order', () => {
    const packets = 600;
    const result = runLink({
      packets,
      packetBytes: (index) => (index % 7 === 0 ? 900 : 60),
      frameErrorRate: 0.5,
      maxFrameBytes: 200,
      config: { ...config, maxRetries: 1 },
    });
    expect(result.received).toEqual([...new Set(result.received)].sort((left, right) => left - right));
    const lost = packets - result.received.length;
    expect(lost).toBeGreaterThan(10);
    // A packet may have arrived although its acknowledgement never did; none is lost without having been given up.
    expect(result.drops.get('retry-limit')).toBeGreaterThanOrEqual(lost - result.drops.get('rx-fragment'));
    expect(result.sender.inHand).toBe(0);
  });

  it('send broadcast in fragments without acknowledgement', () => {
    const result = runLink({
      packets: 50,
      packetBytes: () => 1000,
      frameErrorRate: 0,
      maxFrameBytes: 100,
      destination: 255,
      config,
    });
    expect(result.received).toEqual(counted(50));
    expect(result.sender.counters.acked).toBe(0);
  });
});

describe.each([
  ['one by one', {}],
  ['where bursts are allowed', { burstAirtimeUs: 4_000_000 }],
] as const)('packets to all, sent again, %s', (_name, config) => {
  it('get lost only with all of their copies, and arrive in order and once', () => {
    const packets = 2000;
    const common = { packets, packetBytes: () => 60, frameErrorRate: 0.3, maxFrameBytes: 100, destination: 255 };
    const lostOf = (broadcastRepeats: number): number => {
      const { received, drops } = runLink({ ...common, config: { ...config, broadcastRepeats } });
      expect(received).toEqual([...new Set(received)].sort((left, right) => left - right));
      if (broadcastRepeats > 0) expect(drops.get('rx-duplicate')).toBeGreaterThan(0);
      return 1 - received.length / packets;
    };
    expect(lostOf(0)).toBeCloseTo(0.3, 1);
    expect(lostOf(1)).toBeCloseTo(0.09, 1);
    expect(lostOf(3)).toBeCloseTo(0.008, 2);
  });
});

describe('bursts', () => {
  const common = { packets: 400, packetBytes: () => 560, maxFrameBytes: 584 };
  const burst = { burstAirtimeUs: 2_200_000 };

  it('leave a lone sender 98 % of what the modem can carry', () => {
    const single = runLink({ ...common, frameErrorRate: 0 });
    const bursts = runLink({ ...common, frameErrorRate: 0, config: burst });
    // What the modem carries: the packet and our header and FCS, nothing between frames.
    const possibleBps = (RATE_BPS * 560) / 568;
    expect(bursts.goodputBps / possibleBps).toBeGreaterThan(0.98);
    expect(single.goodputBps).toBeLessThan(bursts.goodputBps);
  });

  it('lose hardly more of the goodput to 10 % frame errors than these frames, and so do single frames', () => {
    for (const config of [burst, {}]) {
      const clean = runLink({ ...common, packets: 1500, frameErrorRate: 0, config });
      const noisy = runLink({ ...common, packets: 1500, frameErrorRate: 0.1, config });
      expect(noisy.goodputBps / clean.goodputBps).toBeGreaterThan(0.88);
    }
  });

  it('keep to their airtime', () => {
    const result = runLink({ ...common, frameErrorRate: 0, config: { burstAirtimeUs: 1_000_000 } });
    // Two frames of 0.473 s each fit: one acknowledgement for two.
    expect(result.sender.counters.attempts / 2).toBeCloseTo(result.sender.counters.acked / 2, 0);
    expect(result.received).toHaveLength(400);
  });
});

describe('aggregates', () => {
  it('carry short packets with less airtime', () => {
    const common = { packets: 500, packetBytes: () => 40, frameErrorRate: 0, maxFrameBytes: 584 };
    const alone = runLink(common);
    const together = runLink({ ...common, config: { aggregate: true } });
    expect(together.received).toEqual(counted(500));
    expect(together.goodputBps).toBeGreaterThan(1.3 * alone.goodputBps);
  });
});
