import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { DropCounters } from '../../../src/base/drops.js';
import { seededRandom } from '../../../src/base/random.js';
import { Limits } from '../../../src/mac/limits.js';
import { Mac } from '../../../src/mac/mac.js';
import type { MacConfig } from '../../../src/mac/ports.js';
import { deriveTiming } from '../../../src/mac/timing.js';
import { VirtualTime } from '../../../src/sim/virtual-time.js';
import { decodeLinkFrame, encodeLinkFrame, type LinkFrame } from '../../../src/wire/link-frame.js';
import { BROADCAST, type OutboundPacket } from '../../../src/wire/packet.js';
import { FakePhy } from './fake-phy.js';

describe('the duty cycle', () => {
  it('holds in every window, whatever is asked of it', () => {
    const sends = fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 9 })), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(sends, fc.integer({ min: 5, max: 50 }), (list, percent) => {
        const dutyCycle = { share: percent / 100, windowUs: 600 };
        const limits = new Limits({ dutyCycle, nowUs: 1000, longestUs: 9 });
        const sent: { atUs: number; airtimeUs: number }[] = [];
        let nowUs = 1000;
        for (const [pauseUs, airtimeUs] of list) {
          nowUs = Math.max(nowUs + pauseUs, limits.dataFromUs(nowUs + pauseUs));
          limits.transmits(nowUs, airtimeUs);
          sent.push({ atUs: nowUs, airtimeUs });
          nowUs += airtimeUs;
        }
        for (const { atUs } of sent) {
          const inWindow = sent.filter((each) => each.atUs > atUs - 600 && each.atUs <= atUs);
          const spentUs = inWindow.reduce((sum, each) => sum + each.airtimeUs, 0);
          // A budget smaller than what one win takes lets one through once the window is empty.
          if (inWindow.length > 1) expect(spentUs).toBeLessThanOrEqual(dutyCycle.share * 600);
        }
      }),
      { numRuns: 300, seed: 4 },
    );
  });

  it('is used up: no window waits with room for more', () => {
    const limits = new Limits({ dutyCycle: { share: 0.1, windowUs: 60_000 }, nowUs: 0, longestUs: 100 });
    let nowUs = 0;
    let spentUs = 0;
    while (nowUs < 600_000) {
      nowUs = limits.dataFromUs(nowUs);
      limits.transmits(nowUs, 100);
      spentUs += 100;
      nowUs += 100;
    }
    expect(spentUs / nowUs).toBeGreaterThan(0.08);
    expect(spentUs / nowUs).toBeLessThanOrEqual(0.1);
  });
});

const BASE: MacConfig = { linkFrames: true, fcsBytes: 4, arq: true, maxRetries: 3, deadlineUs: 600_000_000 };

let time: VirtualTime;
let phy: FakePhy;
let waiting: OutboundPacket[];
let drops: DropCounters;
let mac: Mac;
let exceeded: number;
let overdueUs: number[];

function build(config: Partial<MacConfig>): void {
  time = new VirtualTime(1_000_000);
  phy = new FakePhy(time);
  waiting = [];
  drops = new DropCounters();
  exceeded = 0;
  overdueUs = [];
  mac = new Mac({
    station: 1,
    phy,
    scheduler: time,
    random: seededRandom(1),
    source: { pull: () => waiting.shift() ?? null, idle: () => {} },
    observer: {
      deliver: () => {},
      drop: (cause) => drops.count(cause),
      keyDownExceeded: () => exceeded++,
      sentOverdue: (afterUs) => overdueUs.push(afterUs),
    },
    config: { ...BASE, ...config },
  });
}

const packet = (octets = 92, destination = BROADCAST, priority = 0): OutboundPacket => ({
  destination,
  kind: 'ip',
  payload: new Uint8Array(octets).fill(0x45),
  priority,
});

function offer(...packets: OutboundPacket[]): void {
  waiting.push(...packets);
  mac.demand();
}

function sent(index: number): LinkFrame {
  const octets = phy.transmitted[index]?.octets;
  const frame = octets === undefined ? 'nothing' : decodeLinkFrame(octets, 4);
  if (typeof frame === 'string') throw new Error(`transmission ${index}: ${frame}`);
  return frame;
}

