/**
 * Octets of chance and mutated frames through the whole way of reception: driver, MAC, decapsulation. Time is virtual; the
 * line and the source of packets are made of nothing. Every octet is asked for, see reception-ledger.ts.
 */
import type { Random } from '../../src/base/random.js';
import { Mac } from '../../src/mac/mac.js';
import type { Phy } from '../../src/mac/phy.js';
import { mergeConfiguration } from '../../src/modem/configuration.js';
import type { ModemDriver } from '../../src/modem/driver.js';
import { createDriver } from '../../src/modem/drivers/registry.js';
import type { Line } from '../../src/serial/line.js';
import { VirtualTime } from '../../src/sim/virtual-time.js';
import { NeighbourTable } from '../../src/wire/address.js';
import { createEncapsulation } from '../../src/wire/encapsulation.js';
import { FrameMaker, FUZZ_FCS_BYTES } from './fuzz-frames.js';
import { ReceptionLedger } from './reception-ledger.js';

export interface ReceptionCount {
  octets: number;
  frames: number;
  /** Packets that came out of the MAC. */
  packets: number;
  /** Octets neither in a frame to the TAP nor under a cause nor a header, or twice; and what was counted otherwise. */
  wrong: number;
  /** Octets by what became of them. */
  octetsBy: Record<string, number>;
}

const SLIP_END = 0xc0;
const SLIP_ESCAPE = 0xdb;
/** The MAC gives up after the time of so many of the longest exchanges (mac/parts.ts). */
const PATIENCE_EXCHANGES = 64;
const RUN_EVERY = 256;
const RUN_US = 1_000_000;
/** The line is lost and back. */
const REOPEN_EVERY = 4096;

/**
 * @param arq whether unicast frames are put in order, and held back for that; if so, there are no fragments among them
 * @param progress told the number of streams done, ten times on the way
 * @throws whatever the way of reception throws, which is to be nothing
 */
export function fuzzReception(
  streams: number,
  random: Random,
  arq: boolean,
  progress: (streams: number) => void = () => undefined,
): ReceptionCount {
  const time = new VirtualTime();
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
  let ledger = new ReceptionLedger(() => 0, 0);
  const mac = new Mac({
    station: 1,
    phy: watched(driver, () => ledger),
    scheduler: time,
    random,
    source: { pull: () => null, idle: () => undefined },
    observer: {
      deliver: (packet) => {
        ledger.delivered(packet);
        ledger.decapsulated(packet, encapsulation.inbound(packet));
      },
      drop: (cause) => ledger.drop(cause),
    },
    config: { linkFrames: true, fcsBytes: FUZZ_FCS_BYTES, arq, maxRetries: 0, deadlineUs: 5_000_000 },
  });
  const exchangeUs = driver.timing.airtimeUs(driver.capabilities.maxFrameBytes) + mac.timing.ackEndUs;
  const patienceUs = PATIENCE_EXCHANGES * exchangeUs;
  ledger = new ReceptionLedger(() => time.nowUs(), patienceUs);
  mac.tap = ledger;
  driver.lineOpened(nothing);

  const frames = new FrameMaker(random, !arq);
  const count: ReceptionCount = { octets: 0, frames: 0, packets: 0, wrong: 0, octetsBy: ledger.octets };
  const look = (): void => {
    driver.lineLost();
    const lost = count.octets - ledger.accounted - ledger.waiting;
    count.wrong += Math.abs(lost);
    // So that what is missing once is counted once.
    if (lost !== 0) ledger.add('unknown', lost);
    driver.lineOpened(nothing);
  };
  const tenth = Math.ceil(streams / 10);
  for (let i = 1; i <= streams; i++) {
    const stream = frames.stream();
    for (let at = 0; at < stream.length; at++) if (stream[at] === SLIP_END) ledger.add('delimiters', 1);
    count.octets += stream.length;
    driver.lineData(stream);
    if (i % RUN_EVERY === 0) time.runFor(RUN_US);
    if (i % REOPEN_EVERY === 0) look();
    if (i % tenth === 0) progress(i);
  }
  look();
  // Nobody waits for ever.
  time.runFor(3 * patienceUs);
  look();
  count.wrong += ledger.wrong + ledger.waiting;
  count.wrong += Math.abs(mac.counters.overheard - ledger.overheard) + Math.abs(mac.counters.echoes - ledger.echoes);
  count.frames = ledger.frames;
  count.packets = ledger.packets;
  return count;
}

/** The driver, with somebody who hears what it tells the MAC. */
function watched(driver: ModemDriver, ledger: () => ReceptionLedger): Phy {
  return {
    capabilities: driver.capabilities,
    timing: driver.timing,
    transmit: (frame) => driver.transmit(frame),
    senseBusy: () => driver.senseBusy(),
    attach: (listener) =>
      driver.attach({
        carrier: (busy) => listener.carrier(busy),
        sent: (outcome) => listener.sent(outcome),
        ready: (up) => listener.ready(up),
        received: (octets, meta) => {
          for (const octet of octets) if (octet === SLIP_END || octet === SLIP_ESCAPE) ledger().add('escapes', 1);
          const isWhole = listener.received(octets, meta);
          ledger().settle();
          return isWhole;
        },
        discarded: (cause, octets) => {
          ledger().discarded(cause, octets);
          listener.discarded(cause, octets);
          ledger().settle();
        },
      }),
  };
}

const nothing: Line = {
  path: '/dev/null',
  open: async () => undefined,
  write: () => undefined,
  unwrittenBytes: 0,
  pendingInputBytes: () => 0,
  close: async () => undefined,
  statistics: { bytesIn: 0, bytesOut: 0, bytesDropped: 0 },
};
