/** How fast: efficiency on paced lines, octets per second where nothing paces, CPU a frame, and what an idle bridge costs. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { addressOf, Neighbourhood, type Station } from '../../src/daemon/stations.js';
import { bridgePid, sizeOf } from './faults.js';
import type { BenchRow } from './rows.js';

const SINK = 9;
const PAYLOAD_BYTES = 1472;
/** Start, eight data bits, stop: what the emulated air, with eight bits an octet, has to run slower by. */
const UART_BITS_SHARE = 0.8;
const IPERF_SECONDS = 10;
const COPY_BYTES = 65_536;
const IDLE_SECONDS = 20;
/** A start is over when V8 has collected what it left: twice, 13 to 17 s after it (--trace-gc), 100 ms of CPU together. */
const START_SECONDS = 20;
const METRICS_PORT = 9101;
/** prom-client looks at the event loop so often, and its figures include that. */
const LAG_RESOLUTION_MS = 10;
/** sysconf(_SC_CLK_TCK) of every Linux that Node runs on. */
const TICKS_PER_S = 100;

function row(measure: string, value: number | null, unit: string, target?: [text: string, met: boolean]): BenchRow {
  return { suite: 'bridge', measure, value, unit, target: target?.[0] ?? null, met: target?.[1] ?? null };
}

function cpuSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}

interface UnlimitedLine {
  readonly paths: readonly string[];
  close(): void;
}

