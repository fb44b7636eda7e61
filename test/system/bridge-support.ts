/** What the tests of whole bridges share: stations that are closed in the end, the command line, things awaited. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Arrival, RunReport } from '../../src/daemon/station-calls.js';
import { addressOf, Neighbourhood, type Station } from '../../src/daemon/stations.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const MAIN = `${ROOT}dist/src/cli/main.js`;
if (!existsSync(MAIN)) throw new Error('not compiled: run `npm run setup` first');

export const SINK = 9;
export const LOW_DELAY = 0x10;

/** Closed when `run` is done, whatever came of it. */
export async function withNeighbourhood<T>(run: (place: Neighbourhood) => Promise<T>): Promise<T> {
  const place = new Neighbourhood();
  try {
    return await run(place);
  } finally {
    await place.close();
  }
}

export interface Setting {
  /** MEDIUM.yaml without its stations. */
  readonly medium: string;
  readonly profile: string;
  readonly settings?: readonly string[];
  readonly args?: readonly string[];
}

export const RADIO: Setting = { medium: 'rateBps: 9600\nlineBaud: 19200', profile: 'radio-9600' };
/** Four times as fast, for what would take long. */
export const FAST_RADIO: Setting = {
  medium: 'rateBps: 38400\nlineBaud: 76800',
  profile: 'radio-9600',
  settings: ['air.rateBps=38400', 'line.baudRate=76800'],
};

/** Stations 1 and 2 with their bridges, and a receiver on each. */
export async function withPair<T>(
  { medium, profile, settings = [], args = [] }: Setting,
  run: (first: Station, second: Station, place: Neighbourhood) => Promise<T>,
): Promise<T> {
  return await withNeighbourhood(async (place) => {
    await place.startMedium(`${medium}\nstations:\n  - { id: 1 }\n  - { id: 2 }\n`, 1);
    const pair: Station[] = [];
    for (const number of [1, 2]) {
      const station = await place.open();
      await station.up({ number, profile, port: place.medium.port(number), settings, args });
      await station.call('receive', { port: SINK });
      pair.push(station);
    }
    const [first, second] = pair;
    if (first === undefined || second === undefined) throw new Error('two stations were opened');
    return await run(first, second, place);
  });
}

/** Sends so many datagrams at once, without waiting. */
export async function sendDatagrams(from: Station, to: number, stream: number, count: number): Promise<void> {
  await from.call('pace', {
    to: { address: addressOf(to), port: SINK },
    streams: [{ stream, typeOfService: 0 }],
    payloadBytes: 64,
    intervalUs: 1000,
    ticks: count,
  });
}

/** Waits until something holds; fails after a time that is generous for a busy machine. */
export async function eventually<T>(
  look: () => Promise<T>,
  holds: (seen: T) => boolean,
  what: string,
  limitMs = 40_000,
): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const seen = await look();
    if (holds(seen)) return seen;
    if (Date.now() > deadline) throw new Error(`timed out: ${what}; last seen ${JSON.stringify(seen)?.slice(0, 500)}`);
    await sleep(50);
  }
}

/** Waits for so many datagrams of a stream. */
export async function arrivals(station: Station, stream: number, count: number): Promise<readonly Arrival[]> {
  return await eventually(
    async () => (await station.call('received', { port: SINK })).filter((each) => each.stream === stream),
    (seen) => seen.length >= count,
    `${count} datagrams of stream ${stream}`,
  );
}

/** The command line, from this process's namespace: for commands that make no interface. */
export function sluice(args: readonly string[], timeoutMs = 60_000): Promise<RunReport> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    child.once('error', reject);
    child.once('close', (status, signal) => {
      clearTimeout(timer);
      resolve({ status, signal, stdout, stderr });
    });
  });
}

/** Any program inside a station's namespace. */
export async function inside(station: Station, program: string, ...args: string[]): Promise<RunReport> {
  return await station.call('run', { program, args, timeoutMs: 60_000 });
}

/** `sluice` inside a station's namespace. */
export async function sluiceInside(station: Station, ...args: string[]): Promise<RunReport> {
  return await inside(station, process.execPath, MAIN, ...args);
}

/** Output of a program that must not fail. */
export async function output(station: Station, program: string, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await inside(station, program, ...args);
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${status} ${stderr}`);
  return stdout;
}
