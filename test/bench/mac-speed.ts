/** How fast the simulator is: two threads, each with a channel of its own, as a bench that uses both cores of a machine. */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { simulateSaturation } from '../../src/sim/saturation.js';
import { atLeast, FIRST_SEED, type MacRow, macRow } from './mac-rows.js';

const THREADS = 2;
const STATIONS = 1000;
const SLOT = 0.01;

interface Report {
  readonly receptions: number;
  readonly utilisation: number;
}

/** 1000 stations that all hear each other; broadcasts of another encapsulation, since link frames know 254 stations. */
function channel(seed: number): Report {
  const { receptions, utilisation } = simulateSaturation({
    stations: STATIONS - 1,
    a: SLOT,
    seed,
    durationFrames: 3000,
    config: { linkFrames: false, arq: false },
    modem: { capabilities: { checksIntegrity: true } },
  });
  return { receptions, utilisation };
}

async function inThread(seed: number): Promise<Report> {
  const worker = new Worker(new URL(import.meta.url), { workerData: { seed } });
  return await new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

export async function speedRow(): Promise<MacRow> {
  const startedMs = performance.now();
  const reports = await Promise.all(Array.from({ length: THREADS }, (_, index) => inThread(FIRST_SEED + index)));
  const seconds = (performance.now() - startedMs) / 1000;
  const receptions = reports.reduce((sum, report) => sum + report.receptions, 0);
  return macRow({
    measure: `simulation of ${STATIONS} stations that all hear each other, ${THREADS} threads`,
    ...atLeast(300_000, receptions / seconds),
    unit: 'receptions/s',
    stations: STATIONS,
    a: SLOT,
    utilisation: reports.reduce((sum, report) => sum + report.utilisation, 0) / THREADS,
    seeds: THREADS,
  });
}

if (!isMainThread) parentPort?.postMessage(channel((workerData as { readonly seed: number }).seed));
