/**
 * Reading and writing an open tty's non-blocking descriptor. By the addon where there is one: of node:fs every "nothing at
 * the moment" is an exception with its stack, which at full speed costs more than all the rest of a frame's way.
 */
import fs from 'node:fs';
import { getSystemErrorName } from 'node:util';
import { isTemporary } from './line-errors.js';
import type { TtyExtras } from './tty-settings.js';

/** asm-generic/errno-base.h */
const EINTR = 4;
const EAGAIN = 11;

/** @returns octets read, 0 when there are none at the moment; or why there will be no more */
export function readOctets(fd: number, buffer: Uint8Array, extras: TtyExtras | undefined): number | Error {
  const bytes = extras?.read === undefined ? byFs(() => fs.readSync(fd, buffer)) : extras.read(fd, buffer);
  // With VMIN 1 a read without octets fails (EAGAIN); zero is the end of the tty: unplugged, or the pty's master closed.
  return bytes === 0 ? new Error('the device is gone') : taken(bytes, 'read');
}

/** @returns octets that the kernel took, 0 when it has no room at the moment; or why it will take no more */
export function writeOctets(fd: number, octets: Uint8Array, extras: TtyExtras | undefined): number | Error {
  const bytes = extras?.write === undefined ? byFs(() => fs.writeSync(fd, octets)) : extras.write(fd, octets);
  return taken(bytes, 'write');
}

function taken(bytes: number | Error, call: string): number | Error {
  if (typeof bytes !== 'number' || bytes >= 0) return bytes;
  if (bytes === -EAGAIN || bytes === -EINTR) return 0;
  const code = getSystemErrorName(bytes);
  return Object.assign(new Error(`${code}, ${call}`), { code });
}

function byFs(call: () => number): number | Error {
  try {
    return call();
  } catch (failure) {
    if (isTemporary(failure)) return -EAGAIN;
    return failure instanceof Error ? failure : new Error(String(failure));
  }
}
