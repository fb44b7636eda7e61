/** Answers that come before the modem has said that what they answer is sent. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Mac } from '../../../src/mac/mac.js';
import type { MacConfig } from '../../../src/mac/ports.js';
import { VirtualTime } from '../../../src/sim/virtual-time.js';
import { decodeLinkFrame, encodeLinkFrame, encodeReservation, type LinkFrame } from '../../../src/wire/link-frame.js';
import { BROADCAST, type OutboundPacket } from '../../../src/wire/packet.js';
import { FakePhy, macOn } from './fake-phy.js';

const PEER = 2;
const NO_BODY = new Uint8Array(0);

let time: VirtualTime;
let phy: FakePhy;
let mac: Mac;
let waiting: OutboundPacket[];
let drops: string[];

/** A modem that says nothing of itself. */
function build(config: Partial<MacConfig> = {}): void {
  time = new VirtualTime(1_000_000);
  phy = new FakePhy(time);
  phy.automatic = false;
  waiting = [];
  drops = [];
  mac = macOn(time, phy, waiting, { config, observer: { drop: (cause) => void drops.push(cause) } });
  phy.listener.ready(true);
  time.runFor(1_000_000);
}

function offer(...octets: number[]): void {
  for (const each of octets) {
    waiting.push({ destination: PEER, kind: 'ip', payload: new Uint8Array(each).fill(0x45), priority: 0 });
  }
  mac.demand();
}

/** Runs until so many transmissions have begun, and gives the last of them. */
function sent(transmissions: number): LinkFrame {
  const limitUs = time.nowUs() + 60_000_000;
  while (phy.transmitted.length < transmissions && time.nowUs() < limitUs) time.runFor(1_000);
  const frame = decodeLinkFrame(phy.transmitted[transmissions - 1]?.octets ?? NO_BODY, 4);
  if (typeof frame === 'string') throw new Error(`transmission ${transmissions}: ${frame}`);
  return frame;
}

function hear(fields: Partial<LinkFrame> & Pick<LinkFrame, 'type'>): void {
  const header = { destination: 1, source: PEER, sequence: 0, behind: 0, more: false, retry: false, body: NO_BODY };
  phy.listener.received(encodeLinkFrame({ ...header, ...fields }, 4), {});
}

const acknowledge = ({ sequence }: LinkFrame, steps = 1): void =>
  hear({ type: 'ack', sequence: (sequence + steps) % 32 });

describe('an acknowledgement before the word that the frame is sent', () => {
  beforeEach(() => build());

  it('counts as soon as that word comes, and not before', () => {
    offer(20, 30);
    acknowledge(sent(1));
    expect(mac.snapshot()).toMatchObject({ state: 'transmitting', inHand: 1, counters: { acked: 0 } });
    phy.listener.sent('sent');
    expect(mac.counters).toMatchObject({ acked: 1, unacked: 0 });
    expect(sent(2).body).toHaveLength(30);
  });

  it('is no longer waited for: slots count from that word on', () => {
    offer(20, 30);
    acknowledge(sent(1));
    phy.listener.sent('sent');
    const fromUs = time.nowUs();
    sent(2);
    const { slotUs, ackStartUs } = mac.timing;
    expect(ackStartUs % slotUs).not.toBe(0);
    expect(((phy.transmitted[1]?.atUs ?? 0) - fromUs) % slotUs).toBe(0);
  });

  it('counts where it came along with something else', () => {
    offer(20);
    const { sequence } = sent(1);
    const acks = [{ to: 1, next: (sequence + 1) % 32, bitmap: 0 }];
    hear({ type: 'ip', destination: BROADCAST, body: Uint8Array.of(0x45), piggyback: { later: false, acks } });
    phy.listener.sent('sent');
    expect(mac.counters.acked).toBe(1);
  });

  it.each(['refused', 'line-down'] as const)('is forgotten when the word is another: %s', (outcome) => {
    offer(20);
    acknowledge(sent(1));
    if (outcome === 'line-down') phy.listener.ready(false);
    phy.listener.sent(outcome);
    if (outcome === 'line-down') phy.listener.ready(true);
    expect(mac.snapshot()).toMatchObject({ inHand: 1, counters: { acked: 0 } });
    expect(sent(2)).toMatchObject({ sequence: sent(1).sequence });
    phy.listener.sent('sent');
    expect(mac.snapshot()).toMatchObject({ state: 'awaiting-ack', counters: { acked: 0 } });
  });

  it('is none that says nothing of that frame, or comes from another station', () => {
    offer(20);
    const frame = sent(1);
    acknowledge(frame, 0);
    acknowledge(frame, 20);
    hear({ type: 'ack', source: 3, sequence: (frame.sequence + 1) % 32 });
    phy.listener.sent('sent');
    expect(mac.snapshot()).toMatchObject({ state: 'awaiting-ack', counters: { acked: 0 } });
  });

  it('does not outlive its frame', () => {
    offer(20);
    acknowledge(sent(1));
    phy.listener.sent('refused');
    offer(30);
    sent(2);
    phy.listener.sent('sent');
    expect(mac.counters.acked).toBe(0);
  });

  it('does not keep a station that is to finish', () => {
    offer(20, 30);
    acknowledge(sent(1));
    mac.finish();
    phy.listener.sent('sent');
    expect(mac.snapshot()).toMatchObject({ state: 'finishing', inHand: 0 });
    expect(drops).toEqual(['shutdown']);
    time.runFor(10_000_000);
    expect(phy.transmitted).toHaveLength(1);
  });
});