describe('a station within its limits', () => {
  it('keeps to the duty cycle by not pulling, and drops nothing', () => {
    // Frames of 0.1 s, 3 s of any minute.
    build({ limits: { dutyCycle: { share: 0.05, windowUs: 60_000_000 } } });
    phy.listener.ready(true);
    offer(...Array.from({ length: 200 }, () => packet()));
    time.runFor(60_000_000);
    expect(phy.transmitted.length).toBeGreaterThan(15);
    expect(phy.transmitted.length).toBeLessThanOrEqual(30);
    expect(waiting.length).toBe(200 - phy.transmitted.length);
    expect(mac.counters.held).toBeGreaterThan(0);
    expect(mac.snapshot().budgetLeft).toBeLessThan(0.5);
    time.runFor(600_000_000);
    expect(phy.transmitted.length).toBeGreaterThan(150);
    expect(drops.toJSON()).toEqual({});
  });

  it('keeps a part of the duty cycle for answers', () => {
    build({ limits: { dutyCycle: { share: 0.05, windowUs: 60_000_000 } } });
    phy.listener.ready(true);
    offer(...Array.from({ length: 100 }, () => packet()));
    time.runFor(30_000_000);
    const before = phy.transmitted.length;
    const body = new Uint8Array([0x45, 1]);
    const data = { type: 'ip', destination: 1, source: 2, sequence: 0, behind: 0, more: false, retry: false } as const;
    for (let sequence = 0; sequence < 4; sequence++) phy.hear(encodeLinkFrame({ ...data, sequence, body }, 4));
    time.runFor(100_000);
    expect(phy.transmitted.length - before).toBe(4);
  });

  it('says nothing before its quiet time is over, and listens', () => {
    build({ limits: { quietUs: 5_000_000 } });
    phy.listener.ready(true);
    offer(packet());
    const body = new Uint8Array([0x45, 1]);
    phy.hear(
      encodeLinkFrame(
        { type: 'ip', destination: 1, source: 2, sequence: 0, behind: 0, more: false, retry: false, body },
        4,
      ),
    );
    time.runFor(4_000_000);
    expect(phy.transmitted).toHaveLength(0);
    expect(mac.counters.delivered).toBe(1);
    time.runFor(2_000_000);
    expect(phy.transmitted).toHaveLength(1);
  });

  it('makes frames that fit the key-down limit, and bursts too', () => {
    build({ burstAirtimeUs: 2_000_000, limits: { keyDownUs: 250_000 } });
    phy.listener.ready(true);
    offer(packet(592));
    time.runFor(3_000_000);
    expect(phy.transmitted.length).toBe(3);
    for (const { octets } of phy.transmitted) expect(phy.timing.airtimeUs(octets.length)).toBeLessThanOrEqual(250_000);
    expect(phy.transmitted.map((_, index) => sent(index).more)).toEqual([false, false, false]);
  });

  it('tells when the modem does not let go of its key', () => {
    build({ limits: { keyDownUs: 250_000 } });
    phy.listener.ready(true);
    phy.automatic = false;
    offer(packet());
    time.runFor(10_000_000);
    expect(exceeded).toBe(1);
    expect(mac.counters.keyDownExceeded).toBe(1);
    phy.listener.ready(false);
    phy.listener.sent('line-down');
    phy.automatic = true;
    phy.listener.ready(true);
    time.runFor(1_000_000);
    expect(phy.transmitted).toHaveLength(2);
    expect(exceeded).toBe(1);
  });

  it('says who it is when it begins to send, at the interval while it does, and once when it has done', () => {
    const text = new TextEncoder().encode('N0CALL');
    build({ limits: { identification: { text, intervalUs: 60_000_000 } } });
    phy.listener.ready(true);
    time.runFor(300_000_000);
    expect(phy.transmitted).toHaveLength(0);
    offer(packet(), packet());
    time.runFor(30_000_000);
    expect(phy.transmitted.map((_, index) => sent(index).type)).toEqual(['ip', 'identification', 'ip']);
    expect(sent(1)).toMatchObject({ destination: BROADCAST, source: 1, body: text });
    time.runFor(600_000_000);
    expect(phy.transmitted.map((_, index) => sent(index).type).slice(3)).toEqual(['identification']);
    expect(mac.counters.identifications).toBe(2);
  });

  it.each(['refused', 'line-down'] as const)('says who it is again where the modem did not: %s', (outcome) => {
    const text = new TextEncoder().encode('N0CALL');
    build({ limits: { identification: { text, intervalUs: 60_000_000 } } });
    phy.listener.ready(true);
    offer(packet(), packet());
    while (phy.transmitted.length < 2) time.step();
    phy.automatic = false;
    if (outcome === 'line-down') phy.listener.ready(false);
    phy.listener.sent(outcome);
    expect(mac.counters.identifications).toBe(0);
    phy.automatic = true;
    phy.listener.ready(true);
    time.runFor(30_000_000);
    expect(phy.transmitted.map((_, index) => sent(index).type)).toEqual([
      'ip',
      'identification',
      'identification',
      'ip',
    ]);
    expect(mac.counters.identifications).toBe(1);
  });

  it('gives up an interactive packet by its own deadline', () => {
    build({ interactiveDeadlineUs: 1_000_000, maxRetries: 15 });
    phy.listener.ready(true);
    offer(packet(20, 2, 6));
    phy.listener.carrier(false);
    time.runFor(200_000);
    phy.listener.carrier(true);
    time.runFor(2_000_000);
    phy.listener.carrier(false);
    time.runFor(500_000);
    expect(drops.toJSON()).toEqual({ deadline: 1 });
  });
});

