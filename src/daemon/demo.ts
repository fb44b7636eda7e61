/**
 * The demonstration: stations on one emulated radio channel, each with a network namespace, a bridge and a program that
 * sends as fast as it may. Shows what the channel carries, how it is shared, and where the packets wait. No program
 * besides Node is needed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError } from '../base/errors.js';
import type { BackPressureMode } from '../flow/back-pressure.js';
import { jainIndex } from '../sim/saturation.js';
import type { MediumSummary } from '../sim/summary.js';
import { howToWatch, logFile, METRICS, makeLogFolder, missingPackages } from './demo-watching.js';
import type { Arrival, FloodReport, PingReport } from './station-calls.js';
import { monotonicUs } from './station-datagrams.js';
import { median, missing } from './station-figures.js';
import { addressOf, Neighbourhood, type Station } from './stations.js';
import { type BridgeStatus, ratio } from './status.js';

export interface DemoOptions {
  readonly stations: number;
  /** How long the traffic lasts. */
  readonly seconds: number;
  /** A folder for the stations' logs, made if it is missing. They go with the demonstration otherwise. */
  readonly logs?: string | undefined;
  /** Told what happens, a line at a time. */
  say(line: string): void;
  readonly signal: AbortSignal;
}

export interface DemoStation {
  readonly station: number;
  readonly sendsTo: number;
  /** UDP payload that arrived, bit/s. */
  readonly goodputBps: number;
  /** Of all stations' goodput. */
  readonly share: number;
  readonly received: number;
  /** Sequence numbers that never arrived although later ones did. */
  readonly missing: number;
  /** How often the sending program was held inside `send`, and for what part of the time. */
  readonly holds: number;
  readonly heldRatio: number;
  readonly attempts: number;
  readonly unacked: number;
  readonly backoffs: number;
  readonly contentionWindow: number;
  readonly busyRatio: number;
  readonly txRatio: number;
  readonly slotUs: number;
  readonly delayMs: BridgeStatus['mac']['delayMs'];
  readonly queuePackets: number;
  readonly tapDropped: number;
  readonly qdiscDropped: number;
  readonly drops: BridgeStatus['drops'];
}

export interface DemoPing {
  readonly sent: number;
  readonly lost: number;
  readonly medianMs: number | null;
  readonly maxMs: number | null;
}

export interface DemoResult {
  readonly profile: string;
  readonly rateBps: number;
  readonly mtuBytes: number;
  readonly seconds: number;
  readonly backPressure: { readonly mode: BackPressureMode; readonly reason: string };
  readonly stations: readonly DemoStation[];
  readonly total: {
    readonly goodputBps: number;
    /** Goodput of all stations / rate of the channel. */
    readonly channelShare: number;
    /** Jain's index of the stations' goodput: 1 is all alike. */
    readonly jain: number;
    readonly holds: number;
    /** By TAP devices and queueing disciplines. */
    readonly dropped: number;
    readonly missing: number;
  };
  readonly ping: { readonly typeOfService: number; readonly idle: DemoPing; readonly loaded: DemoPing };
  /** Share of the time in which two or more stations transmitted at once. */
  readonly collisionRatio: number | null;
}

const PROFILE = 'radio-9600';
const RATE_BPS = 9600;
const MTU_BYTES = 576;
const LINE_BAUD = 19_200;
/** Fills the MTU: IPv4 and UDP headers are 28 octets. */
const PAYLOAD_BYTES = MTU_BYTES - 28;
const SINK_PORT = 9;
const ECHO_PORT = 7;
/** "Low delay" of RFC 1349, which Linux's pfifo_fast and prio send first; what `ping -Q 0x10` sets. */
const LOW_DELAY = 0x10;
/** As `ping` does: 56 octets, 84 with headers. */
const PING_BYTES = 56;
const IDLE_PINGS = 4;
const IDLE_PING_INTERVAL_MS = 500;
const LOADED_PINGS = 4;
const LOADED_PING_INTERVAL_MS = 2000;
const PING_TIMEOUT_MS = 10_000;
const PROGRESS_MS = 5000;
/** Shorter than a bridge's own ten seconds, so that the report of a short demonstration has something to draw. */
const LOG_INTERVAL_S = 2;
/**
 * A program with a default send buffer would be held once and for minutes, since Linux wakes it only when half of its
 * 200 kB are gone. With this one it goes on after a few frames each time.
 */
const SEND_BUFFER_BYTES = 4096;

function mediumYaml(stations: number): string {
  const list = Array.from({ length: stations }, (_, index) => `  - { id: ${index + 1} }\n`).join('');
  return `rateBps: ${RATE_BPS}\nmodem: transparent\nlineBaud: ${LINE_BAUD}\nstations:\n${list}`;
}

/**
 * Takes about 20 s more than the traffic. Leaves nothing behind, whatever happens.
 * @throws SluiceError `usage` when there is no folder for the logs; `privilege` when namespaces or TAP devices may not be made; the signal's reason when aborted
 */
