/** Asking for the channel, and what else was under way. */
import { describe, expect, it } from 'vitest';
import { VirtualTime } from '../../../src/sim/virtual-time.js';
import {
  decodeLinkFrame,
  decodeReservation,
  encodeLinkFrame,
  encodeReservation,
  type LinkFrame,
} from '../../../src/wire/link-frame.js';
import { BROADCAST, type OutboundPacket } from '../../../src/wire/packet.js';
import { FakePhy, macOn } from './fake-phy.js';

const NOBODY = 9;

const packet = (destination: number, octets: number): OutboundPacket => ({
  destination,
  kind: 'ip',
  payload: new Uint8Array(octets).fill(0x45),
  priority: 0,
});

/** Station 1 of a channel, with packets to send. */
function station() {
  const time = new VirtualTime(1_000_000);
  const phy = new FakePhy(time);
  const waiting: OutboundPacket[] = [];
  const seen = { idle: false };
  const mac = macOn(time, phy, waiting, {
    config: { deadlineUs: 600_000_000 },
    idle: () => {
      seen.idle = true;
    },
  });
  const sent = (): LinkFrame[] =>
    phy.transmitted.flatMap(({ octets }) => {
      const frame = decodeLinkFrame(octets, 4);
      return typeof frame === 'string' ? [] : [frame];
    });
  phy.listener.ready(true);
  time.runFor(1_000_000);
  return { time, phy, mac, waiting, sent, seen };
}

it('a broadcast that was sent is not sent again because the line was lost during a later request', () => {
  const { time, phy, mac, waiting, sent, seen } = station();
  // So many attempts in vain that the channel is asked for before the next one.
  for (let packets = 0; packets < 4; packets++) waiting.push(packet(NOBODY, 60));
  seen.idle = false;
  mac.demand();
  for (let seconds = 0; !seen.idle && seconds < 1000; seconds++) time.runFor(1_000_000);
  phy.transmitted.length = 0;
  waiting.push(packet(BROADCAST, 20), packet(NOBODY, 60));
  mac.demand();
  while (phy.transmitted.length < 2) time.runFor(1_000);
  expect(sent().map(({ type }) => type)).toEqual(['ip', 'rts']);
  phy.automatic = false;
  phy.listener.ready(false);
  phy.listener.sent('line-down');
  phy.automatic = true;
  phy.listener.ready(true);
  time.runFor(60_000_000);
  expect(sent().length).toBeGreaterThan(2);
  expect(sent().filter(({ destination }) => destination === BROADCAST)).toHaveLength(1);
});

describe('a reservation', () => {
  /** Three octets of it say up to 167 s. */
  const ABSURD_US = 150_000_000;
  /** Our own longest frame takes 0.6 s. */
  const LONGEST_EXCHANGE_US = 1_500_000;
  const reservation = (type: 'rts' | 'cts', destination: number, durationUs: number): Uint8Array =>
    encodeLinkFrame(
      {
        ...({ type, destination, source: 5, sequence: 0, behind: 0, more: false, retry: false } as const),
        body: encodeReservation(durationUs),
      },
      4,
    );

  it.each([
    ['is kept whole as long as somebody may need it', 700_000, [700_000, 1_700_000]],
    ['is not believed beyond what an exchange can take', ABSURD_US, [700_000, 2_500_000]],
  ] as const)('%s', (_what, durationUs, [least, most]) => {
    const { time, phy, mac, waiting } = station();
    phy.hear(reservation('cts', 6, durationUs));
    const fromUs = time.nowUs();
    waiting.push(packet(NOBODY, 60));
    mac.demand();
    while (phy.transmitted.length === 0 && time.nowUs() < fromUs + ABSURD_US) time.runFor(10_000);
    const waitedUs = (phy.transmitted[0]?.atUs ?? Number.POSITIVE_INFINITY) - fromUs;
    expect(waitedUs).toBeGreaterThanOrEqual(least);
    expect(waitedUs).toBeLessThan(most);
  });

  it('that is absurd is not passed on to those who hear our clearance', () => {
    const { time, phy, sent } = station();
    phy.hear(reservation('rts', 1, ABSURD_US));
    time.runFor(1_000_000);
    expect(sent().map(({ type, body }) => [type, decodeReservation(body) < LONGEST_EXCHANGE_US])).toEqual([
      ['cts', true],
    ]);
  });
});
