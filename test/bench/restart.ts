/**
 * Restarts and a hang under load, as rows of the suite `bridge`. Run as a program of its own, in a network namespace of
 * its own, it prints them as JSON.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { unshareNetwork } from '../../src/native/descriptors.js';
import { Daemon, Modem, Sender } from '../system/daemon-support.js';
import { ManagedDaemon } from '../system/managed-daemon.js';
import { nextTurns, until } from '../system/native-support.js';
import type { BenchRow, Say } from './rows.js';

const RESTARTS = 20;
const PACKETS_A_RESTART = 40;
const STOPPED_MS = 20_000;

function row(measure: string, value: number, unit: string, met: boolean | null, target: string | null): BenchRow {
  return { suite: 'bridge', measure, value, unit, target, met };
}

/** By a kill, the packet in hand may be lost, and nothing else. */
async function restarts(signal: 'term' | 'kill', times: number): Promise<BenchRow[]> {
  const modem = new Modem();
  const settings = ['line.baudRate=115200', 'backPressure.mode=gate'];
  const managed = new ManagedDaemon({ modem, name: 'bench0', settings });
  try {
    await managed.ready(1);
    const sender = new Sender();
    for (let i = 1; i <= times; i++) {
      sender.sendMany(PACKETS_A_RESTART);
      const target = modem.numbers().length + PACKETS_A_RESTART / 4;
      await until(() => modem.numbers().length >= target, 'packets', 60_000);
      managed.tell(signal);
      await managed.exited(i);
      managed.tell('start');
      await managed.ready(i + 1);
      // The queue must not grow from restart to restart.
      await until(() => (modem.numbers().at(-1) ?? 0) >= sender.next - PACKETS_A_RESTART / 2, 'the queue', 60_000);
    }
    await until(() => modem.numbers().at(-1) === sender.next - 1, 'the last packet', 60_000);
    sender.close();
    const numbers = modem.numbers();
    const lost = sender.next - new Set(numbers).size;
    const twice = numbers.length - new Set(numbers).size;
    const what = `restart under load (SIG${signal.toUpperCase()}) with a stored queue, ${times} times`;
    const allowed = signal === 'term' ? 0 : times;
    return [
      row(`${what}: sent`, sender.next, 'packets', null, null),
      row(`${what}: lost`, lost, 'packets', lost <= allowed, `<= ${allowed}`),
      row(`${what}: duplicated`, twice, 'packets', twice === 0, '0'),
    ];
  } finally {
    await managed.end();
    modem.close();
  }
}

async function hang(): Promise<BenchRow[]> {
  const modem = new Modem();
  const settings = ['line.baudRate=115200', 'backPressure.mode=gate'];
  const daemon = await Daemon.start({ modem, name: 'bench1', settings });
  try {
    const sender = new Sender(65_536);
    sender.flood(3000);
    await until(() => modem.numbers().length >= 20, 'packets', 60_000);
    daemon.signal('SIGSTOP');
    await nextTurns(STOPPED_MS);
    const before = modem.numbers().length;
    const atMs = Date.now();
    daemon.signal('SIGCONT');
    await until(() => modem.numbers().length > before, 'the first packet', 60_000);
    const resumedMs = Date.now() - atMs;
    await until(() => modem.numbers().at(-1) === sender.next - 1, 'the last packet', 120_000);
    const { backPressure } = await daemon.status();
    const lost = sender.next - new Set(modem.numbers()).size;
    const what = `stopped for ${STOPPED_MS / 1000} s under load`;
    return [
      row(`${what}: packets lost`, lost, 'packets', lost === 0, '0'),
      row(`${what}: dropped by ring and qdisc`, backPressure.tapDropped + backPressure.qdisc.dropped, '', null, null),
      row(`${what}: from SIGCONT to the next packet`, resumedMs, 'ms', null, null),
    ];
  } finally {
    await daemon.kill();
    modem.close();
  }
}

/** In a process of its own. */
export function restartRows(_: Say, times = RESTARTS): Promise<readonly BenchRow[]> {
  return inOwnProcess(String(times));
}

export function hangRows(): Promise<readonly BenchRow[]> {
  return inOwnProcess('hang');
}

function inOwnProcess(what: string): Promise<readonly BenchRow[]> {
  const { stdout, stderr, status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), what], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${what}: ${stderr}`);
  const rows: BenchRow[] = JSON.parse(stdout);
  return Promise.resolve(rows);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  unshareNetwork();
  const what = process.argv[2] ?? 'hang';
  const rows =
    what === 'hang'
      ? await hang()
      : [...(await restarts('term', Number(what))), ...(await restarts('kill', Number(what)))];
  process.stdout.write(JSON.stringify(rows));
}
