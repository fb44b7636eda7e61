/** The receiving half of a station alone, where nobody acknowledges. */
import { expect, it } from 'vitest';
import { Receiver } from '../../../src/mac/receiver.js';
import { VirtualTime } from '../../../src/sim/virtual-time.js';
import type { LinkFrame } from '../../../src/wire/link-frame.js';
import { BROADCAST } from '../../../src/wire/packet.js';

function receive(...frames: readonly Partial<LinkFrame>[]): { delivered: number; dropped: string[] } {
  let delivered = 0;
  const dropped: string[] = [];
  const receiver = new Receiver({
    station: 1,
    fcsBytes: 4,
    scheduler: new VirtualTime(),
    patienceUs: 1_000_000,
    deliver: () => void delivered++,
    drop: (cause) => void dropped.push(cause),
  });
  const header = { type: 'ip', destination: 1, source: 2, sequence: 7, behind: 0, more: false, retry: false } as const;
  for (const frame of frames) receiver.takeUnconfirmed({ ...header, body: Uint8Array.of(0x45, 1), ...frame }, 0);
  return { delivered, dropped };
}

it('what a sender repeats that waits in vain for an acknowledgement is delivered once, marked as repeated or not', () => {
  expect(receive({}, {}, { retry: true })).toEqual({ delivered: 1, dropped: ['rx-duplicate', 'rx-duplicate'] });
});

it('what is of another kind, or to others, is another frame: those are numbered apart', () => {
  expect(receive({}, { type: 'ethernet' }, { type: 'ethernet', destination: BROADCAST, retry: true })).toEqual({
    delivered: 3,
    dropped: [],
  });
});

it('what has another number, or other content, is another frame', () => {
  expect(receive({}, { sequence: 8 }, { sequence: 8, body: Uint8Array.of(0x45, 2) })).toEqual({
    delivered: 3,
    dropped: [],
  });
});

it('what goes to all is a repetition only where it is marked as one: no sender repeats it without', () => {
  const toAll = { destination: BROADCAST };
  expect(receive(toAll, toAll, { ...toAll, retry: true })).toEqual({ delivered: 2, dropped: ['rx-duplicate'] });
});
