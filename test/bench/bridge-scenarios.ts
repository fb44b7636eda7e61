/** The traffic of the suite `bridge`, and what is counted of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Arrival, PingReport } from '../../src/daemon/station-calls.js';
import { monotonicUs } from '../../src/daemon/station-datagrams.js';
import { duplicates, median, missing, windows } from '../../src/daemon/station-figures.js';
import { addressOf, INTERFACE, Neighbourhood, type Station } from '../../src/daemon/stations.js';
import { jainIndex } from '../../src/sim/saturation.js';

const PROFILE = 'radio-9600';
const RATE_BPS = 9600;
const FAST_BPS = 38_400;
const MTU_BYTES = 576;
/** IPv4 and UDP headers. */
const HEADERS_BYTES = 28;
/** Link header and FCS, SLIP's two ENDs: what an MTU costs on the air beside itself. */
const AROUND_BYTES = 10;
const SINK = 9;
const ECHO = 7;
const LOW_DELAY = 0x10;
const LOW = 1;
const HIGH = 2;
/** Small enough that forty seconds at 9600 bit/s carry some two hundred packets. */
const PAIR_PAYLOAD_BYTES = 200;
const SMALL_SEND_BUFFER_BYTES = 4096;
/** The ring with which the stock kernel was measured; its default of 500 would only fill in minutes. */
const STOCK_RING_PACKETS = 10;
const DRAIN_MS = 15_000;
const WINDOW_US = 30_000_000;
/** A sender that pauses for longer was held back. */
const HELD_US = 50_000;

/** What a station says of itself after a run. */
export interface Seen {
  readonly hostLatencyUs: number;
  readonly slotUs: number;
  readonly attempts: number;
  readonly unacked: number;
}

interface StartOptions {
  readonly stations: number;
  readonly rateBps: number;
  readonly settings?: readonly string[];
}

/** Radios on one channel, a bridge behind each; closed in the end, whatever happens. */
async function withStations<T>(
  options: StartOptions,
  run: (stations: readonly Station[], place: Neighbourhood) => Promise<T>,
): Promise<T> {
  const place = new Neighbourhood();
  const lineBaud = 2 * options.rateBps;
  const list = Array.from({ length: options.stations }, (_, index) => `  - { id: ${index + 1} }\n`).join('');
  try {
    await place.startMedium(`rateBps: ${options.rateBps}\nlineBaud: ${lineBaud}\nstations:\n${list}`);
    for (let number = 1; number <= options.stations; number++) {
      const station = await place.open();
      await station.up({
        number,
        profile: PROFILE,
        port: place.medium.port(number),
        settings: [
          ...[`air.rateBps=${options.rateBps}`, `line.baudRate=${lineBaud}`, `link.mtuBytes=${MTU_BYTES}`],
          ...(options.settings ?? []),
          ...(process.env.SLUICE_BENCH_SETTINGS?.split(' ') ?? []),
        ],
      });
      await station.call('receive', { port: SINK });
      await station.call('echo', { port: ECHO, typeOfService: LOW_DELAY });
    }
    return await run(place.stations, place);
  } finally {
    await place.close();
  }
}

function at(stations: readonly Station[], number: number): Station {
  const station = stations[number - 1];
  if (station === undefined) throw new Error(`no station ${number}`);
  return station;
}

async function seenOf(station: Station): Promise<Seen> {
  const { mac } = await station.status();
  const ready = station.log.find(({ event }) => event === 'ready');
  return {
    hostLatencyUs: Number(ready?.measuredLatencyUs ?? 0),
    slotUs: mac.slotUs,
    attempts: mac.attempts,
    unacked: mac.unacked,
  };
}

function payloadBps(arrivals: readonly Arrival[], seconds: number): number {
  return (8 * arrivals.reduce((sum, { octets }) => sum + octets, 0)) / seconds;
}

