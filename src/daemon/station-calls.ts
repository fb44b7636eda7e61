/** What the process of a station does on request: the messages between it and whoever directs it. */
import type { ErrorCode } from '../base/errors.js';
import type { LinkStatistics } from '../netlink/link.js';

/** A line of the bridge's log. */
export interface LogRecord {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** A datagram that arrived: stream, sequence number, microseconds when sent and when received, UDP payload octets. */
export interface Arrival {
  readonly stream: number;
  readonly sequence: number;
  readonly sentUs: number;
  readonly atUs: number;
  readonly octets: number;
}

export interface Destination {
  readonly address: string;
  readonly port: number;
}

export interface FloodOrder {
  readonly to: Destination;
  /** Named in each datagram, so that a receiver can keep several senders apart. */
  readonly stream: number;
  readonly typeOfService: number;
  readonly payloadBytes: number;
  /** SO_SNDBUF; the system's default when left out. */
  readonly sendBufferBytes?: number;
}

export interface FloodReport {
  readonly sent: number;
  /** Times that `send` blocked: took longer than a millisecond. */
  readonly holds: number;
  /** Microseconds spent inside those sends, the present one included. */
  readonly heldUs: number;
  /** When each datagram was taken (microseconds), the latest ones where there are very many. */
  readonly sentAtUs: readonly number[];
  /** Errors by negative errno. */
  readonly errors: Readonly<Record<string, number>>;
}

export interface PaceOrder {
  readonly to: Destination;
  /** At each tick one datagram of each, in this order. */
  readonly streams: readonly { readonly stream: number; readonly typeOfService: number }[];
  readonly payloadBytes: number;
  readonly intervalUs: number;
  readonly ticks: number;
}

export interface PaceReport {
  readonly streams: readonly {
    readonly stream: number;
    readonly offered: number;
    readonly sent: number;
    /** EAGAIN: the socket held the sender back. */
    readonly held: number;
    /** ENOBUFS: the kernel dropped it and said so. */
    readonly refused: number;
    readonly errors: Readonly<Record<string, number>>;
    /** Sequence numbers that were taken. */
    readonly taken: readonly number[];
  }[];
}

export interface PingOrder {
  readonly to: Destination;
  readonly typeOfService: number;
  readonly payloadBytes: number;
  readonly intervalMs: number;
  /** How long after its sending an answer still counts. */
  readonly timeoutMs: number;
  /** Ends after so many, or when `stopPing` is called. */
  readonly count: number;
}

export interface PingReport {
  readonly sent: number;
  /** In the order of sending; null for one that never came back. Milliseconds. */
  readonly rttMs: readonly (number | null)[];
}

export interface RunOrder {
  readonly program: string;
  readonly args: readonly string[];
  readonly timeoutMs: number;
}

export interface RunReport {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Ended {
  readonly status: number | null;
  readonly signal: string | null;
}

/** By name: what is asked, and what is answered. */
export interface StationCalls {
  /** Runs `sluice up` with these arguments until it says that it is ready. */
  up: { order: { readonly args: readonly string[] }; report: LogRecord };
  /** Ends it by this signal. */
  down: { order: { readonly signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL' }; report: Ended };
  receive: { order: { readonly port: number }; report: null };
  received: { order: { readonly port: number }; report: readonly Arrival[] };
  echo: { order: { readonly port: number; readonly typeOfService: number }; report: null };
  ping: { order: PingOrder; report: PingReport };
  stopPing: { order: Record<never, never>; report: null };
  pace: { order: PaceOrder; report: PaceReport };
  flood: { order: FloodOrder; report: null };
  flooded: { order: { readonly stop: boolean }; report: FloodReport };
  /** Any program, inside the namespace. */
  run: { order: RunOrder; report: RunReport };
  /** Length of an interface's queue, which for a TAP is its ring too. */
  queueLength: { order: { readonly name: string; readonly packets: number }; report: null };
  linkStatistics: { order: { readonly name: string }; report: LinkStatistics };
}

export type CallName = keyof StationCalls;

export type Request = { [K in CallName]: { id: number; call: K; order: StationCalls[K]['order'] } }[CallName];

export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy?: string;
}

export type Message =
  | { readonly kind: 'started' }
  | { readonly kind: 'not-started'; readonly failure: Failure }
  | { readonly kind: 'answer'; readonly id: number; readonly report: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly failure: Failure }
  | { readonly kind: 'log'; readonly record: LogRecord }
  | { readonly kind: 'ended'; readonly ended: Ended };
