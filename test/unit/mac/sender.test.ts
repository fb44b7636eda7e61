/** What becomes of the frame in hand when the modem did not send: the station's sending half alone, without a channel. */
import { beforeEach, describe, expect, it } from 'vitest';
import { Sender } from '../../../src/mac/sender.js';
import { VirtualTime } from '../../../src/sim/virtual-time.js';
import { BROADCAST, type OutboundPacket } from '../../../src/wire/packet.js';
import { FakePhy } from './fake-phy.js';

const NOW_US = 1_000_000;

const packet = (destination: number): OutboundPacket => ({
  destination,
  kind: 'ip',
  payload: new Uint8Array(10),
  priority: 0,
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
    sender = new Sender({
      station: 1,
      phy: new FakePhy(new VirtualTime(NOW_US)),
      config: { linkFrames: true, fcsBytes: 4, arq: true, maxRetries: 3, deadlineUs: 60_000_000 },
      source: { pull: () => waiting.shift() ?? null },
      drop: (cause) => dropped.push(cause),
      firstSequence: () => 0,
      pollUs: 1000,
      answers: () => false,
      delays: { restart: () => undefined },
      deferral: { mayWait: () => false, take: () => [] },
    });
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
