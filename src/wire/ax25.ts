/**
 * AX.25 UI frames (AX.25 2.2, sections 3 and 4) as they carry IP: addresses of shifted characters, control 03, a PID,
 * the packet. No FCS and no flags: those are the TNC's.
 */
import { SluiceError } from '../base/errors.js';
import { MAC_BYTES } from './address.js';

/** Six characters, and one octet with SSID and flags (AX.25 2.2, section 3.12). */
export const AX25_ADDRESS_BYTES = 7;
/** Destination, source, control, PID. */
export const AX25_HEADER_BYTES = 16;
/** AX.25 2.2, section 3.4. */
export const PID_IP = 0xcc;
export const PID_ARP = 0xcd;

/** UI without the poll bit (AX.25 2.2, section 4.3.3.6). */
const CONTROL_UI = 0x03;
const POLL_BIT = 0x10;
/** The two reserved bits are ones (AX.25 2.2, section 3.12.2). */
const RESERVED_BITS = 0x60;
/** In the last octet of the last address. */
const EXTENSION_BIT = 0x01;
/** In the last octet of a digipeater: it has repeated the frame (AX.25 2.2, section 3.12.5). */
const REPEATED_BIT = 0x80;
const SSID_MASK = 0x0f;
/** AX.25 2.2 allows two; its forerunner eight. */
const DIGIPEATERS_MAX = 8;
const CALLSIGN = /^([A-Z0-9]{1,6})(?:-([0-9]|1[0-5]))?$/;

export interface Callsign {
  /** One to six capital letters and digits. */
  readonly name: string;
  /** 0 to 15. */
  readonly ssid: number;
}

/** To everybody; Linux has no other (ax25_bcast). */
export const QST: Callsign = { name: 'QST', ssid: 0 };

/** Null for what is no callsign with SSID. */
export function parseCallsign(text: string): Callsign | null {
  const match = CALLSIGN.exec(text.toUpperCase());
  return match === null ? null : { name: match[1] as string, ssid: Number(match[2] ?? 0) };
}

/** @throws SluiceError `configuration` for what is no callsign */
export function requireCallsign(text: string | undefined, key: string): Callsign {
  const callsign = text === undefined ? null : parseCallsign(text);
  if (callsign !== null) return callsign;
  throw new SluiceError('configuration', `${key}: ${text ?? 'is missing'}; expected a callsign such as N0CALL-1`, {
    subject: key,
    remedy: 'AX.25 frames carry the callsign of who sends them: set yours, with an SSID from 0 to 15.',
  });
}

export function formatCallsign({ name, ssid }: Callsign): string {
  return ssid === 0 ? name : `${name}-${ssid}`;
}

export function sameCallsign(a: Callsign, b: Callsign): boolean {
  return a.name === b.name && a.ssid === b.ssid;
}

/** As a hardware address in ARP, and in the address field with `last` for the end of the field. Command bits are 0, as Linux sends them. */
export function encodeCallsign({ name, ssid }: Callsign, last = false): Uint8Array {
  const octets = new Uint8Array(AX25_ADDRESS_BYTES);
  for (let i = 0; i < 6; i++) octets[i] = (name.charCodeAt(i) || 0x20) << 1;
  octets[6] = RESERVED_BITS | (ssid << 1) | (last ? EXTENSION_BIT : 0);
  return octets;
}

/** Null for characters that no callsign has. */
export function decodeCallsign(octets: Uint8Array): Callsign | null {
  if (octets.length < AX25_ADDRESS_BYTES) return null;
  let name = '';
  for (let i = 0; i < 6; i++) {
    const octet = octets[i] as number;
    if (octet & 1) return null;
    name += String.fromCharCode(octet >> 1);
  }
  name = name.trimEnd();
  return /^[A-Z0-9]{1,6}$/.test(name) ? { name, ssid: ((octets[6] as number) >> 1) & SSID_MASK } : null;
}

export interface UiFrame {
  readonly destination: Callsign;
  readonly source: Callsign;
  readonly pid: number;
  /** A view. */
  readonly payload: Uint8Array;
}

export function encodeUi({ destination, source, pid, payload }: UiFrame): Uint8Array {
  const frame = new Uint8Array(AX25_HEADER_BYTES + payload.length);
  frame.set(encodeCallsign(destination));
  frame.set(encodeCallsign(source, true), AX25_ADDRESS_BYTES);
  frame[14] = CONTROL_UI;
  frame[15] = pid;
  frame.set(payload, AX25_HEADER_BYTES);
  return frame;
}

/**
 * `malformed` where the octets are no AX.25 frame; `other` for one that is no UI frame, or that a digipeater has still to
 * repeat.
 */
export function decodeUi(frame: Uint8Array): UiFrame | 'malformed' | 'other' {
  const addresses: Callsign[] = [];
  let at = 0;
  let isRepeated = true;
  for (let last = false; !last; at += AX25_ADDRESS_BYTES) {
    const field = frame.subarray(at, at + AX25_ADDRESS_BYTES);
    const callsign = decodeCallsign(field);
    if (callsign === null || addresses.length > DIGIPEATERS_MAX + 1) return 'malformed';
    addresses.push(callsign);
    const flags = field[6] as number;
    last = (flags & EXTENSION_BIT) !== 0;
    if (addresses.length > 2 && (flags & REPEATED_BIT) === 0) isRepeated = false;
  }
  const [destination, source] = addresses;
  const control = frame[at];
  const pid = frame[at + 1];
  if (destination === undefined || source === undefined || control === undefined) return 'malformed';
  if ((control & ~POLL_BIT) !== CONTROL_UI || !isRepeated) return 'other';
  if (pid === undefined) return 'malformed';
  return { destination, source, pid, payload: frame.subarray(at + 2) };
}

/**
 * A MAC address for every callsign, so that a TAP can have neighbours that it has never heard of: locally administered,
 * A and the SSID, then the name as a number of base 37.
 */
export function macOfCallsign({ name, ssid }: Callsign): Uint8Array {
  let number = 0;
  for (let i = 0; i < 6; i++) number = number * 37 + digitOf(name[i]);
  const mac = new Uint8Array(MAC_BYTES);
  mac[0] = 0x02;
  mac[1] = 0xa0 | ssid;
  new DataView(mac.buffer).setUint32(2, number);
  return mac;
}

/** Null for a MAC address that `macOfCallsign` does not make. */
export function callsignOfMac(mac: Uint8Array): Callsign | null {
  if (mac.length !== MAC_BYTES || mac[0] !== 0x02 || ((mac[1] as number) & 0xf0) !== 0xa0) return null;
  let number = new DataView(mac.buffer, mac.byteOffset).getUint32(2);
  let name = '';
  for (let i = 0; i < 6; i++) {
    name = (DIGITS[number % 37] as string) + name;
    number = Math.floor(number / 37);
  }
  name = name.trimEnd();
  return number === 0 && /^[A-Z0-9]{1,6}$/.test(name) ? { name, ssid: (mac[1] as number) & SSID_MASK } : null;
}

const DIGITS = ' ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const digitOf = (letter: string | undefined): number => DIGITS.indexOf(letter ?? ' ');
