/** The octet streams that the fuzzer feeds to decoders. */
import type { Random } from '../../src/base/random.js';

const STREAM_BYTES = 48;

/** A stream: pure chance, or a frame as it should be with some octets changed, lost or doubled. */
export function streamOf(random: Random, encode: (frame: Uint8Array) => Uint8Array): Uint8Array {
  const bytes = Uint8Array.from({ length: random.below(STREAM_BYTES) }, () => random.below(256));
  if (random.below(4) === 0) return bytes;
  const line = encode(bytes);
  for (let changes = random.below(4); changes > 0 && line.length > 0; changes--) {
    const at = random.below(line.length);
    if (random.below(2) === 0) line[at] = random.below(256);
    else line.copyWithin(at, random.below(line.length));
  }
  return line;
}