export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  if (options.logs !== undefined) makeLogFolder(options.logs);
  const place = new Neighbourhood();
  try {
    const demo = new Demo(place, options);
    const result = await demo.run();
    options.say('stopping the bridges and the channel');
    return { ...result, collisionRatio: collisionRatio(await place.close()) };
  } finally {
    await place.close();
  }
}

function collisionRatio(summary: MediumSummary | undefined): number | null {
  if (summary === undefined) return null;
  return ratio(summary.channel.collisionUs, summary.channel.busyUs);
}

/** What a station's counters were when the traffic began, and when it ended. */
interface Span {
  readonly before: BridgeStatus;
  readonly after: BridgeStatus;
  readonly flood: FloodReport;
  readonly arrivals: readonly Arrival[];
}

class Demo {
  readonly #place: Neighbourhood;
  readonly #options: DemoOptions;
  readonly #numbers: readonly number[];

  constructor(place: Neighbourhood, options: DemoOptions) {
    this.#place = place;
    this.#options = options;
    this.#numbers = Array.from({ length: options.stations }, (_, index) => index + 1);
  }

  async run(): Promise<Omit<DemoResult, 'collisionRatio'>> {
    const { say, signal, seconds } = this.#options;
    const frameMs = Math.round((8000 * (MTU_BYTES + 10)) / RATE_BPS);
    say(
      `one emulated radio channel of ${RATE_BPS} bit/s, one transmission at a time: a full packet takes ${frameMs} ms`,
    );
    await this.#place.startMedium(mediumYaml(this.#options.stations));
    signal.throwIfAborted();
    for (const number of this.#numbers) await this.#start(number);
    const { backPressure } = await this.#station(1).status();
    say(`packets wait in front of the interfaces: mode ${backPressure.mode}, ${backPressure.reason}`);
    const logs = { folder: this.#logs, kept: this.#options.logs !== undefined };
    for (const line of howToWatch(this.#station(1), this.#options.stations, logs, missingPackages())) say(line);

    say('ping from station 1 to station 2 while nobody else sends');
    const idle = await this.#ping(IDLE_PINGS, IDLE_PING_INTERVAL_MS);
    const span = await this.#traffic();
    const loaded = figures(span.ping);
    const stations = this.#numbers.map((number) => this.#figures(number, span.stations));
    const goodputBps = stations.reduce((sum, each) => sum + each.goodputBps, 0);
    return {
      profile: PROFILE,
      rateBps: RATE_BPS,
      mtuBytes: MTU_BYTES,
      seconds,
      backPressure: { mode: backPressure.mode, reason: backPressure.reason },
      stations: stations.map((each) => ({ ...each, share: ratio(each.goodputBps, goodputBps) })),
      total: {
        goodputBps: Math.round(goodputBps),
        channelShare: ratio(goodputBps, RATE_BPS),
        jain: ratio(jainIndex(stations.map((each) => each.goodputBps)), 1),
        holds: stations.reduce((sum, { holds }) => sum + holds, 0),
        dropped: stations.reduce((sum, { tapDropped, qdiscDropped }) => sum + tapDropped + qdiscDropped, 0),
        missing: stations.reduce((sum, each) => sum + each.missing, 0),
      },
      ping: { typeOfService: LOW_DELAY, idle: figures(idle), loaded },
    };
  }

  get #logs(): string {
    return this.#options.logs ?? this.#place.folder;
  }

  async #start(number: number): Promise<void> {
    const { say, signal } = this.#options;
    const station = await this.#place.open();
    signal.throwIfAborted();
    const ready = await station.up({
      number,
      profile: PROFILE,
      port: this.#place.medium.port(number),
      settings: [`air.rateBps=${RATE_BPS}`, `line.baudRate=${LINE_BAUD}`, `link.mtuBytes=${MTU_BYTES}`],
      args: ['--metrics', METRICS, '--log-file', logFile(this.#logs, number), '--log-interval', `${LOG_INTERVAL_S}`],
    });
    await station.call('echo', { port: ECHO_PORT, typeOfService: LOW_DELAY });
    await station.call('receive', { port: SINK_PORT });
    signal.throwIfAborted();
    const slotMs = Number(ready.slotUs) / 1000;
    say(
      `station ${number}: a network namespace of its own, in it the bridge with address ${addressOf(number)}; slot ${slotMs.toFixed(1)} ms`,
    );
  }

  #station(number: number): Station {
    const station = this.#place.stations[number - 1];
    if (station === undefined) throw new SluiceError('internal', `no station ${number}`);
    if (station.bridgeEnded !== undefined) throw new SluiceError('system', `the bridge of station ${number} has ended`);
    return station;
  }

  #next(number: number): number {
    return (number % this.#options.stations) + 1;
  }

  async #ping(count: number, intervalMs: number): Promise<PingReport> {
    const report = await this.#station(1).call('ping', {
      to: { address: addressOf(2), port: ECHO_PORT },
      typeOfService: LOW_DELAY,
      payloadBytes: PING_BYTES,
      intervalMs,
      timeoutMs: PING_TIMEOUT_MS,
      count,
    });
    this.#options.signal.throwIfAborted();
    return report;
  }