/** Of events at these times, as many as happen in a second. */
function perSecond(timesUs: readonly number[]): number {
  const [first, last] = [timesUs[0], timesUs.at(-1)];
  return first === undefined || last === undefined || last === first
    ? 0
    : (1e6 * (timesUs.length - 1)) / (last - first);
}

export interface Measured {
  readonly tapDropped: number;
  readonly qdiscDropped: number;
  readonly missing: number;
  readonly duplicates: number;
  readonly seen: readonly Seen[];
}

export interface FloodMeasured extends Measured {
  readonly goodputBps: number;
  readonly sentPerS: number;
  readonly receivedPerS: number;
  readonly heldRatio: number;
  readonly unaccounted: number;
}

/** One blocking sender, station 1 to station 2. */
export async function flood(options: { seconds: number; sendBufferBytes?: number }): Promise<FloodMeasured> {
  return await withStations({ stations: 2, rateBps: RATE_BPS }, async (stations) => {
    const [sender, receiver] = [at(stations, 1), at(stations, 2)];
    const startUs = monotonicUs();
    await sender.call('flood', {
      to: { address: addressOf(2), port: SINK },
      stream: LOW,
      typeOfService: 0,
      payloadBytes: MTU_BYTES - HEADERS_BYTES,
      ...(options.sendBufferBytes === undefined ? {} : { sendBufferBytes: options.sendBufferBytes }),
    });
    await sleep(1000 * options.seconds);
    const report = await sender.call('flooded', { stop: true });
    const { backPressure } = await sender.status();
    const endUs = monotonicUs();
    // The packet in hand at this moment is not in the queue any more.
    await sleep(2000);
    const arrivals = await receiver.call('received', { port: SINK });
    const within = arrivals.filter(({ atUs }) => atUs <= endUs);
    const bursts = burstsOf(report.sentAtUs);
    const sequences = arrivals.map(({ sequence }) => sequence);
    const left = (await sender.status()).backPressure.qdisc.backlogPackets;
    return {
      tapDropped: backPressure.tapDropped,
      qdiscDropped: backPressure.qdisc.dropped,
      missing: missing(sequences),
      duplicates: duplicates(sequences),
      goodputBps: payloadBps(within, (endUs - startUs) / 1e6),
      sentPerS: bursts.perSecond,
      receivedPerS: perSecond(
        within.map(({ atUs }) => atUs).filter((atUs) => atUs >= bursts.firstUs && atUs <= bursts.lastUs),
      ),
      heldRatio: report.heldUs / (endUs - startUs),
      unaccounted: report.sent - arrivals.length - left,
      seen: await Promise.all(stations.map(seenOf)),
    };
  });
}

/**
 * A sender sends in bursts, each time it is let go, and small packets arrive together in one frame: their rate is counted
 * from the start of a burst to that of another.
 */
function burstsOf(sentAtUs: readonly number[]): { perSecond: number; firstUs: number; lastUs: number } {
  const starts = sentAtUs.flatMap((atUs, index) =>
    index > 0 && atUs - (sentAtUs[index - 1] ?? 0) > HELD_US ? [index] : [],
  );
  const [first, last] = [starts[0], starts.at(-1)];
  if (first === undefined || last === undefined || first === last) return { perSecond: 0, firstUs: 0, lastUs: 0 };
  const [firstUs, lastUs] = [sentAtUs[first] ?? 0, sentAtUs[last] ?? 0];
  return { perSecond: (1e6 * (last - first)) / (lastUs - firstUs), firstUs, lastUs };
}

/** What one station gets through alone, packets of that size a second, once it has settled. */
async function capacityPerS(sender: Station, receiver: Station, payloadBytes: number): Promise<number> {
  const order = { to: { address: addressOf(2), port: SINK }, stream: 0, typeOfService: 0, payloadBytes };
  await sender.call('flood', { ...order, sendBufferBytes: SMALL_SEND_BUFFER_BYTES });
  await sleep(12_000);
  await sender.call('flooded', { stop: true });
  await sleep(4000);
  const times = (await receiver.call('received', { port: SINK })).map(({ atUs }) => atUs);
  return burstsOf(times.slice(times.length >> 1)).perSecond;
}