describe('of a burst', () => {
  beforeEach(() => build({ burstAirtimeUs: 1_000_000 }));

  it('only what its last frame is answered with', () => {
    offer(20);
    acknowledge(sent(1));
    phy.listener.sent('sent');
    offer(20, 20, 20);
    // A receiver that takes a pause for the end of the burst answers each frame.
    for (const transmissions of [2, 3]) {
      acknowledge(sent(transmissions));
      phy.listener.sent('sent');
    }
    const last = sent(4);
    expect(last.more).toBe(false);
    acknowledge(last, 0);
    acknowledge(last);
    acknowledge(last, 0);
    phy.listener.sent('sent');
    expect(mac.counters).toMatchObject({ acked: 4, unacked: 0 });
  });
});

it('the answer to a question is taken, too', () => {
  build();
  offer(500);
  acknowledge(sent(1));
  phy.listener.sent('sent');
  offer(500);
  const frame = sent(2);
  phy.listener.sent('sent');
  expect(sent(3).type).toBe('poll');
  acknowledge(frame);
  phy.listener.sent('sent');
  expect(mac.counters).toMatchObject({ acked: 2, attempts: 2 });
});

describe('a clearance', () => {
  const clear = (): void => hear({ type: 'cts', body: encodeReservation(900_000) });

  /** Until the channel is asked for: after so many attempts in vain. */
  const request = (): void => {
    build({ maxRetries: 20, deadlineUs: 600_000_000 });
    offer(60);
    for (let each = 1; sent(each).type !== 'rts'; each++) phy.listener.sent('sent');
  };

  it('that comes before the word that the request is sent lets the frame go as soon as that comes', () => {
    request();
    const requests = phy.transmitted.length;
    clear();
    expect(phy.transmitted).toHaveLength(requests);
    phy.listener.sent('sent');
    expect(phy.transmitted).toHaveLength(requests + 1);
    expect(sent(requests + 1).type).toBe('ip');
  });

  it.each(['refused', 'line-down'] as const)('is forgotten when the word is another: %s', (outcome) => {
    request();
    const requests = phy.transmitted.length;
    clear();
    if (outcome === 'line-down') phy.listener.ready(false);
    phy.listener.sent(outcome);
    expect(phy.transmitted).toHaveLength(requests);
  });

  it('does not make the station send while its modem does', () => {
    request();
    const requests = phy.transmitted.length;
    phy.listener.sent('sent');
    hear({ type: 'ip', sequence: 7, body: Uint8Array.of(0x45, 1) });
    expect(sent(requests + 1).type).toBe('ack');
    clear();
    expect(phy.transmitted).toHaveLength(requests + 1);
    phy.listener.sent('sent');
    expect(mac.snapshot().state).toBe('awaiting-clearance');
    time.runFor(60_000_000);
    expect(mac.counters.requestsUnanswered).toBe(1);
    expect(phy.transmitted.length).toBeGreaterThan(requests + 1);
  });
});
