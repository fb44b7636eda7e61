/**
 * Back pressure, as far as driver and MAC make it: packets are only taken from the source (the interface, with the sockets
 * behind it) when the modem can have them. Not while somebody else is on the air, and not while the modem is gone.
 */
import { expect } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { macConfig } from '../../src/daemon/mac-config.js';
import { Mac } from '../../src/mac/mac.js';
import { mergeConfiguration, parseSetting } from '../../src/modem/configuration.js';
import type { ModemDriver } from '../../src/modem/driver.js';
import { createDriver } from '../../src/modem/drivers/registry.js';
import { Medium } from '../../src/sim/medium.js';
import { VirtualLine } from '../../src/sim/virtual-line.js';
import { VirtualTime } from '../../src/sim/virtual-time.js';
import type { DriverBench } from './driver-bench.js';

const STRANGER = 3;
const PACKET_BYTES = 60;
const STEP_US = 5000;
const PACKETS = 10;
const DEFAULT_READY_MS = 1000;

class Station {
  readonly driver: ModemDriver;
  readonly mac: Mac;
  readonly line: VirtualLine;
  /** Packets that wait, as in a socket's queue. */
  waiting = 0;
  pulled = 0;
  received = 0;

  constructor(bench: DriverBench, time: VirtualTime, medium: Medium, number: number) {
    this.line = new VirtualLine(`virtual-${number}`);
    const random = seededRandom(number);
    bench.emulator({ scheduler: time, random, medium, station: number, port: this.line.port });
    const base = [`interface.station=${number}`, 'interface.port=/dev/virtual', 'link.maxRetries=15'];
    const settings = [...base, ...(bench.settings?.(number) ?? [])].map(parseSetting);
    const configuration = mergeConfiguration({ profile: bench.profile, settings });
    this.driver = createDriver(configuration, { scheduler: time });
    this.mac = new Mac({
      station: number,
      phy: this.driver,
      scheduler: time,
      random,
      // One packet a time, so that packets can be counted; what waits too long must not make room.
      config: { ...macConfig(configuration, this.driver), aggregate: false, burstAirtimeUs: 0, deadlineUs: 1e12 },
      source: {
        pull: () => {
          if (this.waiting === 0) return null;
          this.waiting--;
          this.pulled++;
          const payload = Uint8Array.from({ length: PACKET_BYTES }, () => random.below(256));
          return { destination: 3 - number, kind: 'ip', payload, priority: 0 };
        },
        idle: () => {},
      },
      observer: {
        drop: () => {},
        deliver: () => {
          this.received++;
        },
      },
    });
  }

  open(): void {
    this.line.openNow({ data: (octets) => this.driver.lineData(octets), lost: () => {} });
    this.driver.lineOpened(this.line);
  }

  offer(packets: number): void {
    this.waiting += packets;
    this.mac.demand();
  }
}

export function backPressure(bench: DriverBench): undefined {
  const time = new VirtualTime();
  const stations = [{ id: 1 }, { id: 2, position: [0, 300, 0] }, { id: STRANGER, position: [0, 150, 0] }] as const;
  const medium = new Medium({ scheduler: time, random: seededRandom(1), stations, ...bench.medium });
  const one = new Station(bench, time, medium, 1);
  const two = new Station(bench, time, medium, 2);
  const until = (holds: () => boolean, withinUs: number): void => {
    const endUs = Math.ceil(time.nowUs() + withinUs);
    while (!holds() && time.nowUs() < endUs) time.runFor(STEP_US);
  };
  const { capabilities, timing } = one.driver;
  const exchangeUs =
    timing.airtimeUs(capabilities.maxFrameBytes) + timing.turnaroundUs + (timing.modemAccessUs ?? 0) + 5_000_000;
  const allArrive = (packets: number): void => {
    until(() => two.received >= packets, 20 * PACKETS * exchangeUs);
    expect({ waiting: one.waiting, received: two.received }).toEqual({ waiting: 0, received: packets });
    // The last answers.
    time.runFor(exchangeUs);
  };

  // A line that is not open, a modem that is not ready: nothing is taken.
  one.offer(PACKETS);
  time.runFor(5_000_000);
  expect({ closed: one.pulled }).toEqual({ closed: 0 });
  for (const station of [one, two]) station.open();
  allArrive(PACKETS);

  if (
    bench.without?.busy === undefined &&
    capabilities.channelAccess !== 'none' &&
    (capabilities.carrierSense !== 'none' || bench.waitingFrames)
  ) {
    let busy = true;
    const signal = medium.keyUp(STRANGER);
    const octet = (): void => {
      if (busy) time.at(signal.sendOctet(0x55), octet);
      else signal.keyDown();
    };
    octet();
    time.runFor(medium.octetsUs(1) + 3 * timing.carrierDetectUs + 100_000);
    const before = one.pulled;
    one.offer(PACKETS);
    time.runFor(timing.airtimeUs(64) + 500_000);
    // Where the modem contends it is given one frame, which waits in it.
    const inModem = capabilities.channelAccess === 'modem' ? (bench.waitingLimit ?? 1) : 0;
    expect(one.pulled - before, 'taken from the source of a busy channel').toBeLessThanOrEqual(inModem);
    expect(one.waiting).toBeGreaterThanOrEqual(PACKETS - inModem);
    busy = false;
    allArrive(2 * PACKETS);
  }

  // Gone in the middle: nothing more is taken until it is back.
  one.offer(PACKETS);
  const inUse = one.pulled;
  until(() => one.pulled > inUse, exchangeUs);
  void one.line.close();
  one.driver.lineLost();
  const gone = one.pulled;
  time.runFor(5_000_000);
  expect({ gone: one.pulled - gone }).toEqual({ gone: 0 });
  one.open();
  until(() => one.waiting === 0, (bench.readyWithinMs ?? DEFAULT_READY_MS) * 1000 + 20 * PACKETS * exchangeUs);
  expect(one.waiting).toBe(0);
}
