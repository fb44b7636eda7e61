/**
 * The kick: a short frame whose only purpose is to make the kernel run the queue of the TAP. A changed TBF does not look
 * at what waits in it until something is enqueued (measured; net/sched/sch_tbf.c, tbf_change).
 */

/** Destination and source of 6 octets each, EtherType of 2: an Ethernet header without tags (IEEE 802.3). */
export const ETHERNET_HEADER_BYTES = 14;
/** IEEE 802.1Q. */
export const VLAN_TAG_BYTES = 4;
/** SO_PRIORITY of the kicks: TC_PRIO_INTERACTIVE (linux/pkt_sched.h), the first band of pfifo_fast and prio. */
export const KICK_PRIORITY = 6;

/**
 * Addresses of our own making (locally administered), EtherType 0x88B5 (IEEE 802, local experimental 1), and four octets
 * to tell it from what others do under that EtherType.
 */
const KICK_HEADER = Uint8Array.of(
  ...[0x02, 0x53, 0x4c, 0x43, 0x45, 0x00],
  ...[0x02, 0x53, 0x4c, 0x43, 0x45, 0x01],
  ...[0x88, 0xb5],
);
/** "KICK", and for one that is as long as a frame of the MTU, "FILL". */
const KICK = Uint8Array.of(...KICK_HEADER, 0x4b, 0x49, 0x43, 0x4b);
const FILLER = Uint8Array.of(...KICK_HEADER, 0x46, 0x49, 0x4c, 0x4c);

export const KICK_BYTES = KICK.length;

/** A fresh copy. */
export function kickFrame(): Uint8Array {
  return KICK.slice();
}

/** As long as a frame of the MTU can be: uses up a credit. */
export function fillerFrame(mtuBytes: number): Uint8Array {
  const frame = new Uint8Array(Math.max(KICK_BYTES, mtuBytes + ETHERNET_HEADER_BYTES));
  frame.set(FILLER);
  return frame;
}

/** A kick or a filler. */
export function isKickFrame(frame: Uint8Array): boolean {
  return (frame.length === KICK_BYTES && beginsWith(frame, KICK)) || beginsWith(frame, FILLER);
}

function beginsWith(frame: Uint8Array, start: Uint8Array): boolean {
  if (frame.length < KICK_BYTES) return false;
  for (let i = 0; i < KICK_BYTES; i++) if (frame[i] !== start[i]) return false;
  return true;
}

/** A packet socket bound to the TAP. */
export interface FrameSender {
  /** Never blocks. @returns octets sent, or a negative errno */
  send(frame: Uint8Array): number;
  /** Idempotent. */
  close(): void;
}

/** Errno values of a send, include/uapi/asm-generic/errno*.h */
export const EAGAIN = 11;
export const ENOBUFS = 105;
