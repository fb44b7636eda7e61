/**
 * The suite `bridge`: real TAP devices, real sockets, the real daemon, over emulated modems that keep the pace of the air.
 * Each station has a network namespace of its own. Takes about an hour; other load on the machine shows.
 */
import { spawn } from 'node:child_process';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { FloodResult } from '../system/back-pressure-scenarios.js';
import { kissOctets } from './bridge-octets.js';
import { flood, loadedPing, type Measured, priorities, type Seen, sharedChannel } from './bridge-scenarios.js';
import { cutRows, unplugRows } from './faults.js';
import { fuzzRows } from './fuzz.js';
import { observingRows } from './observing.js';
import { hangRows, restartRows } from './restart.js';
import type { BenchChoice, BenchRow, Say } from './rows.js';
import { efficiencyRows, idleRows, speedRows } from './speed.js';

const GRANT_SAMPLES = 2500;

function row(measure: string, value: number | null, unit: string, target?: [text: string, met: boolean]): BenchRow {
  return { suite: 'bridge', measure, value, unit, target: target?.[0] ?? null, met: target?.[1] ?? null };
}

type Measure = (say: Say, times?: number) => Promise<readonly BenchRow[]>;

const PARTS: Readonly<Record<string, Measure>> = {
  grant: grantRows,
  octets: octetRows,
  flood: floodRows,
  priorities: priorityRows,
  ping: pingRows,
  shared: sharedRows,
  efficiency: efficiencyRows,
  speed: speedRows,
  idle: idleRows,
  observing: observingRows,
  restart: restartRows,
  hang: hangRows,
  unplug: unplugRows,
  cut: cutRows,
  fuzz: fuzzRows,
};

export const BRIDGE_PARTS: readonly string[] = Object.keys(PARTS);

/** Runs the part chosen, or all of them in turn. */
export async function runBridgeBench(say: Say, { part, times }: BenchChoice): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const [name, measure] of Object.entries(PARTS)) {
    if (part !== undefined && part !== name) continue;
    const loadBefore = loadavg()[0] ?? 0;
    say(`${name} ... (load average ${loadBefore.toFixed(1)})`);
    const found = await measure(say, times);
    const load = Math.max(loadBefore, loadavg()[0] ?? 0);
    rows.push(...found, row(`${name}: load average of the machine`, load, ''));
    for (const { measure: what, value, unit, target, met } of found) {
      say(`  ${what}: ${value} ${unit}${target === null ? '' : ` (${target}: ${met === true ? 'met' : 'MISSED'})`}`);
    }
  }
  return rows;
}

/** What makes figures comparable: how late this machine was, and what the MAC made of it. */
function hostRows(name: string, seen: readonly Seen[]): BenchRow[] {
  return [
    row(
      `${name}: host latency that the stations measured, highest`,
      Math.max(...seen.map(({ hostLatencyUs }) => hostLatencyUs)),
      'us',
    ),
    row(`${name}: slot, longest`, Math.max(...seen.map(({ slotUs }) => slotUs)), 'us'),
    row(
      `${name}: attempts not acknowledged / attempts, all stations`,
      ratioOf(
        seen.reduce((sum, { unacked }) => sum + unacked, 0),
        seen.reduce((sum, { attempts }) => sum + attempts, 0),
      ),
      '',
    ),
  ];
}

