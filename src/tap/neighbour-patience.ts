/**
 * How long the kernel waits for the answer to an ARP request or a neighbour solicitation before it asks again. Three
 * times in vain, and what waits for the address is dropped: with the kernel's own second, over a channel on which
 * question and answer take longer, always.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { SluiceError } from '../base/errors.js';

/** Documentation/networking/ip-sysctl.rst; one of each family. */
export function retransPath(family: 'ipv4' | 'ipv6', name: string): string {
  return `/proc/sys/net/${family}/neigh/${name}/retrans_time_ms`;
}

export interface SettingFiles {
  read(path: string): string;
  write(path: string, text: string): void;
}

const REAL_FILES: SettingFiles = {
  read: (path) => readFileSync(path, 'utf8'),
  write: (path, text) => writeFileSync(path, text),
};

/**
 * Raises it to so many milliseconds; what is longer already stays.
 * @returns puts back what was there
 * @throws SluiceError `privilege` where the kernel's settings cannot be written
 */
export function raiseNeighbourRetrans(name: string, retransMs: number, files: SettingFiles = REAL_FILES): () => void {
  const raised: { path: string; before: string }[] = [];
  const putBack = (): void => {
    for (const { path, before } of raised.splice(0)) files.write(path, before);
  };
  for (const family of ['ipv4', 'ipv6'] as const) {
    const path = retransPath(family, name);
    try {
      const before = files.read(path).trim();
      if (Number(before) >= retransMs) continue;
      files.write(path, String(retransMs));
      raised.push({ path, before });
    } catch (cause) {
      const errno = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
      // No such file: no IPv6 in this kernel, or none on an interface with such an MTU.
      if (errno === 'ENOENT') continue;
      throw new SluiceError('privilege', `${path}: ${errno}`, {
        errno,
        subject: path,
        remedy: `Run as root with a writable /proc/sys, or write ${retransMs} there yourself.`,
        cause,
      });
    }
  }
  return putBack;
}
