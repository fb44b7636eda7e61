/**
 * `node --expose-gc fuzz-worker.js SUBJECT STREAMS`: one subject of the fuzzer in a process of its own. Prints a JSON line
 * each tenth of the way, and one with the counts at the end.
 */
import { fileURLToPath } from 'node:url';
import { useNativeLoops } from '../../src/base/octet-loops.js';
import { seededRandom } from '../../src/base/random.js';
import { addonLoops } from '../../src/native/octet-loops.js';
import { fuzzDecoder } from './fuzz-decoder.js';
import { fuzzReception } from './fuzz-reception.js';
import { SUBJECTS } from './fuzz-subjects.js';

/** What is longer goes the native way, as in the daemon; what is shorter that of TypeScript. */
const WORTH_BYTES = 16;

export const WORKER = fileURLToPath(import.meta.url);
const RECEPTIONS: Readonly<Record<string, boolean>> = { reception: false, 'reception in order': true };

/** Every decoder, and the whole way of reception: without ARQ with fragments, with ARQ without. */
export const FUZZED: readonly string[] = [...SUBJECTS.map(({ name }) => name), ...Object.keys(RECEPTIONS)];

export interface FuzzResult {
  readonly octets: number;
  readonly frames: number;
  readonly wrong: number;
  /** Of the way of reception: octets by what became of them. */
  readonly octetsBy?: Record<string, number>;
  /** What was in use behind a garbage collection at the end, less the same after a tenth of the way. */
  readonly grownBytes: number;
  readonly rssBytes: number;
}

export type FuzzLine = { readonly done: number } | { readonly result: FuzzResult };

/** Not what V8 calls external: buffers that are garbage already stay in there until a thread has freed them. */
function usedBytes(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function run(name: string, streams: number): void {
  const say = (line: FuzzLine): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
  const random = seededRandom(FUZZED.indexOf(name));
  let firstBytes: number | undefined;
  const progress = (done: number): void => {
    firstBytes ??= usedBytes();
    say({ done });
  };
  const subject = SUBJECTS.find((each) => each.name === name);
  const { octets, frames, wrong, ...more } =
    subject === undefined
      ? fuzzReception(streams, random, RECEPTIONS[name] === true, progress)
      : fuzzDecoder(subject, streams, random, progress);
  const octetsBy = 'octetsBy' in more ? { octetsBy: more.octetsBy } : {};
  const grownBytes = usedBytes() - (firstBytes ?? 0);
  const rssBytes = process.resourceUsage().maxRSS * 1024;
  say({ result: { octets, frames, wrong, ...octetsBy, grownBytes, rssBytes } });
}

if (process.argv[1] === WORKER) {
  useNativeLoops(addonLoops(WORTH_BYTES));
  run(process.argv[2] ?? '', Number(process.argv[3]));
}
