/**
 * Every driver on a line to its modem that changes, loses, doubles and invents octets: nothing is thrown, nothing is told
 * twice or at the wrong time, and once the line is good again, frames pass. For a long run: SLUICE_NOISE_STEPS, SLUICE_NOISE_SEED.
 */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Random, seededRandom } from '../../src/base/random.js';
import type { DriverBench } from './driver-bench.js';
import { DriverRig, key, type RigStation } from './driver-rig.js';

const STEPS = Number(process.env.SLUICE_NOISE_STEPS ?? 200);
const SEED = Number(process.env.SLUICE_NOISE_SEED ?? 1);
const STEP_US = 200_000;
/** One piece of input in so many is harmed; one step in so many ends with a lost line. */
const HARM_EVERY = 12;
const LOSE_EVERY = 100;
const LONGEST_INVENTED = 300;
const LONGEST_FRAME = 64;
const DEFAULT_RECOVERY_MS = 10_000;
/** Frames of which one must arrive in the end: the air loses some all the same. */
const LAST_FRAMES = 20;

/** What a bad line makes of octets. `before`: what came last. */
function harmed(octets: Uint8Array, before: Uint8Array, random: Random): Uint8Array {
  const at = random.below(octets.length);
  const invented = Uint8Array.from({ length: random.below(LONGEST_INVENTED) }, () => random.below(256));
  switch (random.below(6)) {
    case 0:
      return octets.map((octet, i) => (i === at ? octet ^ (1 << random.below(8)) : octet));
    case 1:
      return Uint8Array.from([...octets.subarray(0, at), ...octets.subarray(at + 1 + random.below(8))]);
    case 2:
      return Uint8Array.from([...octets, ...octets.subarray(at)]);
    case 3:
      return Uint8Array.from([...octets.subarray(0, at), ...invented, ...octets.subarray(at)]);
    case 4:
      return Uint8Array.from([...octets, ...before]);
    default:
      // Text of chance.
      return invented.map((octet) => 0x20 + (octet % 0x5f));
  }
}

/** Puts itself between a driver and its line. */
class BadLine {
  harms = 0;
  isBad = true;
  #before: Uint8Array = new Uint8Array(0);

  constructor({ driver }: RigStation, random: Random) {
    const lineData = driver.lineData.bind(driver);
    driver.lineData = (octets) => {
      const isHarmed = this.isBad && octets.length > 0 && random.below(HARM_EVERY) === 0;
      const heard = isHarmed ? harmed(octets, this.#before, random) : octets;
      if (isHarmed) this.harms++;
      this.#before = octets.slice();
      lineData(heard);
    };
  }
}

/** @returns how often octets were harmed */
function suffer(bench: DriverBench): number {
  const { minFrameBytes = 1, lengthStep = 1, recoverWithinMs = DEFAULT_RECOVERY_MS, readyWithinMs = 0 } = bench;
  const random = seededRandom(SEED);
  const rig = new DriverRig(bench);
  const lines = rig.stations.map((station) => new BadLine(station, random));
  for (const station of rig.stations) station.open();
  const frameFor = ({ driver }: RigStation): Uint8Array => {
    const longest = Math.min(LONGEST_FRAME, driver.capabilities.maxFrameBytes);
    const lengths = Math.floor((longest - minFrameBytes) / lengthStep) + 1;
    return rig.frame(minFrameBytes + lengthStep * random.below(lengths));
  };
  for (let step = 0; step < STEPS; step++) {
    for (const station of rig.stations) if (station.ready && !station.pending) station.transmit(frameFor(station));
    rig.time.runFor(STEP_US);
    const unlucky = rig.stations[random.below(2)];
    if (random.below(LOSE_EVERY) !== 0 || unlucky === undefined) continue;
    unlucky.lose();
    unlucky.open();
  }
  for (const line of lines) line.isBad = false;
  const recoverUs = 1000 * Math.max(recoverWithinMs, readyWithinMs);
  const rests = (): boolean => rig.stations.every(({ ready, pending }) => ready && !pending);
  expect(rig.runUntil(rests, 2 * recoverUs + 60_000_000), 'comes to rest').toBe(true);
  const [first, second] = rig.stations;
  expect(passes(rig, first, second, recoverUs), 'a frame of the first passes').toBe(true);
  expect(passes(rig, second, first, recoverUs), 'a frame of the second passes').toBe(true);
  expect(rig.stations.flatMap(({ offences }) => offences)).toEqual([]);
  return lines.reduce((sum, { harms }) => sum + harms, 0);
}

function passes(rig: DriverRig, from: RigStation, to: RigStation, recoverUs: number): boolean {
  const { minFrameBytes = 1, lengthStep = 1 } = rig.bench;
  for (let frames = 0; frames < LAST_FRAMES; frames++) {
    rig.runUntil(() => from.ready && to.ready, recoverUs);
    const frame = rig.frame(minFrameBytes + 3 * lengthStep);
    rig.sendAll(from, [frame]);
    rig.settle();
    if (to.received.some((each) => key(each.frame) === key(frame))) return true;
  }
  return false;
}

const folder = new URL('./drivers/', import.meta.url);
const files = readdirSync(fileURLToPath(folder)).filter((name) => /^[a-z0-9-]+\.ts$/.test(name));
const modules = await Promise.all(files.sort().map((name) => import(new URL(name, folder).href)));
const benches = modules.flatMap((module: { benches?: readonly DriverBench[] }) => module.benches ?? []);

describe('a driver on a bad line', () => {
  it.each(benches.map((bench) => [bench.name, bench] as const))('%s: bears it, and goes on', (_, bench) => {
    expect(suffer(bench)).toBeGreaterThan(0);
  });
});
