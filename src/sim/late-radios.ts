/**
 * Saturated stations with the real transparent driver and its emulated radio, octet by octet, on hosts that are late: what
 * a machine with real bridges should show, in virtual time.
 */
import type { Scheduler } from '../base/clock.js';
import { type Random, seededRandom } from '../base/random.js';
import type { Contention } from '../mac/contention.js';
import { Mac } from '../mac/mac.js';
import type { MacConfig } from '../mac/ports.js';
import { mergeConfiguration, parseSetting } from '../modem/configuration.js';
import type { ModemDriver } from '../modem/driver.js';
import { createDriver } from '../modem/drivers/registry.js';
import type { Configuration } from '../modem/profile-schema.js';
import type { OutboundPacket } from '../wire/packet.js';
import { emulatorFactory } from './emulators/registry.js';
import { lateScheduler } from './late-host.js';
import { Medium } from './medium.js';
import { jainIndex } from './saturation.js';
import { VirtualLine } from './virtual-line.js';
import { VirtualTime } from './virtual-time.js';

const PROFILE = 'radio-9600';
const PACKET_BYTES = 576;
/** A host that does not stall is late by up to so much. */
const STEADY_US = 1000;
const CONFIG: MacConfig = { linkFrames: true, fcsBytes: 4, arq: true, maxRetries: 7, deadlineUs: 1e12 };

export interface LateRadiosOptions {
  readonly stations: number;
  /** So many of them, the first ones, send; the others listen. Default: all. */
  readonly senders?: number;
  /** Of the profile, as `--set` has them. */
  readonly settings?: readonly string[];
  /** What the hosts declare. */
  readonly hostLatencyUs: number;
  /** A host: how late what is due now will be, asked for each timer and each octet. */
  host(random: Random): (nowUs: number) => number;
  readonly seed: number;
  readonly durationUs: number;
  /** Not measured, at the start. */
  readonly warmUpUs?: number;
  /** What is told to the MAC, or how it follows from what the driver is told. */
  readonly config?: Partial<MacConfig> | ((configuration: Configuration, driver: ModemDriver) => MacConfig);
  readonly contention?: () => Contention;
}

export interface LateRadiosResult {
  /** IP octets that arrived, of what the channel could carry if it carried nothing else. */
  readonly utilisation: number;
  readonly jain: number;
  readonly unackedShare: number;
  readonly slotUs: number;
}

/** Late by a draw of up to so much, each time. */
export function unsteadyHost(upToUs: number): LateRadiosOptions['host'] {
  return (random) => () => random.below(upToUs + 1);
}

/** Stands still now and then, for as long as it has other work; then everything that was due comes at once. */
export function stallingHost(stallsPerS: number, meanStallUs: number): LateRadiosOptions['host'] {
  return (random) => {
    const drawUs = (meanUs: number): number => -Math.log(1 - random.unit()) * meanUs;
    let startUs = drawUs(1e6 / stallsPerS);
    let endUs = startUs + drawUs(meanStallUs);
    return (nowUs) => {
      while (nowUs >= endUs) {
        startUs = endUs + drawUs(1e6 / stallsPerS);
        endUs = startUs + drawUs(meanStallUs);
      }
      return nowUs < startUs ? random.below(STEADY_US) : Math.ceil(endUs - nowUs);
    };
  };
}

/** Everybody who sends floods the next one with packets of 576 octets. */
export function simulateLateRadios(options: LateRadiosOptions): LateRadiosResult {
  const { stations, hostLatencyUs, seed, durationUs, warmUpUs = 0, senders = stations, contention } = options;
  const time = new VirtualTime();
  const ids = Array.from({ length: stations }, (_, index) => index + 1);
  const configurationOf = (id: number): ReturnType<typeof mergeConfiguration> => {
    const settings = [`interface.station=${id}`, 'interface.port=/dev/virtual', ...(options.settings ?? [])];
    return mergeConfiguration({ profile: PROFILE, settings: settings.map(parseSetting) });
  };
  const rateBps = Number(configurationOf(1).air.rateBps);
  const medium = new Medium({
    scheduler: time,
    random: seededRandom(seed),
    rateBps,
    stations: ids.map((id) => ({ id })),
  });
  const delivered = new Map(ids.map((id) => [id, 0]));
  const macs = ids.map((id) => {
    const random = seededRandom(seed * 100 + id);
    const lateUs = options.host(random);
    const host = ticking(lateScheduler(time, (dueUs) => lateUs(dueUs)));
    const line = new VirtualLine(`virtual-${id}`);
    const configuration = configurationOf(id);
    emulatorFactory('transparent')({
      scheduler: time,
      random,
      medium,
      station: id,
      port: line.port,
      settings: { lineBaud: configuration.line.baudRate },
    });
    const driver = createDriver(configuration, { scheduler: host, hostLatencyUs });
    // Any octets: some of them are escaped on the air.
    const contents = seededRandom(seed * 100 + id + 0x10000);
    const packet = (): OutboundPacket => ({
      destination: (id % stations) + 1,
      kind: 'ip',
      payload: Uint8Array.from({ length: PACKET_BYTES }, () => contents.below(256)),
      priority: 0,
    });
    const mac = new Mac({
      station: id,
      phy: driver,
      scheduler: host,
      random,
      config:
        typeof options.config === 'function' ? options.config(configuration, driver) : { ...CONFIG, ...options.config },
      source: { pull: () => (id > senders ? null : packet()), idle: () => {} },
      observer: {
        drop: () => {},
        deliver: ({ source }) => {
          if (time.nowUs() >= warmUpUs) delivered.set(source, (delivered.get(source) ?? 0) + 1);
        },
      },
      ...(contention === undefined ? {} : { contention }),
    });
    // Octets, too, reach a late host late, and in order.
    let readUs = 0;
    line.openNow({
      data: (octets) => {
        const copy = octets.slice();
        readUs = Math.max(readUs, time.nowUs() + lateUs(time.nowUs()));
        time.at(readUs, () => driver.lineData(copy));
      },
      lost: () => driver.lineLost(),
    });
    driver.lineOpened(line);
    return mac;
  });
  time.runFor(warmUpUs + durationUs);
  const counts = [...delivered.values()].slice(0, senders);
  const packets = counts.reduce((sum, count) => sum + count, 0);
  const attempts = macs.reduce((sum, mac) => sum + mac.counters.attempts, 0);
  const unacked = macs.reduce((sum, mac) => sum + mac.counters.unacked, 0);
  return {
    utilisation: (packets * PACKET_BYTES * 8e6) / rateBps / durationUs,
    jain: jainIndex(counts),
    unackedShare: unacked / attempts,
    slotUs: macs[0]?.timing.slotUs ?? 0,
  };
}

/** A clock that goes on within one turn, as a real one does. */
function ticking(scheduler: Scheduler): Scheduler {
  let turnUs = -1;
  let ticksUs = 0;
  return {
    nowUs: () => {
      const nowUs = scheduler.nowUs();
      ticksUs = nowUs === turnUs ? ticksUs + 5 : 0;
      turnUs = nowUs;
      return nowUs + ticksUs;
    },
    at: (atUs, callback) => scheduler.at(atUs, callback),
  };
}
