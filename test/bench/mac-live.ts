/**
 * Real bridges on an emulated medium, each in a network namespace, beside what virtual time says of the same. Needs root;
 * the machine's own load is in these figures.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { commonHostLatencyUs } from '../../src/daemon/host-latency.js';
import { addressOf, Neighbourhood } from '../../src/daemon/stations.js';
import { simulateLateRadios, unsteadyHost } from '../../src/sim/late-radios.js';
import { sharedChannel } from './bridge-scenarios.js';
import { atLeast, estimate, type MacRow, macRow, seedsOf } from './mac-rows.js';
import type { Say } from './rows.js';

const RATE_BPS = 9600;
const MTU_BYTES = 576;
/** IPv4 and UDP headers, which the receiving program does not see. */
const HEADERS_BYTES = 28;
const SECONDS = 60;
/** From a cold start, all at once. */
const SETTLE_SECONDS = 15;
const TCP_SECONDS = 40;
const IPERF_PATIENCE_MS = 240_000;
/** Little to drain at the end. */
const TCP_WINDOW = '8K';
const NOISE = 0.1;
const LIVE = { seed: null, seeds: 1 } as const;

export async function liveRows(say: Say): Promise<MacRow[]> {
  if (process.getuid?.() !== 0) {
    say('live rows left out: they need root');
    return [];
  }
  const rows: MacRow[] = [];
  for (const stations of [5, 10]) rows.push(...(await sharedRows(stations, say)));
  rows.push(await tcpRow(say));
  return rows;
}

async function sharedRows(stations: number, say: Say): Promise<MacRow[]> {
  const hostLatencyUs = commonHostLatencyUs((8e6 * MTU_BYTES) / RATE_BPS);
  const predictions = seedsOf((seed) =>
    simulateLateRadios({
      stations,
      hostLatencyUs,
      host: unsteadyHost(1500),
      seed,
      durationUs: 1e6 * SECONDS,
      warmUpUs: 1e6 * SETTLE_SECONDS,
      config: { aggregate: true },
    }),
  );
  const predicted = estimate(predictions.map(({ utilisation }) => utilisation)).mean;
  const { channelShare, jain, missing, seen } = await sharedChannel({
    stations,
    seconds: SECONDS,
    settleSeconds: SETTLE_SECONDS,
  });
  // As IP counts it.
  const utilisation = (channelShare * MTU_BYTES) / (MTU_BYTES - HEADERS_BYTES);
  const attempts = seen.reduce((sum, each) => sum + each.attempts, 0);
  const unacked = seen.reduce((sum, each) => sum + each.unacked, 0);
  say(
    `${stations} bridges: ${utilisation.toFixed(3)} of the channel, virtual time ${predicted.toFixed(3)}, ` +
      `Jain ${jain.toFixed(3)}, ${unacked} of ${attempts} attempts unacknowledged, ${missing} packets missing`,
  );
  const name = `${stations} real bridges, ${RATE_BPS} bit/s, MTU ${MTU_BYTES}, a minute`;
  const cell = { ...LIVE, stations, a: (seen[0]?.slotUs ?? 0) / ((8e6 * MTU_BYTES) / RATE_BPS), utilisation, jain };
  return [
    macRow({ ...cell, measure: `${name}: goodput (IP)`, ...atLeast(0.88, utilisation), unit: 'of the channel' }),
    macRow({
      ...cell,
      measure: `${name}: goodput, beside virtual time`,
      value: utilisation / predicted,
      target: '0.95 to 1.05, or better',
      met: utilisation >= 0.95 * predicted,
      unit: 'of the prediction',
    }),
    macRow({ ...cell, measure: `${name}: Jain`, ...atLeast(0.95, jain), unit: '' }),
  ];
}

async function tcpRow(say: Say): Promise<MacRow> {
  const clean = await tcpBps(0);
  const noisy = await tcpBps(NOISE);
  say(`TCP: ${Math.round(clean)} bit/s, with ${100 * NOISE} % of the frames spoiled ${Math.round(noisy)} bit/s`);
  return macRow({
    ...LIVE,
    measure: `TCP (iperf3) over ${100 * NOISE} % frame errors, ${RATE_BPS} bit/s, live`,
    ...atLeast(0.75, noisy / clean),
    unit: 'of its goodput without',
    stations: 2,
  });
}

/** What one TCP connection carries between two bridges. */
async function tcpBps(noiseFer: number): Promise<number> {
  const place = new Neighbourhood();
  const lineBaud = 2 * RATE_BPS;
  try {
    const stations = '  - { id: 1 }\n  - { id: 2 }\n';
    await place.startMedium(
      `rateBps: ${RATE_BPS}\nlineBaud: ${lineBaud}\nnoiseFer: ${noiseFer}\nstations:\n${stations}`,
      1,
    );
    const [sender, receiver] = [await place.open(), await place.open()];
    for (const [index, station] of [sender, receiver].entries()) {
      await station.up({
        number: index + 1,
        profile: 'radio-9600',
        port: place.medium.port(index + 1),
        settings: [`line.baudRate=${lineBaud}`, `link.mtuBytes=${MTU_BYTES}`],
      });
    }
    void receiver.call('run', { program: 'iperf3', args: ['-s', '-1'], timeoutMs: IPERF_PATIENCE_MS }).catch(() => {});
    await sleep(1000);
    const { stdout } = await sender.call('run', {
      program: 'iperf3',
      args: ['-c', addressOf(2), '-t', `${TCP_SECONDS}`, '-w', TCP_WINDOW, '-J'],
      timeoutMs: IPERF_PATIENCE_MS,
    });
    const report = JSON.parse(stdout) as { end: { sum_received?: { bits_per_second: number } } };
    return report.end.sum_received?.bits_per_second ?? 0;
  } finally {
    await place.close();
  }
}
