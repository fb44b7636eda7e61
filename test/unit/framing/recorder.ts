/** A frame sink that remembers, for the tests of the framings. */
import type { DiscardCause, FrameSink } from '../../../src/framing/codec.js';

export interface Recorder extends FrameSink {
  readonly frames: number[][];
  readonly discards: [DiscardCause, number][];
  discardedOctets(): number;
}

export function recorder(): Recorder {
  const frames: number[][] = [];
  const discards: [DiscardCause, number][] = [];
  return {
    frames,
    discards,
    frame: (octets) => frames.push([...octets]),
    discard: (cause, octets) => discards.push([cause, octets]),
    discardedOctets: () => discards.reduce((sum, [, octets]) => sum + octets, 0),
  };
}
