/**
 * What the log may say: each event's name and fields, in one place for those who write the log and those who read it.
 * Names and fields are promised to scripts: they may be added to, and are never renamed. Units are in the names;
 * `...Ratio` is a share of 1. Fields marked optional are left out where nothing is known.
 */
import type { DropCause } from '../base/drops.js';

export type BackPressureName = 'native' | 'gate' | 'none';

/** Median and 99th percentile, in milliseconds. */
export interface DelayMs {
  readonly p50: number;
  readonly p99: number;
}

/**
 * Counts by upper bound in milliseconds: `{"64":3,"128":1}` says that three took at most 64 ms (and more than 32).
 * Bounds are powers of two from 1 up to `DELAY_BOUND_MAX_MS`; "inf" is what took longer. Empty buckets are left out, and
 * rare ones are added to the next one where the line would grow too long.
 */
export type DelayHistogramMs = Readonly<Record<string, number>>;

export const DELAY_BOUND_MAX_MS = 2 ** 20;

/** Stations that `heardMs` names; airtime of all others is summed in `heardRest`. */
export const HEARD_STATIONS_MAX = 8;

/**
 * One interval of the channel as this station saw it. Everything is of the interval, nothing since the start. The line is
 * 1 kB at most: where that is not enough, lists by station, cause, delay and repetition keep their greatest parts.
 */
export interface ChannelFields {
  /** The interval, in Unix time. */
  readonly startUnixMs: number;
  readonly endUnixMs: number;
  /** Only in the last one of a run, when the daemon stops. */
  readonly final?: true;
  /** Share of the interval in which others were sensed, whether understood or not. */
  readonly busyRatio: number;
  /** Share of the interval in which we transmitted: data and acknowledgements. */
  readonly txRatio: number;
  /** Time in which a carrier was sensed that is stuck, and so no longer believed; not in `busyRatio`. */
  readonly stuckMs?: number;
  /** Airtime of frames that we understood, by the station that sent them, whomever they were for. The longest ones. */
  readonly heardMs: Readonly<Record<string, number>>;
  /** The other stations heard: how many, and their airtime together. */
  readonly heardRest?: { readonly stations: number; readonly ms: number };
  /** Receptions that were no good frame: collisions of others, noise, fading. */
  readonly garbled: number;
  /** Data frames put on the air, repetitions included. */
  readonly attempts: number;
  /** Frames acknowledged. */
  readonly acked: number;
  /** Attempts that no acknowledgement came for: collisions of our own, a deaf receiver, or a lost acknowledgement. */
  readonly unacked: number;
  /** Exchanges (a burst is one) that were answered or not, by the station they were for; zeros left out. The most frequent. */
  readonly answered?: Readonly<Record<string, number>>;
  readonly unanswered?: Readonly<Record<string, number>>;
  /** Frames sent that ask for no acknowledgement. */
  readonly unconfirmed: number;
  /** Frames acknowledged after so many repetitions: the first number needed none. Trailing zeros are left out. */
  readonly retries: readonly number[];
  /** Times that a countdown was interrupted by a busy channel. */
  readonly backoffs: number;
  /** Idle slots waited before own transmissions. */
  readonly backoffSlots: number;
  /** In slots, at the end of the interval. */
  readonly contentionWindow: number;
  /** From beginning to contend for the channel until the frame was settled; absent when none was. */
  readonly delayMs?: DelayMs;
  readonly delayHistogramMs?: DelayHistogramMs;
  /** How long what waited in the queueing discipline took to get through it, sampled; 0 when it was empty. */
  readonly queueDelayMs?: DelayMs;
  /** At the end of the interval. */
  readonly backPressure?: BackPressureName;
  /** Packets in the queueing discipline at the end of the interval. */
  readonly queue: number;
  readonly queueBytes: number;
  /** Frames and packets dropped in the interval, by cause. */
  readonly drops: Readonly<Partial<Record<DropCause, number>>>;
  /** Rarer causes that the line has no room for: how many, and their frames together. */
  readonly dropsRest?: { readonly causes: number; readonly frames: number };
  /** Airtime that the duty limit still allows at the end of the interval; absent without a limit. */
  readonly dutyLeftMs?: number;
}

/** One frame on the air, at debug level; told once it is known what became of it, in the order in which frames passed. */
export interface FrameFields {
  readonly direction: 'out' | 'in';
  readonly bytes: number;
  readonly airtimeUs: number;
  /** Link frames only; others are sent as they are. */
  readonly type?: string;
  readonly source?: number;
  readonly destination?: number;
  readonly sequence?: number;
  /** Out: 1 is the first attempt; absent for what is not repeated. */
  readonly attempt?: number;
  /** Out: whether an answer came, or what the modem reported. In: taken, for others, our own, or why it was dropped. */
  readonly outcome:
    | 'acknowledged'
    | 'unacknowledged'
    | 'sent'
    | 'refused'
    | 'line-down'
    | 'accepted'
    | 'overheard'
    | 'echo'
    | 'open'
    | DropCause;
  /** Frames left out before this one, because they came faster than they could be written. */
  readonly droppedBefore?: number;
  readonly rssiDbm?: number;
  readonly snrDb?: number;
}