export interface PrioritiesMeasured extends Measured {
  readonly highShare: number;
  readonly lowShare: number;
  readonly capacityPerS: number;
  /** Both classes' packets that arrived / what the channel could have carried in that time. */
  readonly carriedShare: number;
}

/** Pairs of packets, the low one first, each class at 0.9 of what the channel carries; the senders never wait. */
export async function priorities(options: {
  seconds: number;
  mode: 'auto' | 'none';
  /** Measured first when left out, which needs back pressure. */
  capacityPerS?: number;
}): Promise<PrioritiesMeasured> {
  const settings = [`backPressure.mode=${options.mode}`];
  return await withStations({ stations: 2, rateBps: RATE_BPS, settings }, async (stations) => {
    const [sender, receiver] = [at(stations, 1), at(stations, 2)];
    const capacity = options.capacityPerS ?? (await capacityPerS(sender, receiver, PAIR_PAYLOAD_BYTES));
    if (options.mode === 'none') await sender.call('queueLength', { name: INTERFACE, packets: STOCK_RING_PACKETS });
    const before = await sender.status();
    const startUs = monotonicUs();
    const { streams } = await sender.call('pace', {
      to: { address: addressOf(2), port: SINK },
      streams: [
        { stream: LOW, typeOfService: 0 },
        { stream: HIGH, typeOfService: LOW_DELAY },
      ],
      payloadBytes: PAIR_PAYLOAD_BYTES,
      intervalUs: Math.round(1e6 / (0.9 * capacity)),
      ticks: Math.floor(0.9 * capacity * options.seconds),
    });
    const endUs = monotonicUs();
    await sleep(DRAIN_MS);
    const arrivals = await receiver.call('received', { port: SINK });
    const after = await sender.status();
    const arrived = (stream: number): readonly Arrival[] => arrivals.filter((each) => each.stream === stream);
    const offered = (stream: number): number => streams.find((each) => each.stream === stream)?.offered ?? 0;
    const distinct = (stream: number): number => new Set(arrived(stream).map(({ sequence }) => sequence)).size;
    const settledUs = startUs + (endUs - startUs) / 4;
    const during = arrivals
      .filter(({ stream, atUs }) => stream > 0 && atUs > settledUs && atUs <= endUs)
      .map(({ atUs }) => atUs);
    return {
      capacityPerS: capacity,
      highShare: distinct(HIGH) / offered(HIGH),
      lowShare: distinct(LOW) / offered(LOW),
      carriedShare: burstsOf(during).perSecond / capacity,
      tapDropped: after.backPressure.tapDropped - before.backPressure.tapDropped,
      qdiscDropped: after.backPressure.qdisc.dropped - before.backPressure.qdisc.dropped,
      missing: missing(arrived(HIGH).map(({ sequence }) => sequence)),
      duplicates: duplicates(arrived(HIGH).map(({ sequence }) => sequence)),
      seen: await Promise.all(stations.map(seenOf)),
    };
  });
}

export interface PingFigures {
  readonly sent: number;
  readonly lost: number;
  readonly medianMs: number | null;
  readonly maxMs: number | null;
}

function pingFigures({ sent, rttMs }: PingReport): PingFigures {
  const came = rttMs.filter((rtt) => rtt !== null);
  return {
    sent,
    lost: sent - came.length,
    medianMs: median(came),
    maxMs: came.length === 0 ? null : Math.max(...came),
  };
}

