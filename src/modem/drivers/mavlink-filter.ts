/**
 * Takes MAVLink 1 messages of two kinds out of a stream of octets: RADIO_STATUS, which a SiK radio puts in wherever it
 * likes, and the heartbeats that make it do so, which reach the other side as data. Whatever else begins with the same
 * octet is data. An octet that may begin a message waits for the next; a frame of ours never ends with one.
 *
 * Format and numbers: MAVLink 1, common.xml (messages 0 and 109); SiK, Firmware/radio/mavlink.c and packet.c.
 */
import { crc16X25 } from '../../base/crc.js';

const STX = 0xfe;
/** Header (STX, length, sequence, system, component, message) and checksum. */
const HEADER_BYTES = 6;
const MESSAGE_BYTES = HEADER_BYTES + 9 + 2;
const HEARTBEAT_ID = 0;
const RADIO_STATUS = 109;
/** Both have nine octets; the seed of the checksum by message. */
const CRC_EXTRA = new Map([
  [HEARTBEAT_ID, 50],
  [RADIO_STATUS, 185],
]);
/** A ground station: MAV_TYPE_GCS, MAV_AUTOPILOT_INVALID, MAV_STATE_ACTIVE, version 3, behind custom_mode 0. */
const HEARTBEAT_PAYLOAD = [0, 0, 0, 0, 6, 8, 0, 4, 3];
const GROUND_STATION = 255;
const MAV_COMP_ID_MISSIONPLANNER = 190;

/** As the radio counts: RSSI in its own units, of which `signalDbm` makes dBm. */
export interface RadioStatus {
  readonly rssi: number;
  readonly remoteRssi: number;
  readonly noise: number;
  readonly remoteNoise: number;
  /** Free share of the buffer for octets from the host, in percent. */
  readonly bufferFree: number;
  readonly rxErrors: number;
  readonly fixed: number;
}

/** SiK's documentation: dBm = value / 1.9 - 127. */
export const signalDbm = (value: number): number => Math.round(value / 1.9 - 127);

/** Of a whole message, its own checksum left out. */
function checksum(message: Uint8Array): number {
  const extra = CRC_EXTRA.get(message[HEADER_BYTES - 1] as number) ?? 0;
  // MAVLink does not invert at the end, X.25 does; the seed counts as one more octet.
  const covered = Uint8Array.from([...message.subarray(1, MESSAGE_BYTES - 2), extra]);
  return crc16X25(covered) ^ 0xffff;
}

export class MavlinkFilter {
  readonly #status: (status: RadioStatus) => void;
  #held = new Uint8Array(0);

  constructor(status: (status: RadioStatus) => void) {
    this.#status = status;
  }

  /** @returns what is data */
  filter(octets: Uint8Array): Uint8Array {
    if (this.#held.length === 0 && !octets.includes(STX)) return octets;
    const all = Uint8Array.from([...this.#held, ...octets]);
    this.#held = new Uint8Array(0);
    const data: number[] = [];
    for (let at = 0; at < all.length; ) {
      const candidate = all.subarray(at, at + MESSAGE_BYTES);
      if (!mayBeMessage(candidate)) data.push(all[at++] as number);
      else if (candidate.length < MESSAGE_BYTES) {
        this.#held = candidate.slice();
        break;
      } else {
        this.#report(candidate);
        at += MESSAGE_BYTES;
      }
    }
    return Uint8Array.from(data);
  }

  reset(): void {
    this.#held = new Uint8Array(0);
  }

  #report(message: Uint8Array): void {
    if (message[HEADER_BYTES - 1] !== RADIO_STATUS) return;
    const view = new DataView(message.buffer, message.byteOffset + HEADER_BYTES);
    // On the wire the widest fields come first.
    this.#status({
      rxErrors: view.getUint16(0, true),
      fixed: view.getUint16(2, true),
      rssi: view.getUint8(4),
      remoteRssi: view.getUint8(5),
      bufferFree: view.getUint8(6),
      noise: view.getUint8(7),
      remoteNoise: view.getUint8(8),
    });
  }
}

/** Whether these octets, fewer than a message perhaps, are the beginning of one of the two. */
function mayBeMessage(octets: Uint8Array): boolean {
  const [stx, length, , system, component, message] = octets;
  if (stx !== STX || (length !== undefined && length !== HEARTBEAT_PAYLOAD.length)) return false;
  if (message === undefined) return octets.length < HEADER_BYTES;
  const isStatus = message === RADIO_STATUS && system === 0x33 && component === 0x44;
  const isHeartbeat = message === HEARTBEAT_ID && system === GROUND_STATION && component === MAV_COMP_ID_MISSIONPLANNER;
  if (!isStatus && !isHeartbeat) return false;
  if (octets.length < MESSAGE_BYTES) return true;
  return checksum(octets) === ((octets[MESSAGE_BYTES - 2] as number) | ((octets[MESSAGE_BYTES - 1] as number) << 8));
}

function heartbeat(): Uint8Array {
  const head = [STX, HEARTBEAT_PAYLOAD.length, 0, GROUND_STATION, MAV_COMP_ID_MISSIONPLANNER, HEARTBEAT_ID];
  const message = Uint8Array.from([...head, ...HEARTBEAT_PAYLOAD, 0, 0]);
  const sum = checksum(message);
  message.set([sum & 0xff, sum >> 8], MESSAGE_BYTES - 2);
  return message;
}

/** What makes a SiK radio report once. Its sequence number is always 0: nobody counts them. */
export const HEARTBEAT: Uint8Array = heartbeat();
