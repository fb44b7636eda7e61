/**
 * The port between the MAC and a modem driver. Capabilities say what the modem does by itself; the MAC does the rest
 * and never second-guesses the modem.
 */
import type { DropCause } from '../base/drops.js';

export interface PhyCapabilities {
  /**
   * Who decides when to transmit: `host` (the MAC contends), `modem` (the modem contends; the MAC keeps one frame in
   * it), `none` (nobody needs to: a full-duplex point-to-point line).
   */
  readonly channelAccess: 'host' | 'modem' | 'none';
  readonly duplex: 'half' | 'full';
  /** `reported`: the modem or a line says so; `activity`: arriving octets say so; `none`: nobody knows. */
  readonly carrierSense: 'reported' | 'activity' | 'none';
  /** What `sent` means: the frame left the antenna, was accepted by the modem, or must have left by the airtime model. */
  readonly sentReport: 'on-air' | 'accepted' | 'modelled';
  /** Whether the modem checks integrity itself; if not, link frames carry an FCS. */
  readonly checksIntegrity: boolean;
  /** The longest link frame that fits, FCS included. */
  readonly maxFrameBytes: number;
}

/** Everything timed derives from these. All in microseconds. */
export interface PhyTiming {
  /** From the start of the signal to its end on the air, for a link frame of so many octets: preamble, framing, tail included. */
  airtimeUs(frameBytes: number): number;
  /** From `transmit` until the signal starts, when the modem is idle: line time, key-up; host latency not included. */
  readonly turnaroundUs: number;
  /** From the signal's arrival at an antenna until that host is told that the channel is busy; host latency not included. */
  readonly carrierDetectUs: number;
  /** From the end of a signal that was no good frame until that host is told that the channel is idle. Absent: at once. */
  readonly carrierHoldUs?: number;
  /** To the farthest station, one way. */
  readonly propagationUs: number;
  /** How late this host may react to an octet or a timer, and be seen reacting: measured at start, or set. */
  readonly hostLatencyUs: number;
  /** Where the modem contends: how long it may wait for the channel before it transmits. Absent: at once. */
  readonly modemAccessUs?: number;
}

export interface ReceptionMeta {
  readonly rssiDbm?: number;
  readonly snrDb?: number;
}

export interface PhyListener {
  /** The channel became busy or idle. Own transmissions are not reported. */
  carrier(busy: boolean): void;
  /**
   * One link frame, not yet checked. The octets are the listener's to keep.
   * @returns whether it was whole: of a spoilt one, or of noise, the last octet is no sign that the signal is over
   */
  received(frame: Uint8Array, meta: ReceptionMeta): boolean;
  /** The answer to `transmit`, exactly once for each: over, or not sent (`refused`: the modem said no; `line-down`: lost). */
  sent(outcome: 'sent' | 'refused' | 'line-down'): void;
  /** Octets from the line that became no frame. */
  discarded(cause: DropCause, octets: number): void;
  /** The modem became usable (`up`) or unusable. Starts unusable. */
  ready(up: boolean): void;
}

export interface Phy {
  readonly capabilities: PhyCapabilities;
  readonly timing: PhyTiming;
  /** Must be called once, before anything else. */
  attach(listener: PhyListener): void;
  /** Starts a transmission. One at a time: only after `ready(true)` and after the last one's `sent`. */
  transmit(frame: Uint8Array): void;
  /**
   * Carrier sense at this very moment, for the last look before a transmission: also sees octets that have reached the
   * host but not yet `carrier`.
   */
  senseBusy(): boolean;
}
