/**
 * Random and mutated octet streams through each decoder and through the whole way of reception (driver, MAC,
 * decapsulation): no exception, memory bounded, and every octet accounted for. A process for each, two at a time where
 * there are two processors.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { FUZZED, type FuzzLine, type FuzzResult, WORKER } from './fuzz-worker.js';
import type { BenchRow, Say } from './rows.js';

const STREAMS = 10_000_000;
const AT_A_TIME = Math.min(2, availableParallelism());
/** Of each of 254 stations the MAC keeps the last frame, and with it the piece of 16 kB that it was cut from: 4.2 MB. */
const GROWN_MAX_BYTES = 5_000_000;
const RSS_MAX_MB = 150;
/** Otherwise RSS tells of garbage that V8 has no reason to collect: 150 MB and more, of which 16 MB are in use. */
const YOUNG_GENERATION = '--max-semi-space-size=1';

/** @throws when the process ends before it has a result, with the exit code; its own words are on stderr */
async function fuzz(name: string, streams: number, say: Say): Promise<FuzzResult> {
  const args = ['--expose-gc', YOUNG_GENERATION, WORKER, name, String(streams)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  let result: FuzzResult | undefined;
  for await (const text of createInterface(child.stdout)) {
    const line = JSON.parse(text) as FuzzLine;
    if ('result' in line) result = line.result;
    else say(`  ${name}: ${line.done} of ${streams}`);
  }
  const [code] = await ended;
  if (result === undefined) throw new Error(`fuzz of ${name} ended with exit code ${code}`);
  return result;
}

function rowsOf(name: string, streams: number, result: FuzzResult): BenchRow[] {
  const { wrong, frames, octets, grownBytes, rssBytes } = result;
  const row = (measure: string, value: number, unit: string, target: [string, boolean] | null): BenchRow => ({
    suite: 'bridge',
    measure: `fuzz of ${name}: ${measure}`,
    value,
    unit,
    target: target?.[0] ?? null,
    met: target?.[1] ?? null,
  });
  const rssMb = rssBytes / 1e6;
  return [
    row(`${streams} streams, octets not accounted for or frames that are none`, wrong, '', ['0', wrong === 0]),
    row('octets', octets, '', null),
    row('frames found', frames, '', ['> 0', frames > 0]),
    row('memory more than after a tenth', grownBytes / 1e6, 'MB', [
      `<= ${GROWN_MAX_BYTES / 1e6}`,
      grownBytes <= GROWN_MAX_BYTES,
    ]),
    row('RSS at the most', rssMb, 'MB', [`<= ${RSS_MAX_MB}`, rssMb <= RSS_MAX_MB]),
  ];
}

export async function fuzzRows(say: Say, streams = STREAMS): Promise<readonly BenchRow[]> {
  const waiting = [...FUZZED];
  const found = new Map<string, BenchRow[]>();
  const worker = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const result = await fuzz(name, streams, say);
      found.set(name, rowsOf(name, streams, result));
      say(`  ${name}: ${result.octets} octets, ${result.frames} frames, ${result.wrong} not accounted for`);
      for (const [what, octets] of Object.entries(result.octetsBy ?? {})) say(`  ${name}: ${octets} octets: ${what}`);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  return FUZZED.flatMap((name) => found.get(name) ?? []);
}
