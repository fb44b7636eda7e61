/**
 * The production MAC on LoRa modules behind commands and on XBee, with their emulated modems: packets larger than a frame,
 * both ways at once, arrive once, whole and in order; and a lone sender gets most of the air.
 */
import { describe, expect, it } from 'vitest';
import { DropCounters } from '../../src/base/drops.js';
import { seededRandom } from '../../src/base/random.js';
import { macConfig } from '../../src/daemon/mac-config.js';
import { Mac } from '../../src/mac/mac.js';
import { mergeConfiguration, parseSetting } from '../../src/modem/configuration.js';
import { createDriver } from '../../src/modem/drivers/registry.js';
import { emulatorFactory } from '../../src/sim/emulators/registry.js';
import { Medium } from '../../src/sim/medium.js';
import { VirtualLine } from '../../src/sim/virtual-line.js';
import { VirtualTime } from '../../src/sim/virtual-time.js';

const PACKETS = 20;
const PACKET_BYTES = 250;

function run(profile: string, rateBps: number, senders: readonly number[]) {
  const time = new VirtualTime();
  const medium = new Medium({
    scheduler: time,
    random: seededRandom(1),
    rateBps,
    stations: [{ id: 1 }, { id: 2, position: [0, 500, 0] }],
  });
  const drops = new DropCounters();
  const delivered = new Map<number, number[]>(senders.map((id) => [id, []]));
  let startUs = -1;
  for (const id of medium.stations) {
    const line = new VirtualLine(`virtual-${id}`);
    const settings = [`interface.station=${id}`, 'interface.port=/dev/virtual', 'link.maxRetries=15'];
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
      config: { ...macConfig(configuration, driver), deadlineUs: 1e12 },
      source: {
        pull: () => {
          if (!senders.includes(id) || pulled === PACKETS) return null;
          if (startUs < 0) startUs = time.nowUs();
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
          delivered.get(3 - id)?.push(payload[0] ?? -1);
        },
      },
    });
    line.openNow({ data: (octets) => driver.lineData(octets), lost: () => driver.lineLost() });
    driver.lineOpened(line);
    mac.demand();
  }
  const isDone = (): boolean => [...delivered.values()].every(({ length }) => length === PACKETS);
  for (let step = 0; step < 36_000 && !isDone(); step++) time.runFor(100_000);
  const elapsedUs = time.nowUs() - startUs;
  const share = medium.counts(1).airtimeUs / elapsedUs;
  return { delivered, drops, elapsedUs, share, collisions: medium.counts(1).collisions };
}

/** Profile, rate, and the least share of the time that a lone sender is on the air: slow lines and dialogues take the rest. */
const MODEMS = [
  ['rylr998-sf9', 1758, 0.75],
  ['rn2483-sf7', 5469, 0.6],
  ['rak3172-sf7', 5469, 0.65],
  ['wio-e5-sf7', 5469, 0.25],
  ['xbee-s2c-802154', 250_000, 0.01],
  ['xbee-digimesh-24', 250_000, 0.01],
] as const;
const ALL = Array.from({ length: PACKETS }, (_, i) => i);

describe('the MAC on modems behind commands', () => {
  it.each(MODEMS)('%s: both ways at once', { timeout: 60_000 }, (profile, rateBps) => {
    const { delivered, drops, elapsedUs, collisions } = run(profile, rateBps, [1, 2]);
    const about = `${elapsedUs / 1e6} s, ${collisions} collisions, ${JSON.stringify(drops)}`;
    expect(Object.fromEntries(delivered), about).toEqual({ 1: ALL, 2: ALL });
    expect(drops.get('retry-limit')).toBe(0);
  });

  it.each(MODEMS)('%s: one way', { timeout: 60_000 }, (profile, rateBps, leastShare) => {
    const { delivered, drops, share } = run(profile, rateBps, [1]);
    expect(Object.fromEntries(delivered)).toEqual({ 1: ALL });
    expect(share).toBeGreaterThan(leastShare);
    expect(drops.get('retry-limit')).toBe(0);
  });
});
