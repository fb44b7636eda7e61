/**
 * KISS (Mike Chepponis K3MC and Phil Karn KA9Q, "The KISS TNC", 1987): FEND, type octet, escaped octets, FEND.
 * The decoder gives every frame with its type octet; what a type means is the driver's affair, so checksummed variants
 * (SMACK, XKISS) can be a transformation of type and payload above this.
 */
import type { Decoder, DiscardCause } from './codec.js';
import { DelimitedReader, finder, requireBound } from './delimited.js';
import { END, escapeInto, undoEscapes } from './escape.js';

/** Commands, the low four bits of the type octet. 0-6 from the KISS specification. */
export const KISS_DATA = 0x0;
/** Argument: keying delay in units of 10 ms. */
export const KISS_TXDELAY = 0x1;
/** Argument P: persistence (P + 1) / 256. */
export const KISS_PERSISTENCE = 0x2;
/** Argument: slot time in units of 10 ms. */
export const KISS_SLOT_TIME = 0x3;
/** Argument: time to hold the key after the frame, in units of 10 ms. */
export const KISS_TXTAIL = 0x4;
/** Argument: 0 half duplex, otherwise full duplex. */
export const KISS_FULL_DUPLEX = 0x5;
/** Argument: the modem's own. */
export const KISS_SET_HARDWARE = 0x6;
/** Data that the modem echoes, by two identification octets, once it is sent (ACKMODE, G8BPQ). */
export const KISS_ACK_DATA = 0xc;
/** Poll of a multi-drop modem (XKISS, G8BPQ). */
export const KISS_POLL = 0xe;
/** The whole type octet that ends KISS operation: the one type without a port. */
export const KISS_RETURN = 0xff;

/** The type octet of `command` (0-15) on `port` (0-15). */
export function kissType(port: number, command: number): number {
  return ((port & 0xf) << 4) | (command & 0xf);
}

/** The port of a type octet; meaningless for `KISS_RETURN`. */
export function kissPort(type: number): number {
  return type >> 4;
}

/** The command of a type octet; meaningless for `KISS_RETURN`. */
export function kissCommand(type: number): number {
  return type & 0xf;
}

/** The most octets that `encodeKiss` makes of a payload of this length: its type octet may need an escape, too. */
export function maxEncodedKissBytes(payloadBytes: number): number {
  return 2 * (payloadBytes + 1) + 2;
}

/** One frame as it goes to the line, FENDs included. `type` is a whole octet, see `kissType`. */
export function encodeKiss(type: number, payload: Uint8Array): Uint8Array {
  const line = new Uint8Array(maxEncodedKissBytes(payload.length));
  line[0] = END;
  const end = escapeInto(payload, line, escapeInto(Uint8Array.of(type), line, 1));
  line[end] = END;
  return line.slice(0, end + 1);
}

export interface KissOptions {
  /** The longest payload accepted, in octets, without the type octet. */
  readonly maxFrameBytes: number;
}

export interface KissSink {
  /** One frame; the payload (of any length, also none) is the receiver's to keep. */
  frame(type: number, payload: Uint8Array): void;
  /** So many octets of the line were thrown away. */
  discard(cause: DiscardCause, octets: number): void;
}

/**
 * Octets before the first FEND are noise: a modem in its text mode talks so.
 * @throws SluiceError `internal` for a bound that is not a positive integer.
 */
export function kissDecoder(options: KissOptions, sink: KissSink): Decoder {
  const maxBytes = requireBound(options.maxFrameBytes) + 1;
  return new DelimitedReader(
    { find: finder(END), maxBodyBytes: 2 * maxBytes, startsWithDelimiter: true },
    {
      body: (octets) => {
        const frame = undoEscapes(octets, maxBytes);
        if (typeof frame === 'string') sink.discard(frame, octets.length);
        else sink.frame(frame[0] as number, frame.subarray(1));
      },
      discard: (cause, octets) => sink.discard(cause, octets),
    },
  );
}
