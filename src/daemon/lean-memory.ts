/** A bridge that idles for months need not keep the memory that starting took: half of what it would otherwise hold. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { trimMemory } from '../native/memory.js';

/** The start is over by then, the first packets included. */
const AFTER_START_MS = 2000;
/** V8 frees in threads of its own. */
const FREEING_MS = 1000;

/** To be called before anything else: V8's young generation, grown to 16 MB by the start, does not shrink again. */
export function stayLean(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/** Once, a while after the start: V8 collects its garbage, the C library gives back what it holds. Takes some 30 ms. */
export function forgetStart(): void {
  setTimeout(() => {
    // Node has no other way to ask for a collection than the flag, which holds for contexts made from then on.
    setFlagsFromString('--expose-gc');
    const collect: unknown = runInNewContext('gc');
    if (typeof collect === 'function') collect();
    setTimeout(trimMemory, FREEING_MS).unref();
  }, AFTER_START_MS).unref();
}
