/** What is on the air: signals, their frames, what a listener is told of them, and what is counted about each station. */

/** One key-up of one station, from its first preamble bit to the end of its tail. */
export interface Signal {
  readonly speaker: number;
  /** When it began at the speaker's antenna. */
  readonly startUs: number;
  readonly preambleUs: number;
  /** Charged with the collisions of this signal: `hit` keeps them from being counted once for each listener. */
  readonly speakerCounts: StationCounts;
  hit: boolean;
}

/** One frame of a signal; times are those at the speaker's antenna. */
export interface AirFrame {
  readonly octets: Uint8Array;
  /** Start of the first octet; not always a whole microsecond. */
  readonly startUs: number;
  readonly endUs: number;
  /** Time of one octet; not always a whole microsecond. */
  readonly octetUs: number;
  /** Whether the preamble is just before it. */
  readonly first: boolean;
  hit: boolean;
  /** With one octet destroyed; made when first needed. */
  spoiled?: Uint8Array;
}

/** A frame as it reached one antenna, where nobody sent meanwhile. */
export interface HeardFrame {
  readonly speaker: number;
  /** Destroyed octets and bit errors included. The listener's to keep, unless the medium shares intact frames. */
  readonly octets: Uint8Array;
  /** Whether every octet is as it was sent. */
  readonly intact: boolean;
  /** Whether another signal was heard over the preamble. */
  readonly preambleHit: boolean;
}

export interface AntennaListener {
  /** A modem of this detection time now sees the channel busy, or idle again. Never called while the station sends. */
  carrier?(busy: boolean): void;
  /** One octet of a streamed signal, when its time on the air is over. */
  octet?(octet: number): void;
  /** One whole frame, intact or spoiled. */
  frame?(frame: HeardFrame): void;
}

/** Counted for each station. A streamed signal counts as one frame. */
export interface StationCounts {
  /** The key was down so long. */
  airtimeUs: number;
  /** Frames sent. */
  frames: number;
  octetsSent: number;
  /** Own frames that were hit at one listener or more: by another signal, or because the listener sent. */
  collisions: number;
  /** Frames of others that another signal hit at this antenna. */
  collisionsHeard: number;
  /** Frames of others that arrived while this station sent. */
  missedWhileSending: number;
  /** Frames of others that arrived here as they were sent. */
  deliveries: number;
  /** Octets of others that arrived here as they were sent. */
  octetsReceived: number;
  /** Octets of others that arrived here destroyed by another signal. */
  octetsDestroyed: number;
  /** Bits turned over by noise. */
  bitErrors: number;
  /** Frames of others spoiled by the frame error rate. */
  noiseErrors: number;
}

export function noStationCounts(): StationCounts {
  return {
    airtimeUs: 0,
    frames: 0,
    octetsSent: 0,
    collisions: 0,
    collisionsHeard: 0,
    missedWhileSending: 0,
    deliveries: 0,
    octetsReceived: 0,
    octetsDestroyed: 0,
    bitErrors: 0,
    noiseErrors: 0,
  };
}
