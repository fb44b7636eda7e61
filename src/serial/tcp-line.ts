/** The line as a TCP connection, to a serial server (ser2net) or a software modem. */
import net from 'node:net';
import type { Scheduler } from '../base/clock.js';
import { SluiceError } from '../base/errors.js';
import type { Line, LineListener, LineStatistics } from './line.js';
import { lostError, openError } from './line-errors.js';

export interface TcpLineParts {
  readonly scheduler: Scheduler;
  /** Default 5 s. */
  readonly connectTimeoutUs?: number;
  /** A peer that has vanished is noticed after about so long, with octets under way or without. Default 20 s. */
  readonly deadPeerUs?: number;
  /** TCP_USER_TIMEOUT of a descriptor; Node does not offer it. Without it, only a silent peer is noticed in time. */
  setUserTimeout?(fd: number, ms: number): number;
}

const CONNECT_TIMEOUT_US = 5_000_000;
const DEAD_PEER_US = 20_000_000;
/** libuv asks a silent connection ten times, a second apart (uv__tcp_keepalive), after this first pause at the least. */
const KEEP_ALIVE_PROBES_MS = 10_000;
const KEEP_ALIVE_LEAST_MS = 1_000;

/** Node has no public name for it. */
function descriptorOf(socket: net.Socket): number | undefined {
  const handle = '_handle' in socket ? socket._handle : undefined;
  const fd = typeof handle === 'object' && handle !== null && 'fd' in handle ? handle.fd : undefined;
  return typeof fd === 'number' && fd >= 0 ? fd : undefined;
}

export class TcpLine implements Line {
  readonly path: string;
  readonly #host: string;
  readonly #port: number;
  readonly #parts: TcpLineParts;
  /** From `open` on until lost or closed. */
  #socket: net.Socket | undefined;
  #connected = false;
  #listener: LineListener | undefined;
  #bytesIn = 0;
  #bytesAccepted = 0;
  #bytesOut = 0;
  #bytesDropped = 0;

  /** @param host a name or an address, IPv6 without brackets */
  constructor(host: string, port: number, parts: TcpLineParts) {
    this.path = `tcp://${host.includes(':') ? `[${host}]` : host}:${port}`;
    this.#host = host;
    this.#port = port;
    this.#parts = parts;
  }

  get unwrittenBytes(): number {
    return this.#socket === undefined ? 0 : this.#bytesAccepted - this.#bytesOut - this.#bytesDropped;
  }

  get statistics(): LineStatistics {
    return { bytesIn: this.#bytesIn, bytesOut: this.#bytesOut, bytesDropped: this.#bytesDropped };
  }

  async open(listener: LineListener): Promise<void> {
    if (this.#socket !== undefined) throw new SluiceError('internal', `${this.path} is open already`);
    const socket = net.connect({ host: this.#host, port: this.#port, noDelay: true });
    this.#socket = socket;
    try {
      await this.#connect(socket);
    } catch (failure) {
      this.#release(socket);
      throw failure instanceof SluiceError ? failure : openError(this.path, failure);
    }
    this.#connected = true;
    this.#listener = listener;
    const deadMs = (this.#parts.deadPeerUs ?? DEAD_PEER_US) / 1000;
    socket.setKeepAlive(true, Math.max(KEEP_ALIVE_LEAST_MS, deadMs - KEEP_ALIVE_PROBES_MS));
    // With octets under way there are no keep-alive probes, and the kernel alone would repeat them for a quarter of an hour.
    const fd = descriptorOf(socket);
    if (fd !== undefined) this.#parts.setUserTimeout?.(fd, deadMs);
    socket.on('data', (octets) => {
      if (this.#socket !== socket) return;
      this.#bytesIn += octets.length;
      listener.data(octets);
    });
    const lose = (failure: Error): void => {
      if (this.#socket !== socket) return;
      this.#release(socket);
      listener.lost(lostError(this.path, failure));
    };
    socket.on('error', lose);
    socket.on('end', () => lose(new Error('the other side closed the connection')));
    socket.on('close', () => lose(new Error('the connection was closed')));
  }

  write(octets: Uint8Array): void {
    const bytes = octets.length;
    this.#bytesAccepted += bytes;
    if (this.#socket === undefined || !this.#connected) {
      this.#bytesDropped += bytes;
      return;
    }
    // A copy: the socket keeps what it cannot write at once, and the caller may use its buffer again.
    const socket = this.#socket;
    socket.write(new Uint8Array(octets), (failure) => {
      // A write that was under way when its socket was destroyed ends without an error, though the kernel may have taken a part only.
      if (failure || this.#socket !== socket) this.#bytesDropped += bytes;
      else this.#bytesOut += bytes;
      if (this.#socket === socket) this.#listener?.drained?.();
    });
  }

  pendingInputBytes(): number {
    return 0;
  }

  async close(): Promise<void> {
    const socket = this.#socket;
    if (socket === undefined) return;
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    this.#release(socket);
    await closed;
  }

  #connect(socket: net.Socket): Promise<void> {
    const { scheduler, connectTimeoutUs = CONNECT_TIMEOUT_US } = this.#parts;
    return new Promise((resolve, reject) => {
      const settle = (outcome: () => void): void => {
        cancel();
        socket.off('connect', connected).off('error', failed).off('close', closed);
        outcome();
      };
      const connected = (): void => settle(resolve);
      const failed = (failure: unknown): void => settle(() => reject(failure));
      const closed = (): void => failed(openError(this.path, new Error('it was closed meanwhile')));
      const late = (): void => failed(openError(this.path, undefined, 'ETIMEDOUT'));
      const cancel = scheduler.at(scheduler.nowUs() + connectTimeoutUs, late);
      socket.on('connect', connected).on('error', failed).on('close', closed);
    });
  }

  #release(socket: net.Socket): void {
    if (this.#socket === socket) {
      this.#socket = undefined;
      this.#connected = false;
    }
    // Errors of a socket that nobody uses any more mean nothing.
    socket.removeAllListeners('error').on('error', () => undefined);
    socket.destroy();
  }
}
