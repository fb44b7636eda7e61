/**
 * Loops over the octets of a frame that native code does several times faster than we do: the daemon hands them in when it
 * starts. Whatever uses them has the same in TypeScript, which is what they are tested against, and which counts what is no
 * frame.
 */

export interface OctetLoops {
  /** With fewer octets than this, what a call costs is more than what it saves. */
  readonly worthBytes: number;
  /** The CRC-32C of the first `length` octets, going on from `previous`. */
  crc32c(octets: Uint8Array, length: number, previous: number): number;
  /** As `escapeInto` of framing/escape.ts. */
  escapeInto(octets: Uint8Array, target: Uint8Array, at: number): number;
  /** Undoes the escapes. @returns how many octets it wrote, or -1 where an escape is none; needs room for as many as come */
  unescapeInto(octets: Uint8Array, target: Uint8Array): number;
  /**
   * Takes whole SLIP frames, one END each at their end, and writes them to `target` from `at` on, one behind the other.
   * `table` then holds their number, and for each where its END stood and its length. Stops before what is no frame or
   * finds no room.
   * @returns where it stopped, behind an END or at `from`; -1 less that position where no END follows
   */
  takeFrames(
    octets: Uint8Array,
    from: number,
    target: Uint8Array,
    at: number,
    maxBytes: number,
    table: Int32Array,
  ): number;
}

let native: OctetLoops | undefined;

/** For the whole process; undefined: everything in TypeScript. */
export function useNativeLoops(loops: OctetLoops | undefined): void {
  native = loops;
}

/** The native loops, where they are worth a call for so many octets. */
export function nativeLoops(bytes: number): OctetLoops | undefined {
  return native === undefined || bytes < native.worthBytes ? undefined : native;
}