/** Two ptys and socat between them, which copies octets as fast as they come. */
async function openUnlimitedLine(): Promise<UnlimitedLine> {
  const ends = ['pty,rawer', 'pty,rawer'];
  const socat = spawn('setpriv', ['--pdeathsig', 'KILL', 'socat', '-d', '-d', '-b', `${COPY_BYTES}`, ...ends], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const paths: string[] = [];
  for await (const line of createInterface({ input: socat.stderr })) {
    const path = /PTY is (\S+)$/.exec(line)?.[1];
    if (path !== undefined) paths.push(path);
    if (paths.length === ends.length) break;
  }
  if (paths.length < ends.length) throw new Error('socat made no ptys: is it installed? (apt install socat)');
  socat.stderr.resume();
  return { paths, close: () => socat.kill() };
}

async function efficiency(baud: number, seconds: number): Promise<BenchRow> {
  const place = new Neighbourhood();
  const rateBps = UART_BITS_SHARE * baud;
  try {
    await place.startMedium(
      `rateBps: ${rateBps}\nlineBaud: ${baud}\nduplex: full\nstations:\n  - { id: 1 }\n  - { id: 2 }\n`,
    );
    const settings = [`line.baudRate=${baud}`];
    const stations: Station[] = [];
    for (const number of [1, 2]) {
      const station = await place.open();
      await station.up({ number, profile: 'null-modem', port: place.medium.port(number), settings });
      stations.push(station);
    }
    const [sender, receiver] = stations;
    if (sender === undefined || receiver === undefined) throw new Error('no stations');
    await receiver.call('receive', { port: SINK });
    const before = await sender.status();
    await sender.call('flood', {
      to: { address: addressOf(2), port: SINK },
      stream: 1,
      typeOfService: 0,
      payloadBytes: PAYLOAD_BYTES,
    });
    await sleep(1000 * seconds);
    const after = await sender.status();
    await sender.call('flooded', { stop: true });
    const arrivals = await receiver.call('received', { port: SINK });
    // The first ones come while the line fills.
    const [first, last] = [arrivals[1], arrivals.at(-1)];
    const spanUs = (last?.atUs ?? 0) - (first?.atUs ?? 0);
    const perSecond = (1e6 * (arrivals.length - 2) * PAYLOAD_BYTES) / spanUs;
    // With framing, headers and the escapes that these very octets need.
    const frameBytes = (after.line.bytesOut - before.line.bytesOut) / (after.mac.attempts - before.mac.attempts);
    const share = perSecond / ((baud / 10) * (PAYLOAD_BYTES / frameBytes));
    return row(`line efficiency, one direction, ${baud} bit/s`, 100 * share, '%', ['>= 98', share >= 0.98]);
  } finally {
    await place.close();
  }
}

interface IperfReport {
  readonly error?: string;
  readonly end: {
    readonly sum_sent?: { readonly retransmits?: number };
    readonly sum_received?: { readonly bits_per_second: number; readonly lost_packets?: number };
  };
}

/** Octets copied from pty to pty as fast as they come. */
export async function speedRows(): Promise<readonly BenchRow[]> {
  const place = new Neighbourhood();
  const line = await openUnlimitedLine();
  try {
    const [sender, receiver] = [await place.open(), await place.open()];
    for (const [index, station] of [sender, receiver].entries()) {
      await station.up({
        number: index + 1,
        profile: 'null-modem',
        port: line.paths[index] ?? '',
        settings: ['air.pacing=line'],
        args: index === 0 ? ['--metrics', `${METRICS_PORT}`] : [],
      });
    }
    void receiver.call('run', { program: 'iperf3', args: ['-s'], timeoutMs: 600_000 }).catch(() => undefined);
    await sleep(1000);
    const pids = [bridgePid(sender), bridgePid(receiver)] as const;
    const iperf = async (name: string, args: readonly string[]): Promise<{ report: IperfReport; rows: BenchRow[] }> => {
      const cpu = pids.map(cpuSeconds);
      const before = await sender.status();
      const { stdout } = await sender.call('run', {
        program: 'iperf3',
        args: ['-c', addressOf(2), '-t', `${IPERF_SECONDS}`, '-J', ...args],
        timeoutMs: 60_000,
      });
      const after = await sender.status();
      const frames = after.mac.attempts - before.mac.attempts;
      const used = pids.map((pid, index) => (1e6 * (cpuSeconds(pid) - (cpu[index] ?? 0))) / frames);
      return {
        report: JSON.parse(stdout) as IperfReport,
        rows: [
          row(`${name}: CPU a frame, sending bridge`, used[0] ?? null, 'us'),
          row(`${name}: CPU a frame, receiving bridge`, used[1] ?? null, 'us'),
          row(`${name}: frames`, frames, ''),
        ],
      };
    };
    const tcp = await iperf('unlimited pty, TCP', []);
    const udp = await iperf('unlimited pty, UDP', ['-u', '-b', '0', '-l', `${PAYLOAD_BYTES}`]);
    const tcpMbps = (tcp.report.end.sum_received?.bits_per_second ?? 0) / 1e6;
    const udpMbps = (udp.report.end.sum_received?.bits_per_second ?? 0) / 1e6;
    const retransmits = tcp.report.end.sum_sent?.retransmits ?? -1;
    const { backPressure } = await sender.status();
    const script = `fetch('http://127.0.0.1:${METRICS_PORT}/metrics').then((r) => r.text()).then(console.log)`;
    const { stdout } = await sender.call('run', { program: process.execPath, args: ['-e', script], timeoutMs: 10_000 });
    const lag = /^nodejs_eventloop_lag_p99_seconds\S* (\S+)$/m.exec(stdout)?.[1];
    const lagMs = lag === undefined ? null : Math.max(0, 1000 * Number(lag) - LAG_RESOLUTION_MS);
    return [
      row('unlimited pty: TCP', tcpMbps, 'Mbit/s', ['>= 120', tcpMbps >= 120]),
      row('unlimited pty: TCP retransmissions', retransmits, '', ['0', retransmits === 0]),
      row('unlimited pty: UDP received', udpMbps, 'Mbit/s', ['>= 200', udpMbps >= 200]),
      row('unlimited pty: UDP lost at the receiver', udp.report.end.sum_received?.lost_packets ?? null, 'packets'),
      row('unlimited pty: dropped by the TAP', backPressure.tapDropped, '', ['0', backPressure.tapDropped === 0]),
      ...tcp.rows,
      ...udp.rows,
      row('sending bridge: event loop delay p99', lagMs, 'ms', ['<= 5', lagMs !== null && lagMs <= 5]),
    ];
  } finally {
    await place.close();
    line.close();
  }
}

export async function idleRows(): Promise<readonly BenchRow[]> {
  const place = new Neighbourhood();
  const line = await openUnlimitedLine();
  try {
    const station = await place.open();
    await station.up({ number: 1, profile: 'null-modem', port: line.paths[0] ?? '' });
    await sleep(1000 * START_SECONDS);
    const pid = bridgePid(station);
    const before = cpuSeconds(pid);
    await sleep(1000 * IDLE_SECONDS);
    const share = (cpuSeconds(pid) - before) / IDLE_SECONDS;
    const { rssMb } = sizeOf(pid);
    return [
      row('idle bridge: CPU', 100 * share, '% of a core', ['<= 0.5', share <= 0.005]),
      row('idle bridge: RSS', rssMb, 'MB', ['<= 80', rssMb <= 80]),
    ];
  } finally {
    await place.close();
    line.close();
  }
}

/** On lines that keep the pace of a UART. */
export async function efficiencyRows(): Promise<readonly BenchRow[]> {
  return [await efficiency(9600, 90), await efficiency(115_200, 20), await efficiency(921_600, 15)];
}
