/** Bridges on real Dire Wolfs, and what is measured of them; for the tests and for the bench suite `modem`. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Arrival, PingReport } from '../../src/daemon/station-calls.js';
import { addressOf, Neighbourhood, type Station } from '../../src/daemon/stations.js';
import { createDriver } from '../../src/modem/drivers/registry.js';
import { loadProfile } from '../../src/modem/profiles.js';
import { VirtualTime } from '../../src/sim/virtual-time.js';
import { DireWolves, KISS_PORT } from './direwolf-pair.js';

const PROFILE = 'direwolf-1200';
export const SINK = 9;
export const ECHO = 7;
export const LOW_DELAY = 0x10;
/** IPv4 and UDP headers. */
const HEADERS_BYTES = 28;
const AX25_HEADER_BYTES = 16;
const SMALL_SEND_BUFFER_BYTES = 4096;
/** 2 s on an idle channel, up to 11 s beside a flood. */
const PING_PATIENCE_MS = 20_000;
const PINGS_FOR_ONE_ANSWER = 3;

const profile = loadProfile(PROFILE);
export const MTU_BYTES = profile.link.mtuBytes;
export const PAYLOAD_BYTES = MTU_BYTES - HEADERS_BYTES;
export const FULL_FRAME_BYTES = MTU_BYTES + AX25_HEADER_BYTES;

/** Microseconds on the air for an IP packet of so many octets, by the driver's model: TXDELAY and TXTAIL included. */
export function airtimeUs(packetBytes: number): number {
  const driver = createDriver(profile, { scheduler: new VirtualTime() });
  return driver.timing.airtimeUs(packetBytes + AX25_HEADER_BYTES);
}

const callsign = (number: number): string => `N0CALL-${number}`;

export interface Wolves {
  readonly stations: readonly Station[];
  readonly modems: DireWolves;
  /** Brings up one station's bridge; `known`: it need not ask for the others on the air. */
  up(number: number, known: boolean): Promise<void>;
}

/** Stations with a Dire Wolf each on one channel; closed in the end, whatever happens. */
export async function withWolves<T>(count: number, run: (wolves: Wolves) => Promise<T>): Promise<T> {
  const place = new Neighbourhood();
  let modems: DireWolves | undefined;
  try {
    for (let number = 1; number <= count; number++) await place.open();
    modems = await DireWolves.start(
      place.folder,
      place.stations.map(({ pid }) => pid),
    );
    const up = async (number: number, known: boolean): Promise<void> => {
      const others = place.stations.map((_, index) => index + 1).filter((other) => other !== number);
      const table = others.map((other) => `${addressOf(other)}: ${callsign(other)}`).join(', ');
      const station = stationOf(place.stations, number);
      await station.up({
        number,
        profile: PROFILE,
        port: `tcp://127.0.0.1:${KISS_PORT}`,
        settings: [`interface.callsign=${callsign(number)}`, ...(known ? [`interface.callsigns={${table}}`] : [])],
      });
    };
    for (const station of place.stations) {
      await station.call('receive', { port: SINK });
      await station.call('echo', { port: ECHO, typeOfService: LOW_DELAY });
    }
    return await run({ stations: place.stations, modems, up });
  } finally {
    // The bridges first, while their modems still answer.
    await place.close();
    await modems?.stop();
  }
}

export function stationOf(stations: readonly Station[], number: number): Station {
  const station = stations[number - 1];
  if (station === undefined) throw new Error(`no station ${number}`);
  return station;
}

export async function ping(from: Station, to: number, count: number, typeOfService = 0): Promise<PingReport> {
  return await from.call('ping', {
    to: { address: addressOf(to), port: ECHO },
    typeOfService,
    payloadBytes: 32,
    intervalMs: 100,
    timeoutMs: PING_PATIENCE_MS,
    count,
  });
}

/**
 * One ping after the other until so many are answered: AX.25 repeats nothing, and beside a flood three of ten were lost
 * (16 of 58 seen). @returns their round trips; fewer when most were lost
 */
