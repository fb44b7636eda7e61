/** The numbered datagrams with which stations measure: sent at a pace, counted where they arrive, echoed. */
import { UdpSocket } from '../native/addon.js';
import type { Arrival, PaceOrder, PaceReport, PingOrder, PingReport } from './station-calls.js';

/** `sl`, so that nothing else is taken for ours. */
const MAGIC = 0x736c;
export const HEADER_BYTES = 16;
const LARGEST_BYTES = 65_507;
/** include/uapi/asm-generic/errno-base.h and errno.h */
const EAGAIN = 11;
const ENOBUFS = 105;

/** Microseconds of the monotonic clock, which all processes of a machine share. */
export function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

/** Writes a datagram into `buffer`, all of it: header, then octets that look like any other data. */
export function writeDatagram(buffer: Uint8Array, stream: number, sequence: number): void {
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  view.setUint16(0, MAGIC);
  view.setUint16(2, stream);
  view.setUint32(4, sequence);
  view.setFloat64(8, monotonicUs());
  let state = (sequence * 2654435761 + stream) >>> 0 || 1;
  for (let i = HEADER_BYTES; i < buffer.length; i++) {
    // Marsaglia, xorshift RNGs (2003), triple 13, 17, 5.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    buffer[i] = state & 0xff;
  }
}

/** Undefined for what is none of ours, or was changed on its way. */
export function readDatagram(octets: Uint8Array, atUs: number): Arrival | undefined {
  if (octets.length < HEADER_BYTES) return undefined;
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  if (view.getUint16(0) !== MAGIC) return undefined;
  const stream = view.getUint16(2);
  const sequence = view.getUint32(4);
  const expected = new Uint8Array(octets.length);
  writeDatagram(expected, stream, sequence);
  for (let i = HEADER_BYTES; i < octets.length; i++) if (octets[i] !== expected[i]) return undefined;
  return { stream, sequence, sentUs: view.getFloat64(8), atUs, octets: octets.length };
}

/** Calls back with each datagram that arrives. */
function listen(socket: UdpSocket, take: (octets: Uint8Array) => void): void {
  const buffer = new Uint8Array(LARGEST_BYTES);
  const drain = (): void => {
    for (let length = socket.receive(buffer); length >= 0; length = socket.receive(buffer)) {
      take(buffer.subarray(0, length));
    }
    socket.arm(drain);
  };
  drain();
}

export class Receiver {
  readonly arrivals: Arrival[] = [];

  constructor(port: number) {
    listen(new UdpSocket({ port }), (octets) => {
      const arrival = readDatagram(octets, monotonicUs());
      if (arrival !== undefined) this.arrivals.push(arrival);
    });
  }
}

/** Sends back whatever comes. */
export function startEcho(port: number, typeOfService: number): void {
  const socket = new UdpSocket({ port, typeOfService });
  listen(socket, (octets) => {
    const { address, port: from } = socket.sender;
    socket.send(octets, address, from);
  });
}

class PacedStream {
  readonly #socket: UdpSocket;
  readonly #buffer: Uint8Array;
  readonly #order: PaceOrder;
  readonly #taken: number[] = [];
  readonly #errors: Record<string, number> = {};
  readonly stream: number;
  #offered = 0;

  constructor(order: PaceOrder, { stream, typeOfService }: PaceOrder['streams'][number]) {
    this.stream = stream;
    this.#order = order;
    this.#socket = new UdpSocket({ typeOfService });
    this.#buffer = new Uint8Array(order.payloadBytes);
  }

  offer(): void {
    const sequence = this.#offered++;
    const { address, port } = this.#order.to;
    writeDatagram(this.#buffer, this.stream, sequence);
    const result = this.#socket.send(this.#buffer, address, port);
    if (result >= 0) this.#taken.push(sequence);
    else this.#errors[-result] = (this.#errors[-result] ?? 0) + 1;
  }

  report(): PaceReport['streams'][number] {
    this.#socket.close();
    return {
      stream: this.stream,
      offered: this.#offered,
      sent: this.#taken.length,
      held: this.#errors[EAGAIN] ?? 0,
      refused: this.#errors[ENOBUFS] ?? 0,
      errors: this.#errors,
      taken: this.#taken,
    };
  }
}

/** Sends at a pace without ever waiting; resolves after the last tick. A late tick is made up for. */
export async function pace(order: PaceOrder): Promise<PaceReport> {
  const streams = order.streams.map((each) => new PacedStream(order, each));
  const startUs = monotonicUs();
  for (let tick = 0; tick < order.ticks; tick++) {
    const waitUs = startUs + tick * order.intervalUs - monotonicUs();
    if (waitUs > 0) await sleepMs(waitUs / 1000);
    for (const stream of streams) stream.offer();
  }
  return { streams: streams.map((stream) => stream.report()) };
}

/** `ping`, over UDP: does not wait for an answer before it sends the next. */
export class Ping {
  readonly #order: PingOrder;
  readonly #socket: UdpSocket;
  readonly #rttMs: (number | null)[] = [];
  #stopped = false;

  constructor(order: PingOrder) {
    this.#order = order;
    this.#socket = new UdpSocket({ typeOfService: order.typeOfService });
  }

  async run(): Promise<PingReport> {
    const { count, intervalMs, timeoutMs, payloadBytes, to } = this.#order;
    const buffer = new Uint8Array(Math.max(HEADER_BYTES, payloadBytes));
    listen(this.#socket, (octets) => this.#answer(octets));
    const startUs = monotonicUs();
    for (let sequence = 0; sequence < count && !this.#stopped; sequence++) {
      while (!this.#stopped && monotonicUs() < startUs + sequence * intervalMs * 1000) await sleepMs(STEP_MS);
      if (this.#stopped) break;
      writeDatagram(buffer, 0, sequence);
      this.#rttMs.push(null);
      this.#socket.send(buffer, to.address, to.port);
    }
    const deadlineUs = monotonicUs() + timeoutMs * 1000;
    while (this.#rttMs.includes(null) && monotonicUs() < deadlineUs) await sleepMs(STEP_MS);
    this.#socket.close();
    return { sent: this.#rttMs.length, rttMs: this.#rttMs };
  }

  /** Sends no more; what is under way is still waited for. */
  stop(): void {
    this.#stopped = true;
  }

  #answer(octets: Uint8Array): void {
    const atUs = monotonicUs();
    const arrival = readDatagram(octets, atUs);
    if (arrival === undefined || this.#rttMs[arrival.sequence] !== null) return;
    const rttMs = (atUs - arrival.sentUs) / 1000;
    if (rttMs <= this.#order.timeoutMs) this.#rttMs[arrival.sequence] = rttMs;
  }
}

const STEP_MS = 5;

function sleepMs(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
