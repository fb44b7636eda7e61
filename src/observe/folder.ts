/** Makes folders, each by itself: Node's recursive mkdir never ends where the kernel has no room for one (/proc/self/x). */
import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder, and those that it is in, where they are missing.
 * @throws the system's error when that is not possible
 */
export function makeFolder(folder: string): void {
  const path = resolve(folder);
  if (isFolder(path)) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (failure) {
    // Somebody else may have made it meanwhile.
    if (!isFolder(path)) throw failure;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
