/** The medium's rules, seen at its antennas: who hears what, when, and what is destroyed. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import { Medium, type MediumOptions } from '../../../src/sim/medium.js';
import type { HeardFrame } from '../../../src/sim/signal.js';
import { VirtualTime } from '../../../src/sim/virtual-time.js';

/** 8000 bit/s: an octet is 1 ms. */
function makeMedium(
  count: number,
  options: Partial<MediumOptions> = {},
): { time: VirtualTime; medium: Medium; heard: [number, number, HeardFrame][]; octets: [number, number, number][] } {
  const time = new VirtualTime();
  const medium = new Medium({
    scheduler: time,
    random: seededRandom(7),
    rateBps: 8000,
    stations: Array.from({ length: count }, (_, i) => ({ id: i + 1 })),
    ...options,
  });
  const heard: [number, number, HeardFrame][] = [];
  const octets: [number, number, number][] = [];
  for (const station of medium.stations) {
    medium.listen(station, {
      frame: (frame) => heard.push([time.nowUs(), station, frame]),
      octet: (octet) => octets.push([time.nowUs(), station, octet]),
    });
  }
  return { time, medium, heard, octets };
}

const send = (medium: Medium, station: number, octets: Uint8Array, preambleUs = 0): void => {
  const signal = medium.keyUp(station, preambleUs);
  signal.sendFrame(octets);
  signal.keyDown();
};

const changed = (frame: HeardFrame | undefined, value: number): number[] =>
  [...(frame?.octets ?? [])].flatMap((octet, k) => (octet === value ? [] : [k]));

