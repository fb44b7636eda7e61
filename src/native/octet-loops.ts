/** The addon's loops over octets, for base/octet-loops.ts. */
import type { OctetLoops } from '../base/octet-loops.js';
import { addon } from './addon.js';

/** A call costs 0.3 us, as much as going through so many octets in TypeScript. */
const WORTH_A_CALL_BYTES = 256;

/** @param worthBytes with fewer octets than this the addon is not called */
export function addonLoops(worthBytes: number = WORTH_A_CALL_BYTES): OctetLoops {
  const { crc32c, escapeInto, unescapeInto, takeFrames } = addon();
  return { worthBytes, crc32c, escapeInto, unescapeInto, takeFrames };
}
