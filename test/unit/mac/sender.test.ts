/** What becomes of the frame in hand when the modem did not send: the station's sending half alone, without a channel. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { MacConfig } from '../../../src/mac/ports.js';
import { Sender } from '../../../src/mac/sender.js';
import { VirtualTime } from '../../../src/sim/virtual-time.js';
import { decodeLinkFrame } from '../../../src/wire/link-frame.js';
import { BROADCAST, type OutboundPacket } from '../../../src/wire/packet.js';
import { FakePhy } from './fake-phy.js';

const NOW_US = 1_000_000;

const packet = (destination: number): OutboundPacket => ({
  destination,
  kind: 'ip',
  payload: new Uint8Array(10),
  priority: 0,
});

function senderOf(waiting: OutboundPacket[], dropped: string[], config: Partial<MacConfig> = {}): Sender {
  return new Sender({
    station: 1,
    phy: new FakePhy(new VirtualTime(NOW_US)),
    config: { linkFrames: true, fcsBytes: 4, arq: true, maxRetries: 3, deadlineUs: 60_000_000, ...config },
    source: { pull: () => waiting.shift() ?? null },
    drop: (cause) => dropped.push(cause),
    firstSequence: () => 0,
    pollUs: 1000,
    answers: () => false,
    delays: { restart: () => undefined },
    deferral: { mayWait: () => false, take: () => [] },
  });
}

describe('a frame to all', () => {
  const waiting = [packet(BROADCAST), packet(BROADCAST), packet(2)];
  const dropped: string[] = [];
  const sender = senderOf(waiting, dropped, { broadcastRepeats: 1, burstAirtimeUs: 60_000_000 });

  it('is sent as often as asked for, before the next one', () => {
    const sent = Array.from({ length: 4 }, () => {
      expect(sender.beginBurst(NOW_US)).toBe(true);
      const frame = sender.nextFrame(NOW_US);
      return [frame?.destination, frame?.sequence, frame?.attempt];
    });
    expect(sent.slice(0, 3)).toEqual([
      [BROADCAST, 0, 1],
      [BROADCAST, 0, 2],
      [BROADCAST, 1, 1],
    ]);
    // The modem did not take this one; it has been sent before, so nothing is lost.
    sender.notSent('refused');
    expect(sender.beginBurst(NOW_US)).toBe(true);
    expect(sender.nextFrame(NOW_US)).toMatchObject({ destination: 2, attempt: 1 });
    expect(dropped).toEqual([]);
  });

  it('is not sent again when it is too old', () => {
    const late = senderOf([packet(BROADCAST), packet(2)], dropped, { broadcastRepeats: 3 });
    late.beginBurst(NOW_US);
    late.nextFrame(NOW_US);
    expect(late.beginBurst(NOW_US + 60_000_001)).toBe(true);
    expect(late.nextFrame(NOW_US + 60_000_001)?.destination).toBe(2);
    expect(dropped).toEqual([]);
  });
});

describe('a station that has acknowledged nothing yet', () => {
  const bits = (sender: Sender) => {
    sender.beginBurst(NOW_US);
    const frame = sender.nextFrame(NOW_US);
    const decoded = frame === null ? 'nothing' : decodeLinkFrame(frame.octets, 4);
    if (typeof decoded === 'string') throw new Error(decoded);
    const { sequence, more, retry } = decoded;
    return { sequence, more, retry };
  };

  it('gets one frame at a time, each as if for the first time: it may count by the numbers of our former life', () => {
    const waiting = [packet(2), packet(2), packet(2), packet(3), packet(3)];
    const sender = senderOf(waiting, [], { burstAirtimeUs: 60_000_000 });
    for (let attempt = 0; attempt < 3; attempt++)
      expect(bits(sender)).toEqual({ sequence: 0, more: false, retry: false });
    sender.acknowledge(2, { next: 1, bitmap: 0 });
    expect(bits(sender)).toEqual({ sequence: 1, more: true, retry: false });
    expect(sender.nextFrame(NOW_US)?.last).toBe(true);
    expect(bits(sender)).toEqual({ sequence: 1, more: true, retry: true });
    sender.acknowledge(2, { next: 3, bitmap: 0 });
    expect(bits(sender)).toEqual({ sequence: 0, more: false, retry: false });
  });

  it('has the channel asked for as long as that frame takes, and no longer', () => {
    const sender = senderOf([packet(2), packet(2), packet(2)], [], { burstAirtimeUs: 60_000_000 });
    const askedUs = () => (sender.beginBurst(NOW_US) ? sender.upcoming?.airtimeUs : undefined);
    const frameUs = askedUs();
    expect(frameUs).toBe(1000 * (sender.nextFrame(NOW_US)?.octets.length ?? 0));
    sender.acknowledge(2, { next: 1, bitmap: 0 });
    expect(askedUs()).toBe(60_000_000);
  });

  it('stays one when what it acknowledges was never sent', () => {
    const sender = senderOf([packet(2)], []);
    bits(sender);
    expect(sender.acknowledge(2, { next: 20, bitmap: 0 })).toEqual({ settled: [], left: 1 });
    expect(bits(sender)).toEqual({ sequence: 0, more: false, retry: false });
  });

  it('gets the next one when that was given up', () => {
    const dropped: string[] = [];
    const sender = senderOf([packet(2), packet(2)], dropped, { maxRetries: 1 });
    const sent = [0, 1, 2, 3].map(() => bits(sender).sequence);
    expect(sent).toEqual([0, 0, 1, 1]);
    expect(dropped).toEqual(['retry-limit']);
  });

  it('is told of a repetition where nobody acknowledges', () => {
    const sender = senderOf([packet(BROADCAST)], [], { broadcastRepeats: 1 });
    expect([bits(sender).retry, bits(sender).retry]).toEqual([false, true]);
  });
});

describe('a packet looked ahead', () => {
  it('ages like any other', () => {
    const dropped: string[] = [];
    const waiting = [packet(2), { ...packet(2), payload: new Uint8Array(585) }, packet(3)];
    const sender = senderOf(waiting, dropped, { aggregate: true });
    sender.beginBurst(NOW_US);
    sender.nextFrame(NOW_US);
    expect(sender.inHand).toBe(2);
    sender.acknowledge(2, { next: 1, bitmap: 0 });
    expect(sender.beginBurst(NOW_US + 60_000_001)).toBe(true);
    expect(sender.nextFrame(NOW_US + 60_000_001)?.destination).toBe(3);
    expect(dropped).toEqual(['deadline']);
  });
});

describe('a frame that was not sent', () => {
  let waiting: OutboundPacket[];
  let dropped: string[];
  let sender: Sender;

  const next = (): number | undefined =>
    sender.beginBurst(NOW_US) ? sender.nextFrame(NOW_US)?.destination : undefined;

  beforeEach(() => {
    waiting = [packet(BROADCAST), packet(2)];
    dropped = [];
    sender = senderOf(waiting, dropped);
  });

  it('goes first when the line is back, though nobody acknowledges it', () => {
    expect(next()).toBe(BROADCAST);
    sender.notSent('line-down');
    expect(sender.inHand).toBe(1);
    expect([next(), next()]).toEqual([BROADCAST, 2]);
  });

  it('is dropped, and counted, when the modem has refused it more often than it may be repeated', () => {
    for (let i = 0; i < 4; i++) {
      expect(next()).toBe(BROADCAST);
      sender.notSent('refused');
    }
    expect(dropped).toEqual(['modem-refused']);
    expect(next()).toBe(2);
  });

  it("is the modem's fault, also where it would have been acknowledged", () => {
    waiting.shift();
    for (let i = 0; i < 4; i++) {
      expect(next()).toBe(2);
      sender.notSent('refused');
    }
    expect(next()).toBeUndefined();
    expect(dropped).toEqual(['modem-refused']);
  });

  it.each(['line-down', 'refused'] as const)('is not the one before it: the request for the next was %s', (outcome) => {
    expect(next()).toBe(BROADCAST);
    // That one has been sent. Now the channel is asked for, for the next one.
    expect(sender.beginBurst(NOW_US)).toBe(true);
    sender.notSent(outcome);
    expect(sender.inHand).toBe(1);
    expect(next()).toBe(2);
    expect(next()).toBe(2);
    expect(dropped).toEqual([]);
  });
});