function ratioOf(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function zero(measure: string, value: number, unit: string): BenchRow {
  return row(measure, value, unit, ['0', value === 0]);
}

async function floodRows(): Promise<BenchRow[]> {
  // With a default send buffer Linux lets a UDP sender go on only when half of its 200 kB are gone, which takes 40 s
  // here: the rate of the sender needs a small one.
  const small = await flood({ seconds: 30, sendBufferBytes: 4096 });
  const plain = await flood({ seconds: 30 });
  const rows = (name: string, { tapDropped, qdiscDropped, missing, duplicates }: Measured): BenchRow[] => [
    zero(`${name}: dropped by the TAP`, tapDropped, 'packets'),
    zero(`${name}: dropped by the qdisc`, qdiscDropped, 'packets'),
    zero(`${name}: gaps in the sequence at the receiver`, missing, 'packets'),
    zero(`${name}: duplicates at the receiver`, duplicates, 'packets'),
  ];
  const deviation = Math.abs(small.sentPerS / small.receivedPerS - 1);
  return [
    ...rows('flood 30 s, 9600 bit/s', plain),
    ...rows('flood 30 s, 9600 bit/s, send buffer 8 kB', small),
    row("flood: sender's rate against goodput, deviation", 100 * deviation, '%', ['<= 2', deviation <= 0.02]),
    row('flood: goodput (UDP payload)', small.goodputBps, 'bit/s'),
    row('flood: sender held back, share of the time', 100 * plain.heldRatio, '%'),
    row('flood: accepted from the sender and neither received nor waiting at the end', plain.unaccounted, 'packets', [
      // One may be on the air, or acknowledged and not yet seen.
      '<= 1',
      plain.unaccounted <= 1 && plain.unaccounted >= 0,
    ]),
    ...hostRows('flood', [...small.seen, ...plain.seen]),
  ];
}

async function priorityRows(): Promise<BenchRow[]> {
  const held = await priorities({ seconds: 40, mode: 'auto' });
  const stock = await priorities({ seconds: 40, mode: 'none', capacityPerS: held.capacityPerS });
  return [
    row('priority: high-priority packets that arrived', 100 * held.highShare, '%', ['>= 99', held.highShare >= 0.99]),
    row('priority: low-priority packets that arrived', 100 * held.lowShare, '%'),
    row('priority: both together, of what the channel carries', 100 * held.carriedShare, '%', [
      '>= 95 (low gets what is left)',
      held.carriedShare >= 0.95,
    ]),
    row('priority, stock kernel (no back pressure, ring 10): high-priority that arrived', 100 * stock.highShare, '%'),
    row('priority, stock kernel: dropped by the TAP', stock.tapDropped, 'packets'),
    zero('priority: dropped by TAP and qdisc', held.tapDropped + held.qdiscDropped, 'packets'),
    ...hostRows('priority', held.seen),
  ];
}

async function pingRows(): Promise<BenchRow[]> {
  const { idle, loaded, airtimeMs, seen } = await loadedPing({ seconds: 30 });
  const limitMs = (idle.medianMs ?? 0) + 2 * airtimeMs;
  const met = loaded.medianMs !== null && loaded.medianMs <= limitMs;
  return [
    row('ping, 38400 bit/s, idle: median', idle.medianMs, 'ms'),
    row('ping, UDP offered at twice the rate: median', loaded.medianMs, 'ms', [
      `<= ${limitMs.toFixed(0)} (idle + 2 MTU airtimes)`,
      met,
    ]),
    row('ping, UDP offered at twice the rate: longest', loaded.maxMs, 'ms'),
    zero('ping, UDP offered at twice the rate: lost', loaded.lost, `of ${loaded.sent}`),
    ...hostRows('ping', seen),
  ];
}

async function sharedRows(): Promise<BenchRow[]> {
  const { channelShare, jain, leastShare, leastPackets, collisionRatio, missing, seen } = await sharedChannel({
    stations: 3,
    seconds: 95,
  });
  return [
    row('three saturated stations, 9600 bit/s: sum of goodput (UDP payload) / channel', 100 * channelShare, '%', [
      '>= 70',
      channelShare >= 0.7,
    ]),
    row('three saturated stations: Jain', jain, '', ['>= 0.9', jain >= 0.9]),
    row('three saturated stations: least packets of any in any 30 s', leastPackets, 'packets', [
      '> 0 (nobody starved)',
      leastPackets > 0,
    ]),
    row('three saturated stations: least share of any in any 30 s, of its fair one', 100 * leastShare, '%'),
    row('three saturated stations: collisions, of the busy time', 100 * (collisionRatio ?? 0), '%'),
    row('three saturated stations: packets missing', missing, 'packets'),
    ...hostRows('three saturated stations', seen),
  ];
}

/** In a process that does nothing else. */
async function grantRows(): Promise<BenchRow[]> {
  const result = await grantSamples();
  const { p50 = null, p99 = null, max = null, samples = 0 } = result.latencyUs ?? {};
  return [
    row('grant (netlink change, kick, frame readable): p50', p50, 'us', ['<= 60', p50 !== null && p50 <= 60]),
    row('grant: p99', p99, 'us', ['<= 1000', p99 !== null && p99 <= 1000]),
    row('grant: longest', max, 'us'),
    row('grant: samples', samples, ''),
  ];
}

function grantSamples(): Promise<FloodResult> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('./bridge-grant.js', import.meta.url)), String(GRANT_SAMPLES)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => {
      if (status === 0) resolve(JSON.parse(text) as FloodResult);
      else reject(new Error(`bridge-grant.js ended with exit code ${status}`));
    });
  });
}

async function octetRows(): Promise<BenchRow[]> {
  const { lineOctets, airOctets, escapes } = await kissOctets(20);
  return [
    row('octets of the link frame for 20 octets of UDP payload (IPv4, unicast, KISS)', airOctets, 'octets', [
      '<= 56 (20 + 28 + 8)',
      airOctets <= 56,
    ]),
    row('the same on the KISS line, framing included', lineOctets, 'octets', [
      `<= ${59 + escapes} (56 + FEND, command, FEND, ${escapes} escapes)`,
      lineOctets <= 59 + escapes,
    ]),
  ];
}