export interface LogEvents {
  /** The bridge works. */
  readonly ready: {
    readonly profile: string;
    readonly line: string;
    readonly mtuBytes: number;
    readonly slotUs: number;
    /** Slot over the airtime of the longest frame. */
    readonly a: number;
    readonly hostLatencyUs: number;
    readonly measuredLatencyUs: number;
    /** `real-time` where slots are ours to keep, else `preferred` to other processes; `ordinary` where that is not allowed. */
    readonly scheduling: 'real-time' | 'preferred' | 'ordinary' | 'as-found';
    /** Path of the control socket. */
    readonly control: string;
  };
  readonly 'line-open': { readonly line: string; readonly reopens: number };
  readonly 'line-lost': { readonly line: string; readonly cause: string; readonly remedy?: string | undefined };
  readonly 'line-retry': { readonly line: string; readonly cause: string; readonly nextMs: number };
  /** The mode, and why; again when it changes, or was repaired. */
  readonly 'back-pressure': {
    readonly mode: BackPressureName;
    readonly reason?: string;
    readonly done?: 'repaired' | 'given-up';
    readonly cause?: string;
    readonly repairs?: number;
    readonly lostPackets?: number;
    readonly remedy?: string;
  };
  /** Packets were dropped that back pressure should have held. Counts since device and qdisc were made. */
  readonly 'back-pressure-leak': {
    readonly mode: BackPressureName;
    readonly tapDropped: number;
    readonly qdiscDropped: number;
  };
  readonly channel: ChannelFields;
  /** `seen`: for the first time, or again after it was lost. `lost`: not heard for a long time. */
  readonly neighbour: {
    readonly neighbour: number;
    readonly change: 'seen' | 'lost';
    readonly rssiDbm?: number;
    /** Since it was last heard. */
    readonly silentMs?: number;
  };
  /** `frames` since the last such line, `total` since the start. */
  readonly drop: {
    readonly cause: DropCause;
    readonly frames: number;
    readonly total: number;
    readonly meaning: string;
  };
  /** `begin`: busy for so long that it is no longer believed, and transmitted over. `end`: it was idle once. */
  readonly 'stuck-busy': { readonly change: 'begin' | 'end'; readonly busyMs: number; readonly remedy?: string };
  /** The modem did not end a transmission within limits.keyDownMs; its line was closed, and is opened again. */
  readonly 'key-down': { readonly limitMs: number; readonly remedy: string };
  /** Another station sends with our number. */
  readonly 'address-conflict': {
    /** Of the frame that was heard. */
    readonly type: string;
    readonly destination: number;
    readonly sequence: number;
    readonly bodyBytes: number;
    readonly rssiDbm?: number;
    readonly snrDb?: number;
    readonly remedy: string;
  };
  readonly frame: FrameFields;
  /** What changed on the network interface itself. */
  readonly interface: {
    readonly change: 'renamed' | 'up' | 'down' | 'mtu' | 'mac' | 'moved' | 'overrun' | 'unwatched';
    readonly name?: string;
    readonly before?: string;
    readonly mtuBytes?: number;
    /** Hexadecimal digits. */
    readonly mac?: string;
    readonly errno?: number;
    readonly meaning?: string;
    readonly remedy?: string;
  };
  /** The modem, or its line, does not do what the profile says. */
  readonly modem: { readonly meaning: string; readonly remedy: string };
  /** The interface was renamed, and the control socket could not follow: it answers where it did. */
  readonly 'control-kept': { readonly path: string; readonly cause: string; readonly remedy?: string | undefined };
  readonly 'interface-lost': { readonly cause: string; readonly remedy?: string | undefined };
  readonly 'queue-adopted': {
    readonly adopted: boolean;
    readonly backlogPackets?: number;
    readonly cause?: string;
    readonly meaning?: string;
    readonly remedy?: string;
  };
  readonly 'queue-lost': { readonly packets: number; readonly remedy: string };
  readonly privilege: { readonly missing: string; readonly remedy: string };
  /** The process did not run. */
  readonly hung: { readonly forMs: number; readonly meaning: string };
  readonly 'host-latency': { readonly measuredUs: number; readonly allowedUs: number; readonly remedy: string };
  /** The end. `drops` since the start; `queue` in packets. */
  readonly stopped: {
    readonly reason: string;
    readonly drops: Readonly<Partial<Record<DropCause, number>>>;
    readonly queue: { readonly kept: number; readonly lost: number };
  };
}

export type EventName = keyof LogEvents;

/** Fields of every line. `level` is pino's: 20 debug, 30 info, 40 warn, 50 error. `time` is Unix time in milliseconds. */
export interface LineFields {
  readonly level: number;
  readonly time: number;
  readonly interface: string;
  /** Our own. */
  readonly station: number;
  /** Lines of this kind that were left out since the last one, because they came too often. */
  readonly repeats?: number;
}

/** One line of the log, told apart by `event`. */
export type LogLine = {
  readonly [Name in EventName]: LineFields & { readonly event: Name } & LogEvents[Name];
}[EventName];