  /** Everybody floods the next one; at the end of it station 1 pings station 2, which takes turns from its data. */
  async #traffic(): Promise<{ stations: ReadonlyMap<number, Span>; ping: PingReport }> {
    const { say, signal, seconds } = this.#options;
    const before = await this.#all((station) => station.status());
    say(`now every station sends to the next one as fast as it is allowed to, for ${seconds} s`);
    const startUs = monotonicUs();
    await Promise.all(
      this.#numbers.map((number) =>
        this.#station(number).call('flood', {
          to: { address: addressOf(this.#next(number)), port: SINK_PORT },
          stream: number,
          typeOfService: 0,
          payloadBytes: PAYLOAD_BYTES,
          sendBufferBytes: SEND_BUFFER_BYTES,
        }),
      ),
    );
    for (let elapsedMs = 0; elapsedMs < 1000 * seconds; ) {
      const stepMs = Math.min(PROGRESS_MS, 1000 * seconds - elapsedMs);
      await sleep(stepMs, undefined, { signal });
      elapsedMs += stepMs;
      await this.#progress(elapsedMs);
    }
    const endUs = monotonicUs();
    const floods = await this.#all((station) => station.call('flooded', { stop: false }));
    const after = await this.#all((station) => station.status());
    const received = await this.#all((station) => station.call('received', { port: SINK_PORT }));
    say('ping from station 1 to station 2 while all of them go on sending');
    const ping = await this.#ping(LOADED_PINGS, LOADED_PING_INTERVAL_MS);
    await this.#all((station) => station.call('flooded', { stop: true }));
    const spans = new Map<number, Span>();
    for (const [index, number] of this.#numbers.entries()) {
      const [first, last, flood] = [before[index], after[index], floods[index]];
      const arrivals = received[this.#next(number) - 1];
      if (first === undefined || last === undefined || flood === undefined || arrivals === undefined) continue;
      spans.set(number, {
        before: first,
        after: last,
        flood,
        arrivals: arrivals.filter(({ stream, atUs }) => stream === number && atUs >= startUs && atUs <= endUs),
      });
    }
    return { stations: spans, ping };
  }

  async #progress(elapsedMs: number): Promise<void> {
    const statuses = await this.#all((station) => station.status());
    const waiting = statuses.map(({ backPressure }) => backPressure.qdisc.backlogPackets);
    const acked = statuses.map(({ mac }) => mac.acked);
    this.#options.say(
      `  ${(elapsedMs / 1000).toFixed(0).padStart(3)} s: packets carried so far ${acked.join(', ')}; waiting ${waiting.join(', ')}`,
    );
  }

  async #all<T>(ask: (station: Station) => Promise<T>): Promise<T[]> {
    return await Promise.all(this.#numbers.map((number) => ask(this.#station(number))));
  }

  #figures(number: number, spans: ReadonlyMap<number, Span>): DemoStation {
    const span = spans.get(number);
    if (span === undefined) throw new SluiceError('internal', `no figures of station ${number}`);
    const { before, after, flood, arrivals } = span;
    const octets = arrivals.reduce((sum, each) => sum + each.octets, 0);
    const spanMs = after.uptimeMs - before.uptimeMs;
    const during = (read: (status: BridgeStatus) => number): number =>
      ratio(read(after) * after.uptimeMs - read(before) * before.uptimeMs, spanMs);
    return {
      station: number,
      sendsTo: this.#next(number),
      goodputBps: Math.round((8 * octets) / this.#options.seconds),
      share: 0,
      received: arrivals.length,
      missing: missing(arrivals.map(({ sequence }) => sequence)),
      holds: flood.holds,
      heldRatio: ratio(flood.heldUs / 1000, spanMs),
      attempts: after.mac.attempts - before.mac.attempts,
      unacked: after.mac.unacked - before.mac.unacked,
      backoffs: after.mac.backoffs - before.mac.backoffs,
      contentionWindow: after.mac.contentionWindow,
      busyRatio: during(({ mac }) => mac.busyRatio),
      txRatio: during(({ mac }) => mac.txRatio),
      slotUs: after.mac.slotUs,
      delayMs: after.mac.delayMs,
      queuePackets: after.backPressure.qdisc.backlogPackets,
      tapDropped: after.backPressure.tapDropped - before.backPressure.tapDropped,
      qdiscDropped: after.backPressure.qdisc.dropped - before.backPressure.qdisc.dropped,
      drops: after.drops,
    };
  }
}

function figures({ sent, rttMs }: PingReport): DemoPing {
  const came = rttMs.filter((rtt) => rtt !== null);
  const round = (ms: number): number => Math.round(ms * 10) / 10;
  const middle = median(came);
  return {
    sent,
    lost: sent - came.length,
    medianMs: middle === null ? null : round(middle),
    maxMs: came.length === 0 ? null : round(Math.max(...came)),
  };
}
