/**
 * The production MAC on the real transparent driver and its emulated radio, octet by octet, with hosts that are late: the
 * channel is shared evenly and mostly used, as the frame-level simulations say.
 */
import { describe, expect, it } from 'vitest';
import type { Scheduler } from '../../src/base/clock.js';
import { seededRandom } from '../../src/base/random.js';
import { Mac } from '../../src/mac/mac.js';
import { mergeConfiguration, parseSetting } from '../../src/modem/configuration.js';
import { createDriver } from '../../src/modem/drivers/registry.js';
import { emulatorFactory } from '../../src/sim/emulators/registry.js';
import { lateScheduler } from '../../src/sim/late-host.js';
import { Medium } from '../../src/sim/medium.js';
import { jainIndex } from '../../src/sim/saturation.js';
import { VirtualLine } from '../../src/sim/virtual-line.js';
import { VirtualTime } from '../../src/sim/virtual-time.js';

const PACKET_BYTES = 576;
const RATE_BPS = 9600;

interface Shared {
  readonly utilisation: number;
  readonly jain: number;
  readonly unackedShare: number;
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

/** Saturated stations for five minutes; hosts declare `hostLatencyUs` and are late by up to `latenessUs`. */
function run(stations: number, hostLatencyUs: number, latenessUs: number, seed: number): Shared {
  const time = new VirtualTime();
  const ids = Array.from({ length: stations }, (_, index) => index + 1);
  const medium = new Medium({
    scheduler: time,
    random: seededRandom(seed),
    rateBps: RATE_BPS,
    stations: ids.map((id) => ({ id })),
  });
  const delivered = new Map(ids.map((id) => [id, 0]));
  const macs = ids.map((id) => {
    const random = seededRandom(seed * 100 + id);
    const host = ticking(lateScheduler(time, () => random.below(latenessUs + 1)));
    const line = new VirtualLine(`virtual-${id}`);
    const settings = [`interface.station=${id}`, 'interface.port=/dev/virtual'].map(parseSetting);
    const configuration = mergeConfiguration({ profile: 'radio-9600', settings });
    emulatorFactory('transparent')({
      scheduler: time,
      random,
      medium,
      station: id,
      port: line.port,
      settings: { lineBaud: configuration.line.baudRate },
    });
    const driver = createDriver(configuration, { scheduler: host, hostLatencyUs });
    const payload = new Uint8Array(PACKET_BYTES).fill(0x45);
    const mac = new Mac({
      station: id,
      phy: driver,
      scheduler: host,
      random,
      config: { linkFrames: true, fcsBytes: 4, arq: true, maxRetries: 7, deadlineUs: 1e12 },
      source: { pull: () => ({ destination: (id % stations) + 1, kind: 'ip', payload, priority: 0 }), idle: () => {} },
      observer: {
        drop: () => {},
        deliver: ({ source }) => void delivered.set(source, (delivered.get(source) ?? 0) + 1),
      },
    });
    // Octets, too, reach a late host late, and in order.
    let readUs = 0;
    line.openNow({
      data: (octets) => {
        const copy = octets.slice();
        readUs = Math.max(readUs, time.nowUs() + random.below(latenessUs + 1));
        time.at(readUs, () => driver.lineData(copy));
      },
      lost: () => driver.lineLost(),
    });
    driver.lineOpened(line);
    return mac;
  });
  const durationUs = 300e6;
  time.runFor(durationUs);
  const counts = [...delivered.values()];
  const packets = counts.reduce((sum, count) => sum + count, 0);
  const attempts = macs.reduce((sum, mac) => sum + mac.counters.attempts, 0);
  const unacked = macs.reduce((sum, mac) => sum + mac.counters.unacked, 0);
  return {
    utilisation: (packets * PACKET_BYTES * 8e6) / RATE_BPS / durationUs,
    jain: jainIndex(counts),
    unackedShare: unacked / attempts,
  };
}

describe('saturated transparent radios', () => {
  it.each([
    [3, 2_000, 0],
    [3, 2_000, 1_000],
    [3, 16_000, 2_000],
    [5, 4_000, 2_000],
  ])('%i stations, hosts that declare %i us and are late by up to %i us', (stations, hostLatencyUs, latenessUs) => {
    const shared = run(stations, hostLatencyUs, latenessUs, 7);
    expect(shared.jain).toBeGreaterThan(0.95);
    expect(shared.utilisation).toBeGreaterThan(0.8);
    expect(shared.unackedShare).toBeLessThan(0.25);
  });
});
