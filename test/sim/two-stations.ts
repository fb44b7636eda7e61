/** Two stations half a kilometre apart, each the production MAC on a driver and its emulated modem, send packets to each other. */
import { expect } from 'vitest';
import { DropCounters } from '../../src/base/drops.js';
import { seededRandom } from '../../src/base/random.js';
import { Mac } from '../../src/mac/mac.js';
import type { MacConfig } from '../../src/mac/ports.js';
import { mergeConfiguration, parseSetting } from '../../src/modem/configuration.js';
import type { ModemDriver } from '../../src/modem/driver.js';
import { createDriver } from '../../src/modem/drivers/registry.js';
import type { Configuration } from '../../src/modem/profile-schema.js';
import { emulatorFactory } from '../../src/sim/emulators/registry.js';
import { Medium, type MediumOptions } from '../../src/sim/medium.js';
import { VirtualLine } from '../../src/sim/virtual-line.js';
import { VirtualTime } from '../../src/sim/virtual-time.js';

const STEP_US = 100_000;
const STEPS_MAX = 36_000;
/** What comes twice, or is given up though it arrived, shows by then. */
const AFTERWARDS_US = 60_000_000;

export interface TwoStationsOptions {
  readonly profile: string;
  readonly settings: readonly string[];
  readonly medium: Pick<MediumOptions, 'rateBps' | 'propagationMps'>;
  readonly senders: readonly number[];
  /** Of each sender; the first octet is the packet's number. */
  readonly packets: number;
  readonly packetBytes: number;
  config(configuration: Configuration, driver: ModemDriver): MacConfig;
}

export interface TwoStationsReport {
  /** Numbers of the packets that arrived, by sender. */
  readonly delivered: Readonly<Record<number, readonly number[]>>;
  readonly drops: DropCounters;
  /** Of the time from the first packet pulled to the last one delivered, what the first station was on the air. */
  readonly share: number;
  /** Time and collisions, for messages. */
  readonly about: string;
}

export function runTwoStations(options: TwoStationsOptions): TwoStationsReport {
  const { profile, senders, packets, packetBytes } = options;
  const time = new VirtualTime();
  const stations = [{ id: 1 }, { id: 2, position: [0, 500, 0] as const }];
  const medium = new Medium({ scheduler: time, random: seededRandom(1), ...options.medium, stations });
  const drops = new DropCounters();
  const delivered: Record<number, number[]> = Object.fromEntries(senders.map((id) => [id, []]));
  let startUs = -1;
  for (const id of medium.stations) {
    const line = new VirtualLine(`virtual-${id}`);
    const settings = [`interface.station=${id}`, 'interface.port=/dev/virtual', ...options.settings];
    const configuration = mergeConfiguration({ profile, settings: settings.map(parseSetting) });
    const random = seededRandom(id);
    const context = { scheduler: time, random, medium, station: id, port: line.port };
    emulatorFactory(configuration.driver.kind)({ ...context, settings: {} });
    const driver = createDriver(configuration, { scheduler: time, hostLatencyUs: 1000 });
    let pulled = 0;
    const mac = new Mac({
      station: id,
      phy: driver,
      scheduler: time,
      random,
      config: options.config(configuration, driver),
      source: {
        pull: () => {
          if (!senders.includes(id) || pulled === packets) return null;
          if (startUs < 0) startUs = time.nowUs();
          const payload = new Uint8Array(packetBytes).fill(id);
          payload[0] = pulled++;
          return { destination: 3 - id, kind: 'ip', payload, priority: 0 };
        },
        idle: () => {},
      },
      observer: {
        drop: (cause) => drops.count(cause),
        deliver: ({ payload }) => {
          expect(payload.subarray(1)).toEqual(new Uint8Array(packetBytes - 1).fill(3 - id));
          delivered[3 - id]?.push(payload[0] ?? -1);
        },
      },
    });
    line.openNow({ data: (octets) => driver.lineData(octets), lost: () => driver.lineLost() });
    driver.lineOpened(line);
    mac.demand();
  }
  const isDone = (): boolean => Object.values(delivered).every(({ length }) => length === packets);
  for (let step = 0; step < STEPS_MAX && !isDone(); step++) time.runFor(STEP_US);
  const elapsedUs = time.nowUs() - startUs;
  const share = medium.counts(1).airtimeUs / elapsedUs;
  time.runFor(AFTERWARDS_US);
  const about = `${elapsedUs / 1e6} s, ${medium.counts(1).collisions} collisions, ${JSON.stringify(drops)}`;
  return { delivered, drops, share, about };
}
