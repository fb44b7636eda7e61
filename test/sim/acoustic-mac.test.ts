/**
 * The production MAC on the acoustic drivers and their emulated modems, a kilometre of water between them: packets larger
 * than a frame, both ways, arrive once, whole and in order.
 */
import { describe, expect, it } from 'vitest';
import { DropCounters } from '../../src/base/drops.js';
import { seededRandom } from '../../src/base/random.js';
import { Mac } from '../../src/mac/mac.js';
import { mergeConfiguration, parseSetting } from '../../src/modem/configuration.js';
import { createDriver } from '../../src/modem/drivers/registry.js';
import { emulatorFactory } from '../../src/sim/emulators/registry.js';
import { Medium } from '../../src/sim/medium.js';
import { VirtualLine } from '../../src/sim/virtual-line.js';
import { VirtualTime } from '../../src/sim/virtual-time.js';

const PACKETS = 4;
const PACKET_BYTES = 120;

function run(profile: string, rateBps: number) {
  const time = new VirtualTime();
  const medium = new Medium({
    scheduler: time,
    random: seededRandom(1),
    rateBps,
    propagationMps: 1500,
    stations: [{ id: 1 }, { id: 2, position: [0, 500, 0] }],
  });
  const drops = new DropCounters();
  const delivered: Record<number, number[]> = { 1: [], 2: [] };
  for (const id of [1, 2]) {
    const line = new VirtualLine(`virtual-${id}`);
    const settings = [`interface.station=${id}`, 'interface.port=/dev/virtual', 'air.propagationUs=334000'];
    const configuration = mergeConfiguration({ profile, settings: settings.map(parseSetting) });
    const random = seededRandom(id);
    emulatorFactory(configuration.driver.kind)({
      scheduler: time,
      random,
      medium,
      station: id,
      port: line.port,
      settings: {},
    });
    const driver = createDriver(configuration, { scheduler: time, hostLatencyUs: 1000 });
    let pulled = 0;
    const mac = new Mac({
      station: id,
      phy: driver,
      scheduler: time,
      random,
      config: {
        linkFrames: true,
        fcsBytes: driver.capabilities.checksIntegrity ? 0 : 4,
        arq: true,
        maxRetries: 7,
        deadlineUs: 1e12,
      },
      source: {
        pull: () => {
          if (pulled === PACKETS) return null;
          const payload = new Uint8Array(PACKET_BYTES).fill(id);
          payload[0] = pulled++;
          return { destination: 3 - id, kind: 'ip', payload, priority: 0 };
        },
        idle: () => {},
      },
      observer: {
        drop: (cause) => drops.count(cause),
        deliver: ({ payload }) => {
          expect(payload.subarray(1)).toEqual(new Uint8Array(PACKET_BYTES - 1).fill(3 - id));
          delivered[id]?.push(payload[0] ?? -1);
        },
      },
    });
    line.openNow({ data: (octets) => driver.lineData(octets), lost: () => driver.lineLost() });
    driver.lineOpened(line);
    mac.demand();
  }
  const isDone = (): boolean => Object.values(delivered).every(({ length }) => length === PACKETS);
  for (let minute = 0; minute < 60 && !isDone(); minute++) time.runFor(60_000_000);
  return { delivered, drops, seconds: time.nowUs() / 1e6, collisions: medium.counts(1).collisions };
}

describe('the MAC on acoustic modems', () => {
  it.each([
    ['nanomodem-v3', 640],
    ['evologics-s2cr-im', 595],
    ['micromodem-fsk-80', 80],
    ['micromodem-psk-490', 490],
    ['micromodem2-fdp-1', 250],
    ['unetstack', 2400],
    ['popoto-640', 640],
    ['benthos-atm900-140', 140],
    ['benthos-atm900-2400', 2400],
  ])('%s', { timeout: 60_000 }, (profile, rateBps) => {
    const { delivered, drops, seconds, collisions } = run(profile, rateBps);
    const all = Array.from({ length: PACKETS }, (_, i) => i);
    const seen = { delivered, givenUp: drops.get('retry-limit') };
    expect(seen, `${seconds} s, ${collisions} collisions, ${JSON.stringify(drops)}`).toEqual({
      delivered: { 1: all, 2: all },
      givenUp: 0,
    });
  });
});
