/** The MAC's times, all derived from what the modem and the host declare. Nothing here is tuned by hand. */
import type { Phy } from './phy.js';

export interface MacTiming {
  /**
   * One contention slot: a station that starts at the beginning of a slot is sensed by every other one before the slot
   * ends. Carrier-sense time + turnaround + host latency + twice the propagation: once for the signal, once because the
   * end of the last exchange, from which slots count, is heard by some so much later than by others.
   */
  readonly slotUs: number;
  /** The next frame of a burst is sensed so soon after the end of the last one. */
  readonly burstGapUs: number;
  /** From the end of a unicast frame until everybody must have sensed the start of its ACK. */
  readonly ackStartUs: number;
  /** From the end of a unicast frame until its ACK must have been received whole. */
  readonly ackEndUs: number;
  /** The signal began so long before its carrier is reported, give or take half the spread of that delay. */
  readonly carrierReportUs: number;
  /**
   * A station whose host was late with the end of the last exchange counts its slots from so much later than others, and
   * hears their signals so much before the slot in which they begin.
   */
  readonly earlyStartUs: number;
  /** A signal that ended in no good frame ended so long before its carrier is reported idle. */
  readonly carrierHoldUs: number;
  /** A signal in the time kept free for an answer that is no longer than this is taken for the answer. */
  readonly answerMaxUs: number;
  /** One that is shorter is the end of something else, that of another's frame after a collision with ours. */
  readonly answerMinUs: number;
  /** A carrier that has been busy for longer is stuck: no exchange lasts so long. */
  readonly stuckBusyUs: number;
  /** A transmission whose end is not reported for so long has been forgotten by the modem, or is held back by it. */
  readonly sentOverdueUs: number;
  /** Late by more than this, a timer has missed its slot. */
  readonly latenessUs: number;
}

/** Exchanges of the longest frame after which a busy channel is taken for stuck, and the least time for that. */
const STUCK_EXCHANGES = 16;
const STUCK_MIN_US = 10_000_000;

/**
 * The longest frames, each with all that its modem may wait for before it, after which one should have been reported as sent,
 * and the least time for that: more than after which a line that takes nothing counts as stalled. Own choice.
 */
const OVERDUE_FRAMES = 16;
const OVERDUE_MIN_US = 30_000_000;

/**
 * Share of the host's latency by which a signal may begin before its slot does: own choice. In virtual time, ten saturated
 * stations at 9600 bit/s whose hosts declare 16 ms carry, from their 16th second on, 0.91 with 0 and 0.93 with 1/8 where
 * hosts are late by up to 1.5 ms, 0.76 and 0.83 where by up to 6 ms; five that declare 4 ms and are late by up to 2 ms 0.85
 * with 1/4, 0.92 with 1/8.
 */
const EARLY_START_SHARE = 1 / 8;

/**
 * A signal this much shorter than an answer is the end of a frame that met ours. The ten stations of above, hosts late by up
 * to 1.5 ms: 0.88 with 1/2, 0.93 with 3/4; with 0.95 answers begin to be taken for such ends.
 */
const ANSWER_MIN_SHARE = 3 / 4;

/** One reaction is exact, and leaves no room for a tie. */
const BURST_GAP_REACTIONS = 2;

/**
 * @param phy the modem, with its timing
 * @param ackBytes length of an ACK frame, FCS included
 */
export function deriveTiming(phy: Phy, ackBytes: number): MacTiming {
  const { turnaroundUs, carrierDetectUs, propagationUs, hostLatencyUs } = phy.timing;
  const reactionUs = turnaroundUs + carrierDetectUs + hostLatencyUs;
  const slotUs = Math.max(1, Math.ceil(reactionUs + 2 * propagationUs));
  // The receiver needs the frame's last octet (propagation), its host's reaction, its modem's key-up; the way back is as
  // long again, and the last listener's host is late too.
  const ackStartUs = Math.ceil(2 * propagationUs + turnaroundUs + carrierDetectUs + 2 * hostLatencyUs);
  const ackAirUs = phy.timing.airtimeUs(ackBytes);
  const ackEndUs = Math.ceil(ackStartUs + carrierDetectUs + ackAirUs + hostLatencyUs);
  const carrierHoldUs = phy.timing.carrierHoldUs ?? 0;
  const longestUs = phy.timing.airtimeUs(phy.capabilities.maxFrameBytes) + ackEndUs;
  const modemUs = turnaroundUs + (phy.timing.modemAccessUs ?? 0) + hostLatencyUs;
  // From the beginning of a slot to the report of a carrier it takes turnaround and detection, and up to propagation
  // and host latency more: half of the first part leaves the same margin on both sides.
  const carrierReportUs = Math.floor((turnaroundUs + carrierDetectUs) / 2);
  return {
    slotUs,
    burstGapUs: Math.ceil(BURST_GAP_REACTIONS * reactionUs),
    ackStartUs,
    ackEndUs,
    carrierReportUs,
    earlyStartUs: Math.floor(EARLY_START_SHARE * hostLatencyUs),
    carrierHoldUs,
    answerMinUs: Math.floor(carrierReportUs + ANSWER_MIN_SHARE * ackAirUs + carrierHoldUs),
    answerMaxUs: Math.ceil(reactionUs + ackAirUs + carrierHoldUs),
    stuckBusyUs: Math.max(STUCK_MIN_US, STUCK_EXCHANGES * longestUs),
    sentOverdueUs: Math.max(OVERDUE_MIN_US, OVERDUE_FRAMES * (modemUs + longestUs)),
    latenessUs: Math.max(1, hostLatencyUs),
  };
}

/** The longest frame that the modem takes and that keeps the key down for no longer than that, in octets. */
export function longestFrameBytes({ capabilities, timing }: Phy, keyDownUs = Number.POSITIVE_INFINITY): number {
  let fits = 0;
  let tooLong = capabilities.maxFrameBytes + 1;
  while (tooLong - fits > 1) {
    const middle = Math.floor((fits + tooLong) / 2);
    if (timing.airtimeUs(middle) <= keyDownUs) fits = middle;
    else tooLong = middle;
  }
  return fits;
}
