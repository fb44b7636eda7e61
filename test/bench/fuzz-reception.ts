/**
 * Octets of chance and mutated frames through the whole way of reception: driver, MAC, decapsulation. Time is virtual;
 * the line and the source of packets are made of nothing.
 */
import { DropCounters } from '../../src/base/drops.js';
import { type Random, seededRandom } from '../../src/base/random.js';
import { slipCodec } from '../../src/framing/slip.js';
import { Mac } from '../../src/mac/mac.js';
import { mergeConfiguration } from '../../src/modem/configuration.js';
import { createDriver } from '../../src/modem/drivers/registry.js';
import type { Line } from '../../src/serial/line.js';
import { VirtualTime } from '../../src/sim/virtual-time.js';
import { NeighbourTable } from '../../src/wire/address.js';
import { createEncapsulation } from '../../src/wire/encapsulation.js';
import { encodeLinkFrame, SEQUENCES } from '../../src/wire/link-frame.js';
import { streamOf } from './fuzz-streams.js';

export interface ReceptionCount {
  octets: number;
  /** Packets that came out as Ethernet frames. */
  delivered: number;
  /** Drops counted, by cause. */
  drops: Record<string, number>;
}

const FCS_BYTES = 4;

/** @throws whatever the way of reception throws, which is to be nothing */
export function fuzzReception(streams: number, random: Random = seededRandom(1)): ReceptionCount {
  const time = new VirtualTime();
  const drops = new DropCounters();
  const count: ReceptionCount = { octets: 0, delivered: 0, drops: {} };
  const configuration = mergeConfiguration({
    profile: 'null-modem',
    settings: [
      { key: 'interface.port', value: '/dev/null', flag: '--port' },
      { key: 'interface.station', value: 1, flag: '--station' },
    ],
  });
  const driver = createDriver(configuration, { scheduler: time, hostLatencyUs: 1000 });
  const table = new NeighbourTable({ station: 1, addresses: ['10.0.0.1/24'], table: {} });
  const encapsulation = createEncapsulation('sluice', table);
  new Mac({
    station: 1,
    phy: driver,
    scheduler: time,
    random,
    source: { pull: () => null, idle: () => undefined },
    observer: {
      deliver: (packet) => {
        const frame = encapsulation.inbound(packet);
        if (typeof frame === 'string') drops.count(frame);
        else count.delivered++;
      },
      drop: (cause) => drops.count(cause),
    },
    config: { linkFrames: true, fcsBytes: FCS_BYTES, arq: false, maxRetries: 0, deadlineUs: 5_000_000 },
  });
  const line: Line = {
    path: '/dev/null',
    open: async () => undefined,
    write: () => undefined,
    unwrittenBytes: 0,
    pendingInputBytes: () => 0,
    close: async () => undefined,
    statistics: { bytesIn: 0, bytesOut: 0, bytesDropped: 0 },
  };
  driver.lineOpened(line);
  const codec = slipCodec({ maxFrameBytes: 2048 });
  const TYPES = ['ip', 'arp', 'ethernet', 'fragment', 'aggregate'] as const;
  let sequence = 0;
  for (let i = 0; i < streams; i++) {
    // Half of them reach the MAC with a good check sequence, whatever is inside.
    const stream = streamOf(random, (body) => {
      sequence = (sequence + 1) % SEQUENCES;
      if (body.length === 0) return codec.encode(body);
      const type = TYPES[random.below(TYPES.length)] ?? 'ip';
      const destination = random.below(2) === 0 ? 1 : 255;
      const header = { type, destination, source: 2, sequence, behind: 0, more: false, retry: false };
      return codec.encode(encodeLinkFrame({ ...header, body }, FCS_BYTES));
    });
    count.octets += stream.length;
    driver.lineData(stream);
    if ((i & 255) === 0) time.runFor(1_000_000);
  }
  count.drops = { ...drops.toJSON() };
  return count;
}
