/** The MAC's times, all derived from what the modem and the host declare. Nothing here is tuned by hand. */
import type { Phy } from './phy.js';

export interface MacTiming {
  /**
   * One contention slot: a station that starts at the beginning of a slot is sensed by every other one before the slot
   * ends. Carrier-sense time + turnaround + propagation + host latency.
   */
  readonly slotUs: number;
  /** From the end of a unicast frame until everybody must have sensed the start of its ACK. */
  readonly ackStartUs: number;
  /** From the end of a unicast frame until its ACK must have been received whole. */
  readonly ackEndUs: number;
  /** A carrier that has been busy for longer is stuck: no exchange lasts so long. */
  readonly stuckBusyUs: number;
  /** Late by more than this, a timer has missed its slot. */
  readonly latenessUs: number;
}

/** Exchanges of the longest frame after which a busy channel is taken for stuck, and the least time for that. */
const STUCK_EXCHANGES = 16;
const STUCK_MIN_US = 10_000_000;

/**
 * @param phy the modem, with its timing
 * @param ackBytes length of an ACK frame, FCS included
 */
export function deriveTiming(phy: Phy, ackBytes: number): MacTiming {
  const { turnaroundUs, carrierDetectUs, propagationUs, hostLatencyUs } = phy.timing;
  const slotUs = Math.max(1, Math.ceil(turnaroundUs + carrierDetectUs + propagationUs + hostLatencyUs));
  // The receiver needs the frame's last octet (propagation), its host's reaction, its modem's key-up; the way back is as
  // long again, and the last listener's host is late too.
  const ackStartUs = Math.ceil(2 * propagationUs + turnaroundUs + carrierDetectUs + 2 * hostLatencyUs);
  const ackEndUs = Math.ceil(ackStartUs + carrierDetectUs + phy.timing.airtimeUs(ackBytes) + hostLatencyUs);
  const longestUs = phy.timing.airtimeUs(phy.capabilities.maxFrameBytes) + ackEndUs;
  return {
    slotUs,
    ackStartUs,
    ackEndUs,
    stuckBusyUs: Math.max(STUCK_MIN_US, STUCK_EXCHANGES * longestUs),
    latenessUs: Math.max(1, hostLatencyUs),
  };
}