describe('a modem that takes a frame and does not say that it is sent', () => {
  const waitUs = (): number => mac.timing.sentOverdueUs;

  it('is told of once, however long it goes on, and again with the next frame', () => {
    build({});
    phy.listener.ready(true);
    phy.automatic = false;
    offer(packet(), packet());
    while (phy.transmitted.length === 0) time.step();
    time.runFor(waitUs() - 1_000_000);
    expect(overdueUs).toEqual([]);
    time.runFor(10 * waitUs());
    expect(overdueUs).toEqual([waitUs()]);
    expect(mac.snapshot()).toMatchObject({ state: 'transmitting', counters: { sentOverdue: 1 } });
    phy.listener.sent('sent');
    while (phy.transmitted.length === 1) time.step();
    time.runFor(2 * waitUs());
    expect(mac.counters.sentOverdue).toBe(2);
  });

  it('is not one that is lost, or tells late, or is slow as a whole', () => {
    build({});
    phy.listener.ready(true);
    offer(...Array.from({ length: 200 }, () => packet(592)));
    time.runFor(2 * waitUs());
    expect(phy.transmitted.length).toBeGreaterThan(90);
    phy.automatic = false;
    time.runFor(waitUs() / 2);
    phy.listener.sent('sent');
    time.runFor(waitUs() / 2);
    phy.listener.ready(false);
    phy.listener.sent('line-down');
    time.runFor(2 * waitUs());
    expect(mac.counters.sentOverdue).toBe(0);
  });

  it('has longer where it waits for longer by itself', () => {
    const slow = new FakePhy(time, { timing: { modemAccessUs: 20_000_000, airtimeUs: (bytes) => bytes * 10_000 } });
    expect(deriveTiming(slow, 8).sentOverdueUs).toBeGreaterThan(16 * 26_000_000);
    expect(deriveTiming(new FakePhy(time), 8).sentOverdueUs).toBe(30_000_000);
  });

  it('is a matter of the key-down limit where there is one', () => {
    build({ limits: { keyDownUs: 250_000 } });
    phy.listener.ready(true);
    phy.automatic = false;
    offer(packet());
    time.runFor(3 * waitUs());
    expect([exceeded, mac.counters.sentOverdue]).toEqual([1, 0]);
  });

  it('does not keep a station that has finished', () => {
    build({});
    phy.listener.ready(true);
    phy.automatic = false;
    offer(packet());
    time.runFor(1_000_000);
    mac.finish();
    phy.listener.ready(false);
    phy.listener.sent('line-down');
    expect(time.nextDueUs).toBeUndefined();
  });
});

describe('priority at the last moment', () => {
  const classes = (): number[] => phy.transmitted.map((_, index) => sent(index).body[1] ?? -1);
  const marked = (mark: number, priority: number, octets = 400): OutboundPacket => {
    const made = packet(octets, BROADCAST, priority);
    made.payload[1] = mark;
    return made;
  };

  beforeEach(() => build({ aggregate: true, burstAirtimeUs: 500_000 }));

  it('lets what came while the channel was busy go first, before what was looked at ahead', () => {
    phy.listener.ready(true);
    offer(marked(1, 0), marked(2, 0), marked(3, 0));
    time.runFor(400_000);
    while (mac.snapshot().state === 'transmitting') time.step();
    phy.listener.carrier(true);
    time.runFor(1_000_000);
    // One is sent, one was looked at ahead; now comes something urgent, into the front of the queue.
    const held = mac.snapshot().inHand;
    expect(held).toBeLessThanOrEqual(1);
    waiting.unshift(marked(9, 6, 320));
    phy.listener.carrier(false);
    time.runFor(3_000_000);
    expect(classes()).toEqual([1, 9, 2, 3]);
  });

  it('does not let what is equal overtake', () => {
    phy.listener.ready(true);
    offer(...[1, 2, 3, 4, 5, 6].map((mark) => marked(mark, 0)));
    time.runFor(10_000_000);
    expect(classes()).toEqual([1, 2, 3, 4, 5, 6]);
  });
});