export async function answeredPings(from: Station, to: number, wanted: number, typeOfService = 0): Promise<number[]> {
  const rttMs: number[] = [];
  for (let i = 0; i < PINGS_FOR_ONE_ANSWER * wanted && rttMs.length < wanted; i++) {
    for (const ms of (await ping(from, to, 1, typeOfService)).rttMs) if (ms !== null) rttMs.push(ms);
  }
  return rttMs;
}

export async function startFlood(from: Station, to: number, stream: number): Promise<void> {
  await from.call('flood', {
    to: { address: addressOf(to), port: SINK },
    stream,
    typeOfService: 0,
    payloadBytes: PAYLOAD_BYTES,
    sendBufferBytes: SMALL_SEND_BUFFER_BYTES,
  });
}

/** UDP payload between the first and the last arrival, bit/s. */
export function goodputBps(arrivals: readonly Arrival[]): number {
  const [first, last] = [arrivals[0], arrivals.at(-1)];
  if (first === undefined || last === undefined || first === last) return 0;
  const bits = arrivals.slice(1).reduce((sum, { octets }) => sum + 8 * octets, 0);
  return (bits * 1e6) / (last.atUs - first.atUs);
}

/** Asks the station's Dire Wolf for a while what waits in its queue. @returns the most octets that ever did */
export async function watchQueue(station: Station, seconds: number): Promise<number> {
  // A second client of the TNC: SetHardware "TXBUF:" every 100 ms, the greatest answer in the end.
  const program = `
    const socket = require('node:net').connect(${KISS_PORT}, '127.0.0.1');
    let text = '';
    socket.on('data', (data) => { text += data.toString('latin1'); });
    setInterval(() => socket.write(Buffer.from('\\xc0\\x06TXBUF:\\xc0', 'latin1')), 100);
    setTimeout(() => {
      const answers = [...text.matchAll(/TXBUF:(\\d+)/g)].map(([, octets]) => Number(octets));
      console.log(answers.length > 0 ? Math.max(...answers) : -1);
      process.exit();
    }, ${seconds * 1000});`;
  const report = await station.call('run', {
    program: process.execPath,
    args: ['-e', program],
    timeoutMs: seconds * 1000 + 10_000,
  });
  const most = Number(report.stdout.trim());
  if (report.status !== 0 || !(most >= 0)) throw new Error(`the queue was not seen: ${report.stderr}${report.stdout}`);
  return most;
}

export interface FloodMeasured {
  readonly goodputBps: number;
  /** Of payload bits / airtime by the model. */
  readonly share: number;
  readonly arrived: number;
  readonly missing: number;
  readonly holds: number;
  readonly mostQueuedBytes: number;
  readonly tapDropped: number;
  readonly qdiscDropped: number;
}

/** Station 1 floods station 2 alone on the channel. */
export async function measureFlood({ stations }: Wolves, seconds: number): Promise<FloodMeasured> {
  const [one, two] = [stationOf(stations, 1), stationOf(stations, 2)];
  await startFlood(one, 2, 1);
  const mostQueuedBytes = await watchQueue(one, seconds);
  const flooded = await one.call('flooded', { stop: true });
  const arrivals = (await two.call('received', { port: SINK })).filter(({ stream }) => stream === 1);
  const { backPressure } = await one.status();
  const expectedBps = (PAYLOAD_BYTES * 8e6) / airtimeUs(MTU_BYTES);
  const bps = goodputBps(arrivals);
  const last = arrivals.at(-1)?.sequence ?? -1;
  const first = arrivals[0]?.sequence ?? 0;
  return {
    goodputBps: bps,
    share: bps / expectedBps,
    arrived: arrivals.length,
    missing: last - first + 1 - arrivals.length,
    holds: flooded.holds,
    mostQueuedBytes,
    tapDropped: backPressure.tapDropped,
    qdiscDropped: backPressure.qdisc.dropped,
  };
}

/** Waits until what was queued has gone out. */
export async function drained(station: Station, limitMs = 60_000): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (Date.now() < deadline) {
    const { backPressure, mac } = await station.status();
    if (backPressure.qdisc.backlogPackets === 0 && mac.state === 'idle') return;
    await sleep(200);
  }
}
