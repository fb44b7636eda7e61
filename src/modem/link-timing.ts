/** What a profile's numbers come to: octet times, frame lengths, host latency. All times in microseconds. */
import type { Profile } from './profile-schema.js';

/** Taken for this host's latency when it is neither set nor measured: a Node timer's millisecond and a busy loop. */
const ASSUMED_HOST_LATENCY_US = 4_000;

/** Bit/s on the air, `auto` resolved to the line's rate. */
export function rateBps(profile: Pick<Profile, 'air' | 'line'>): number {
  return profile.air.rateBps === 'auto' ? profile.line.baudRate : profile.air.rateBps;
}

/** One octet on the line: start bit, data bits, parity bit, stop bits. */
export function lineOctetUs(line: Profile['line']): number {
  const bits = 1 + line.dataBits + (line.parity === 'none' ? 0 : 1) + line.stopBits;
  return (bits * 1_000_000) / line.baudRate;
}

/** One octet on the air. */
export function airOctetUs(profile: Pick<Profile, 'air' | 'line'>): number {
  return (profile.air.bitsPerOctet * 1_000_000) / rateBps(profile);
}

export function hostLatencyUs(profile: Pick<Profile, 'mac'>, measuredUs: number | undefined): number {
  const { hostLatencyUs: configured } = profile.mac;
  return configured === 'auto' ? (measuredUs ?? ASSUMED_HOST_LATENCY_US) : configured;
}

/**
 * The longest frame that this station sends, in octets: a packet of full size with what the encapsulation adds, and
 * never more than the modem takes. Our link frame may hold an Ethernet header (14) behind its own header and FCS (8);
 * a bare Ethernet frame may hold a VLAN tag (IEEE 802.1Q); AX.25 has two addresses, control and PID.
 */
export function maxFrameBytes(profile: Pick<Profile, 'link' | 'driver'>): number {
  const { encapsulation, mtuBytes } = profile.link;
  const overhead = { sluice: 14 + 8, ethernet: 14 + 4, ip: 0, ax25: 16 }[encapsulation];
  return Math.min(profile.driver.maxFrameBytes, mtuBytes + overhead);
}
