/** A thousand pulled plugs and a thousand cut connections under load: nothing crashes, hangs or grows. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { addressOf, Neighbourhood, type Station } from '../../src/daemon/stations.js';
import { connect, Plug } from '../system/line-support.js';
import type { BenchRow, Say } from './rows.js';

const CYCLES = 1000;
const SINK = 9;
const PORT = 4001;
const SETTINGS = ['air.pacing=line'];
/** A line that is not back after so long is stuck; the longest pause between attempts is five seconds. */
const STUCK_MS = 15_000;
/** What V8 may keep without a leak. */
const RSS_SLACK_MB = 10;
/** Cycles before the first look: V8's heap and compiled code have their size by then (seen: 90 MB, 117 MB, and no more). */
const WARM_UP_CYCLES = 300;
const SAY_EVERY = 100;
const LOOKS = 10;
const LOOK_MS = 50;
const CUTTER = fileURLToPath(new URL('../system/tcp-cutter.js', import.meta.url));

/** The process of a station's bridge, by its control socket. */
export function bridgePid(station: Station): number {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, 'latin1').split('\0');
      if (words.includes('up') && words.includes(station.control)) return Number(name);
    } catch {
      // It has ended meanwhile.
    }
  }
  throw new Error('the bridge does not run');
}

export function sizeOf(pid: number): { fds: number; rssMb: number } {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]);
  return { fds: readdirSync(`/proc/${pid}/fd`).length, rssMb: (pages * 4096) / 1e6 };
}

/**
 * The greatest or the least of several looks: a line that is open, or a port that is being closed, or a question to the
 * daemon has a descriptor, and has none a moment later.
 */
async function sizeOver(pid: number, which: 'greatest' | 'least'): Promise<{ fds: number; rssMb: number }> {
  const choose = which === 'greatest' ? Math.max : Math.min;
  let chosen = sizeOf(pid);
  for (let looks = 0; looks < LOOKS; looks++) {
    await sleep(LOOK_MS);
    const { fds, rssMb } = sizeOf(pid);
    chosen = { fds: choose(fds, chosen.fds), rssMb: choose(rssMb, chosen.rssMb) };
  }
  return chosen;
}

interface Cycled {
  readonly done: number;
  readonly stuck: number;
  readonly crashed: boolean;
  readonly fdsGrown: number;
  readonly rssGrownMb: number;
}

async function comesBack(station: Station, reopens: number): Promise<boolean> {
  const deadline = Date.now() + STUCK_MS;
  while (Date.now() < deadline) {
    const { line } = await station.status();
    if (line.state === 'open' && line.reopens >= reopens) return true;
    await sleep(20);
  }
  return false;
}

const load = (station: Station, seconds: number): Promise<unknown> =>
  station.call('pace', {
    to: { address: addressOf(2), port: SINK },
    streams: [{ stream: 1, typeOfService: 0 }],
    payloadBytes: 1000,
    intervalUs: 2000,
    ticks: seconds * 500,
  });

async function cycled(
  station: Station,
  cycles: number,
  say: Say,
  cycle: (n: number) => Promise<boolean>,
): Promise<Cycled> {
  const pid = bridgePid(station);
  let before = sizeOf(pid);
  let done = 0;
  let stuck = 0;
  void load(station, cycles).catch(() => undefined);
  for (let n = 1; n <= cycles && stuck === 0 && station.bridgeEnded === undefined; n++) {
    if (await cycle(n)) done++;
    else stuck++;
    if (n % SAY_EVERY === 0) say(`  ${n} of ${cycles}: ${JSON.stringify(sizeOf(pid))}`);
    if (n === Math.min(WARM_UP_CYCLES, cycles)) before = await sizeOver(pid, 'greatest');
  }
  const crashed = station.bridgeEnded !== undefined;
  const after = crashed ? before : await sizeOver(pid, 'least');
  return { done, stuck, crashed, fdsGrown: after.fds - before.fds, rssGrownMb: after.rssMb - before.rssMb };
}

/** The port of a bridge is pulled out and plugged in again, in mid-frame, its peer at the other end all the time. */
async function unplugCycles(cycles: number, say: Say): Promise<Cycled> {
  const place = new Neighbourhood();
  const plugs = [new Plug(place.folder, 'left'), new Plug(place.folder, 'right')] as const;
  const [left, right] = plugs;
  try {
    connect(left, right);
    for (const plug of plugs) plug.plugIn();
    const [sender, receiver] = [await place.open(), await place.open()];
    await sender.up({ number: 1, profile: 'null-modem', port: left.link, settings: SETTINGS });
    await receiver.up({ number: 2, profile: 'null-modem', port: right.link, settings: SETTINGS });
    return await cycled(sender, cycles, say, async (n) => {
      await sleep(20 + (n % 30));
      left.unplug();
      await sleep(n % 10);
      left.plugIn();
      return await comesBack(sender, n);
    });
  } finally {
    await place.close();
    for (const plug of plugs) plug.unplug();
  }
}

/** The connection of a bridge is cut, by a reset and by an end in turn. */
async function tcpCuts(cycles: number, say: Say): Promise<Cycled> {
  const place = new Neighbourhood();
  try {
    const station = await place.open();
    const args = [CUTTER, `${PORT}`, `${cycles}`, '50'];
    void station.call('run', { program: process.execPath, args, timeoutMs: 3_600_000 }).catch(() => undefined);
    await sleep(1500);
    await station.up({ number: 1, profile: 'null-modem', port: `tcp://127.0.0.1:${PORT}`, settings: SETTINGS });
    return await cycled(station, cycles, say, (n) => comesBack(station, n));
  } finally {
    await place.close();
  }
}

function rows(what: string, { done, stuck, crashed, fdsGrown, rssGrownMb }: Cycled, cycles: number): BenchRow[] {
  const row = (measure: string, value: number, unit: string, target: string, met: boolean): BenchRow => ({
    suite: 'bridge',
    measure: `${what}: ${measure}`,
    value,
    unit,
    target,
    met,
  });
  return [
    row('came back', done, 'times', `${cycles}`, done === cycles),
    row('crashes and stuck states', stuck + (crashed ? 1 : 0), '', '0', stuck === 0 && !crashed),
    row('descriptors more than after the warm-up', fdsGrown, '', '<= 0', fdsGrown <= 0),
    row('RSS more than after the warm-up', rssGrownMb, 'MB', `<= ${RSS_SLACK_MB}`, rssGrownMb <= RSS_SLACK_MB),
  ];
}

export async function unplugRows(say: Say, cycles = CYCLES): Promise<readonly BenchRow[]> {
  return rows('unplug and replug under load', await unplugCycles(cycles, say), cycles);
}

export async function cutRows(say: Say, cycles = CYCLES): Promise<readonly BenchRow[]> {
  return rows('TCP line cut under load', await tcpCuts(cycles, say), cycles);
}
