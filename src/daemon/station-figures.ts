/** What is made of the numbered datagrams that arrived. */
import type { Arrival } from './station-calls.js';

export function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[middle - 1], sorted[middle]];
  if (high === undefined) return null;
  return sorted.length % 2 === 1 || low === undefined ? high : (low + high) / 2;
}

/** Sequence numbers, from 0 on, that are missing before the highest one that arrived. */
export function missing(sequences: readonly number[]): number {
  const distinct = new Set(sequences);
  return distinct.size === 0 ? 0 : Math.max(...distinct) + 1 - distinct.size;
}

export function duplicates(sequences: readonly number[]): number {
  return sequences.length - new Set(sequences).size;
}

/** Payload octets of each stream that arrived in every window of that length, one window beginning each second. */
export function windows(
  arrivals: readonly Arrival[],
  streams: readonly number[],
  span: { readonly startUs: number; readonly endUs: number },
  windowUs: number,
): number[][] {
  const found: number[][] = [];
  for (let fromUs = span.startUs; fromUs + windowUs <= span.endUs; fromUs += 1_000_000) {
    const inside = arrivals.filter(({ atUs }) => atUs >= fromUs && atUs < fromUs + windowUs);
    found.push(
      streams.map((each) =>
        inside.filter(({ stream }) => stream === each).reduce((sum, { octets }) => sum + octets, 0),
      ),
    );
  }
  return found;
}
