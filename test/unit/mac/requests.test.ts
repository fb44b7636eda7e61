/** Asking for the channel, and what else was under way. */
import { expect, it } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import { Mac } from '../../../src/mac/mac.js';
import { VirtualTime } from '../../../src/sim/virtual-time.js';
import { decodeLinkFrame, type LinkFrame } from '../../../src/wire/link-frame.js';
import { BROADCAST, type OutboundPacket } from '../../../src/wire/packet.js';
import { FakePhy, observed } from './fake-phy.js';

const NOBODY = 9;

const packet = (destination: number, octets: number): OutboundPacket => ({
  destination,
  kind: 'ip',
  payload: new Uint8Array(octets).fill(0x45),
  priority: 0,
});

it('a broadcast that was sent is not sent again because the line was lost during a later request', () => {
  const time = new VirtualTime(1_000_000);
  const phy = new FakePhy(time);
  const waiting: OutboundPacket[] = [];
  let idle = false;
  const mac = new Mac({
    station: 1,
    phy,
    scheduler: time,
    random: seededRandom(1),
    source: {
      pull: () => waiting.shift() ?? null,
      idle: () => {
        idle = true;
      },
    },
    observer: { deliver: () => undefined, drop: () => undefined, ...observed([]) },
    config: { linkFrames: true, fcsBytes: 4, arq: true, maxRetries: 3, deadlineUs: 600_000_000 },
  });
  const sent = (): LinkFrame[] =>
    phy.transmitted.flatMap(({ octets }) => {
      const frame = decodeLinkFrame(octets, 4);
      return typeof frame === 'string' ? [] : [frame];
    });
  phy.listener.ready(true);
  time.runFor(1_000_000);
  // So many attempts in vain that the channel is asked for before the next one.
  for (let packets = 0; packets < 4; packets++) waiting.push(packet(NOBODY, 60));
  idle = false;
  mac.demand();
  for (let seconds = 0; !idle && seconds < 1000; seconds++) time.runFor(1_000_000);
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