/** A ping with priority beside UDP that is offered at twice the rate of the channel, from the same station. */
export async function loadedPing(options: {
  seconds: number;
}): Promise<{ idle: PingFigures; loaded: PingFigures; airtimeMs: number; seen: readonly Seen[] }> {
  return await withStations({ stations: 2, rateBps: FAST_BPS }, async (stations) => {
    const sender = at(stations, 1);
    const ping = (count: number, intervalMs: number): Promise<PingReport> =>
      sender.call('ping', {
        to: { address: addressOf(2), port: ECHO },
        typeOfService: LOW_DELAY,
        payloadBytes: 56,
        intervalMs,
        timeoutMs: 10_000,
        count,
      });
    const idle = await ping(20, 500);
    const intervalUs = (8e6 * MTU_BYTES) / (2 * FAST_BPS);
    const load = sender.call('pace', {
      to: { address: addressOf(2), port: SINK },
      streams: [{ stream: LOW, typeOfService: 0 }],
      payloadBytes: MTU_BYTES - HEADERS_BYTES,
      intervalUs,
      ticks: Math.ceil((1e6 * (options.seconds + 5)) / intervalUs),
    });
    // The queue is to be full first.
    await sleep(3000);
    const loaded = await ping(options.seconds, 1000);
    await load;
    return {
      idle: pingFigures(idle),
      loaded: pingFigures(loaded),
      airtimeMs: (8000 * (MTU_BYTES + AROUND_BYTES)) / FAST_BPS,
      seen: await Promise.all(stations.map(seenOf)),
    };
  });
}

export interface SharedMeasured {
  readonly channelShare: number;
  readonly jain: number;
  /** The least that a station got in any 30 s, of an equal share of what all got then. */
  readonly leastShare: number;
  readonly leastPackets: number;
  readonly collisionRatio: number | null;
  readonly missing: number;
  readonly seen: readonly Seen[];
}

/** Everybody floods the next one. */
export async function sharedChannel(options: {
  stations: number;
  seconds: number;
  /** Not counted, at the start. */
  settleSeconds?: number;
}): Promise<SharedMeasured> {
  const numbers = Array.from({ length: options.stations }, (_, index) => index + 1);
  const payloadBytes = MTU_BYTES - HEADERS_BYTES;
  return await withStations({ stations: options.stations, rateBps: RATE_BPS }, async (stations, place) => {
    const next = (number: number): number => (number % options.stations) + 1;
    for (const number of numbers) {
      await at(stations, number).call('flood', {
        to: { address: addressOf(next(number)), port: SINK },
        stream: number,
        typeOfService: 0,
        payloadBytes,
        sendBufferBytes: SMALL_SEND_BUFFER_BYTES,
      });
    }
    await sleep(1000 * (options.settleSeconds ?? 0));
    const startUs = monotonicUs();
    await sleep(1000 * options.seconds);
    const endUs = monotonicUs();
    const seen = await Promise.all(stations.map(seenOf));
    const received = await Promise.all(stations.map((station) => station.call('received', { port: SINK })));
    for (const station of stations) await station.call('flooded', { stop: true });
    const all = received.flat().filter(({ atUs }) => atUs <= endUs);
    const arrivals = all.filter(({ atUs }) => atUs >= startUs);
    const octets = numbers.map((number) =>
      arrivals.filter(({ stream }) => stream === number).reduce((sum, each) => sum + each.octets, 0),
    );
    const parts = windows(arrivals, numbers, { startUs, endUs }, WINDOW_US);
    const shares = parts.map((part) => Math.min(...part) / (part.reduce((sum, each) => sum + each, 0) / part.length));
    const summary = await place.close();
    return {
      channelShare: payloadBps(arrivals, (endUs - startUs) / 1e6) / RATE_BPS,
      jain: jainIndex(octets),
      leastShare: Math.min(...shares),
      leastPackets: Math.min(...parts.flat()) / payloadBytes,
      collisionRatio: summary === undefined ? null : summary.channel.collisionUs / Math.max(1, summary.channel.busyUs),
      missing: numbers.reduce(
        (sum, number) => sum + missing(all.filter(({ stream }) => stream === number).map(({ sequence }) => sequence)),
        0,
      ),
      seen,
    };
  });
}
