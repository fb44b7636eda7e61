/** What the C library keeps of memory that was given back to it. */
import { addon } from './addon.js';

/** Gives memory that the C library holds and nobody uses back to the kernel (malloc_trim). */
export function trimMemory(): void {
  addon().trimMemory();
}