describe('Medium', () => {
  it('delivers after exactly the distance over the speed, and the octets at the rate', () => {
    const { time, medium, heard } = makeMedium(0, {
      rateBps: 9600,
      propagationMps: 1500,
      stations: [{ id: 1 }, { id: 2, position: [300, 400, 0] }, { id: 9, position: [0, 0, 3] }],
    });
    expect(medium.propagationUs(1, 2)).toBe(333_333);
    expect(medium.farthestUs(9)).toBe(Math.round((1e6 * Math.hypot(300, 400, 3)) / 1500));
    send(medium, 1, new Uint8Array(1000));
    time.runAll();
    expect(heard.map(([atUs, station]) => [atUs, station])).toEqual([
      [833_333 + 2000, 9],
      [833_333 + 333_333, 2],
    ]);
  });

  it('gives a frame the duration that its modulation needs, and its octets an even share of it', () => {
    const { time, medium, heard } = makeMedium(2, { captureDb: 'none' });
    const signal = medium.keyUp(1);
    expect(signal.sendFrame(new Uint8Array(10), 500_000)).toBe(500_000);
    expect(signal.keyDown()).toBe(500_000);
    time.runUntil(125_000);
    send(medium, 2, new Uint8Array(50));
    time.runAll();
    // Station 2 sent meanwhile: it missed the frame. Alone, it arrives at 500 ms.
    expect(heard.filter(([, station]) => station === 2)).toEqual([]);
    const again = makeMedium(3);
    const long = again.medium.keyUp(1);
    long.sendFrame(new Uint8Array(10).fill(7), 500_000);
    long.keyDown();
    again.time.runUntil(125_000);
    send(again.medium, 2, new Uint8Array(50));
    again.time.runAll();
    const [, , frame] = again.heard.find(([atUs, station]) => station === 3 && atUs === 500_000) ?? [];
    // 125 to 175 ms is octets 2 and 3, at 50 ms each.
    expect(changed(frame, 7)).toEqual([2, 3]);
  });

  it('lets no rounding add up over a stream', () => {
    const { time, medium, octets } = makeMedium(2, { rateBps: 9600 });
    const signal = medium.keyUp(1);
    let sent = 0;
    const next = (): void => {
      if (sent === 5000) signal.keyDown();
      else time.at(signal.sendOctet(sent++ & 0xff), next);
    };
    next();
    time.runAll();
    expect(octets.length).toBe(5000);
    octets.forEach(([atUs, , octet], k) => {
      expect(atUs).toBe(Math.round(((k + 1) * 8e6) / 9600));
      expect(octet).toBe(k & 0xff);
    });
    expect(medium.counts(1).airtimeUs).toBe(Math.round((5000 * 8e6) / 9600));
  });

  it('hidden terminals: A and C collide at B and only there, without hearing each other', () => {
    const hears = (listener: number, speaker: number): boolean => Math.abs(listener - speaker) === 1;
    const { time, medium, heard } = makeMedium(3, { hears });
    send(medium, 1, new Uint8Array(10));
    time.runUntil(4000);
    expect([1, 2, 3].map((station) => medium.carrierNow(station))).toEqual([false, true, false]);
    send(medium, 3, new Uint8Array(10));
    time.runAll();
    expect(heard.map(([, station, { speaker, intact }]) => [station, speaker, intact])).toEqual([
      [2, 1, false],
      [2, 3, false],
    ]);
    expect(changed(heard[0]?.[2], 0)).toEqual([4, 5, 6, 7, 8, 9]);
    expect(changed(heard[1]?.[2], 0)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(medium.counts(2)).toMatchObject({ collisionsHeard: 2, octetsDestroyed: 12, deliveries: 0 });
    expect([1, 3].map((station) => medium.counts(station).collisions)).toEqual([1, 1]);
  });

  it('carries one way only where hearing is one-way', () => {
    const { time, medium, heard } = makeMedium(2, { hears: (listener) => listener === 2 });
    send(medium, 1, new Uint8Array(1));
    time.runAll();
    send(medium, 2, new Uint8Array(1));
    time.runAll();
    expect(heard.map(([, station]) => station)).toEqual([2]);
  });

  it('does not let signals collide that only touch', () => {
    const { time, medium, heard } = makeMedium(3);
    send(medium, 1, new Uint8Array(5));
    time.at(5000, () => send(medium, 2, new Uint8Array(5)));
    time.runAll();
    const atThree = heard.filter(([, station]) => station === 3);
    expect(atThree.map(([, , { intact }]) => intact)).toEqual([true, true]);
    expect(medium.counts(1).missedWhileSending + medium.counts(2).missedWhileSending).toBe(0);
    expect(medium.channelTime()).toEqual({ elapsedUs: 10_000, busyUs: 10_000, collisionUs: 0, idleUs: 0 });
  });

  it('takes no notice of a key-up of no length', () => {
    const { time, medium, heard } = makeMedium(3);
    send(medium, 1, new Uint8Array(10));
    time.at(4500, () => medium.keyUp(2).keyDown());
    time.runAll();
    expect(heard.map(([, station, { intact }]) => [station, intact])).toEqual([
      [2, true],
      [3, true],
    ]);
    expect(medium.counts(1).collisions).toBe(0);
  });

  it('at different distances the same signals collide at one listener and not at another', () => {
    // 1 and 2 are 1 s apart; 3 stands beside 1. Frames of 500 ms, sent at the same moment.
    const sites = [{ id: 1 }, { id: 2, position: [1500, 0, 0] as const }, { id: 3, position: [-1, 0, 0] as const }];
    const { time, medium, heard } = makeMedium(0, { stations: sites, propagationMps: 1500 });
    send(medium, 1, new Uint8Array(500));
    send(medium, 2, new Uint8Array(500));
    time.runAll();
    expect(heard.map(([, station, { speaker, intact }]) => [station, speaker, intact])).toEqual([
      [3, 1, true],
      [2, 1, true],
      [1, 2, true],
      [3, 2, true],
    ]);
    // Sent at the same time but apart at every listener: the channel's own view is that of the senders.
    expect(medium.channelTime().collisionUs).toBe(500_000);
    expect(medium.counts(1).collisions).toBe(0);
  });

  it('capture: the stronger signal survives from captureDb on, the weaker one never', () => {
    const run = (captureDb: number | 'none', far: number): boolean[] => {
      const sites = [{ id: 1, position: [10, 0, 0] as const }, { id: 2, position: [far, 0, 0] as const }, { id: 3 }];
      const { time, medium, heard } = makeMedium(0, { stations: sites, captureDb });
      send(medium, 2, new Uint8Array(20));
      time.runUntil(5000);
      send(medium, 1, new Uint8Array(5));
      time.runAll();
      const at = (speaker: number): boolean =>
        heard.some(([, station, frame]) => station === 3 && frame.speaker === speaker && frame.intact);
      return [at(1), at(2)];
    };
    // Twice the distance is 6.02 dB at the exponent 2.
    expect(run(6, 20)).toEqual([true, false]);
    expect(run(6.1, 20)).toEqual([false, false]);
    expect(run('none', 2000)).toEqual([false, false]);
    expect(run(6, 10)).toEqual([false, false]);
  });

  it('capture destroys the weaker signal only where it is covered', () => {
    const sites = [{ id: 1, position: [10, 0, 0] as const }, { id: 2, position: [100, 0, 0] as const }, { id: 3 }];
    const { time, medium, heard } = makeMedium(0, { stations: sites, captureDb: 10, propagationMps: 3e8 });
    send(medium, 2, new Uint8Array(20));
    time.runUntil(5500);
    send(medium, 1, new Uint8Array(5));
    time.runAll();
    const weak = heard.find(([, station, { speaker }]) => station === 3 && speaker === 2)?.[2];
    expect(changed(weak, 0)).toEqual([5, 6, 7, 8, 9, 10]);
  });

  it('destroys exactly the octets that another signal overlaps, for any pair of frames', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 30 }),
        fc.nat(40_000),
        fc.integer({ min: 300, max: 60_000 }),
        (lengthA, lengthB, startB, rateBps) => {
          const { time, medium, heard } = makeMedium(3, { rateBps });
          time.at(0, () => send(medium, 1, new Uint8Array(lengthA).fill(0x55)));
          time.at(startB, () => send(medium, 2, new Uint8Array(lengthB).fill(0xaa)));
          time.runAll();
          const edge = (start: number, k: number): number => Math.round(start + (k * 8e6) / rateBps);
          const expected = (start: number, length: number, otherStart: number, otherLength: number): number[] =>
            Array.from({ length }, (_, k) => k).filter(
              (k) => edge(start, k) < edge(otherStart, otherLength) && edge(start, k + 1) > otherStart,
            );
          const at = (speaker: number): HeardFrame | undefined =>
            heard.find(([, station, frame]) => station === 3 && frame.speaker === speaker)?.[2];
          expect(changed(at(1), 0x55)).toEqual(expected(0, lengthA, startB, lengthB));
          expect(changed(at(2), 0xaa)).toEqual(expected(startB, lengthB, 0, lengthA));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('streams and frames meet under the same rules', () => {
    const { time, medium, heard, octets } = makeMedium(3);
    const signal = medium.keyUp(1);
    const values = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    const next = (): void => {
      const value = values.shift();
      if (value === undefined) signal.keyDown();
      else time.at(signal.sendOctet(value), next);
    };
    next();
    time.at(3500, () => send(medium, 2, new Uint8Array(2)));
    time.runAll();
    const atThree = octets.filter(([, station]) => station === 3).map(([atUs, , octet]) => [atUs, octet]);
    expect(atThree.map(([atUs]) => atUs)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((ms) => ms * 1000));
    const differing = atThree.flatMap(([, octet], k) => (octet === k + 1 ? [] : [k]));
    expect(differing).toEqual([3, 4, 5]);
    expect(heard.map(([, station, { intact }]) => [station, intact])).toEqual([[3, false]]);
    // Station 2 sent meanwhile: what overlapped is lost to it, not spoiled.
    expect(octets.filter(([, station]) => station === 2).map(([, , octet]) => octet)).toEqual([1, 2, 3, 7, 8, 9, 10]);
    expect(medium.counts(1)).toMatchObject({ frames: 1, octetsSent: 10, collisions: 1, airtimeUs: 10_000 });
  });

  it('two streams at once give one stream of destroyed octets, not twice as many', () => {
    const { time, medium, octets } = makeMedium(3);
    const stream = (station: number, count: number): void => {
      const signal = medium.keyUp(station);
      let sent = 0;
      const next = (): void => {
        if (sent++ === count) signal.keyDown();
        else time.at(signal.sendOctet(station), next);
      };
      next();
    };
    stream(1, 10);
    time.at(3500, () => stream(2, 10));
    time.runAll();
    const atThree = octets.filter(([, station]) => station === 3).map(([, , octet]) => octet);
    expect(atThree.slice(0, 3)).toEqual([1, 1, 1]);
    expect(atThree.slice(3, 10).every((octet) => octet !== 1)).toBe(true);
    // Of the second stream what ends after the first is over: one octet half covered, three clean.
    expect(atThree.slice(11)).toEqual([2, 2, 2]);
    expect(atThree.length).toBe(14);
  });

  it('full duplex: sending does not deafen, and the two directions do not collide', () => {
    const { time, medium, heard } = makeMedium(2, { duplex: 'full' });
    send(medium, 1, new Uint8Array(10));
    send(medium, 2, new Uint8Array(10));
    time.runAll();
    expect(heard.map(([, station, { intact }]) => [station, intact])).toEqual([
      [2, true],
      [1, true],
    ]);
  });

  it('turns over bits at the bit error rate, independently at each receiver', () => {
    const bitErrorRate = 1e-3;
    const { time, medium, heard } = makeMedium(3, { bitErrorRate, rateBps: 1e6 });
    const frames = 400;
    const bytes = 250;
    for (let i = 0; i < frames; i++) {
      send(medium, 1, new Uint8Array(bytes));
      time.runAll();
    }
    const errorsAt = (station: number): number[] =>
      heard
        .filter(([, at]) => at === station)
        .map(([, , { octets }]) =>
          octets.reduce((sum, octet) => sum + octet.toString(2).replaceAll('0', '').length, 0),
        );
    for (const station of [2, 3]) {
      const perFrame = errorsAt(station);
      const total = perFrame.reduce((sum, n) => sum + n, 0);
      const expected = frames * bytes * 8 * bitErrorRate;
      // Binomial: four standard deviations.
      expect(Math.abs(total - expected)).toBeLessThan(4 * Math.sqrt(expected));
      expect(medium.counts(station).bitErrors).toBe(total);
      const intact = perFrame.filter((n) => n === 0).length / frames;
      const share = (1 - bitErrorRate) ** (bytes * 8);
      expect(Math.abs(intact - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / frames));
      expect(medium.counts(station).deliveries).toBe(perFrame.filter((n) => n === 0).length);
    }
    expect(errorsAt(2)).not.toEqual(errorsAt(3));
  });

  it('spoils frames at the frame error rate', () => {
    const { time, medium, heard } = makeMedium(2, { frameErrorRate: 0.1 });
    const frames = 5000;
    for (let i = 0; i < frames; i++) {
      send(medium, 1, new Uint8Array(20));
      time.runAll();
    }
    const spoiled = heard.filter(([, , frame]) => !frame.intact);
    expect(Math.abs(spoiled.length / frames - 0.1)).toBeLessThan(4 * Math.sqrt((0.1 * 0.9) / frames));
    for (const [, , frame] of spoiled) expect(changed(frame, 0).length).toBe(1);
    expect(medium.counts(2).noiseErrors).toBe(spoiled.length);
  });

  it('gives each listener its own octets, and shares them on request', () => {
    for (const shareIntactFrames of [false, true]) {
      const { time, medium, heard } = makeMedium(3, { shareIntactFrames });
      send(medium, 1, Uint8Array.of(1, 2));
      time.runAll();
      expect(heard[0]?.[2].octets === heard[1]?.[2].octets).toBe(shareIntactFrames);
    }
  });

  it('accounts for all time, and is the same run for the same seed', () => {
    const run = (seed: number): { trace: string; medium: Medium } => {
      const random = seededRandom(seed);
      const { time, medium, heard } = makeMedium(5, { random, bitErrorRate: 1e-4, captureDb: 3 });
      for (let i = 0; i < 200; i++) {
        time.at(random.below(2_000_000), () => {
          const station = 1 + random.below(5);
          if (!medium.sending(station)) send(medium, station, new Uint8Array(1 + random.below(30)), random.below(2000));
        });
      }
      time.runFor(3_000_000);
      const trace = heard.map(
        ([atUs, to, { speaker, octets }]) => `${atUs} ${speaker}>${to} ${Buffer.from(octets).toString('hex')}`,
      );
      return { trace: trace.join('\n'), medium };
    };
    const { trace, medium } = run(3);
    expect(run(3).trace).toBe(trace);
    expect(run(4).trace).not.toBe(trace);
    const { elapsedUs, busyUs, idleUs, collisionUs } = medium.channelTime();
    expect(elapsedUs).toBe(3_000_000);
    expect(busyUs + idleUs).toBe(elapsedUs);
    expect(collisionUs).toBeGreaterThan(0);
    expect(collisionUs).toBeLessThan(busyUs);
    const airtimeUs = medium.stations.reduce((sum, station) => sum + medium.counts(station).airtimeUs, 0);
    expect(medium.airtimeUs).toBe(airtimeUs);
    // Every frame sent is at every listener delivered, collided, missed or spoiled by noise.
    const frames = medium.stations.reduce((sum, station) => sum + medium.counts(station).frames, 0);
    expect(trace.split('\n').length).toBe(
      4 * frames - medium.stations.reduce((sum, station) => sum + medium.counts(station).missedWhileSending, 0),
    );
  });

  it('counts the airtime of a signal that is still on', () => {
    const { time, medium } = makeMedium(2);
    medium.keyUp(1);
    time.runFor(1234);
    expect(medium.counts(1).airtimeUs).toBe(1234);
    expect(medium.airtimeUs).toBe(1234);
  });

  it('refuses what cannot be, naming the key', () => {
    expect(() => makeMedium(2, { rateBps: 0 })).toThrow(/rateBps is 0/);
    expect(() => makeMedium(2, { bitErrorRate: 1 })).toThrow(/bitErrorRate/);
    expect(() => makeMedium(2, { captureDb: -1 })).toThrow(/captureDb/);
    expect(() => makeMedium(0, { stations: [{ id: 1 }, { id: 1 }] })).toThrow(/stations is 1/);
    const { medium } = makeMedium(2);
    medium.keyUp(1);
    expect(() => medium.keyUp(1)).toThrow(/station 1/);
    expect(() => medium.keyUp(3)).toThrow(/no station 3/);
  });
});
