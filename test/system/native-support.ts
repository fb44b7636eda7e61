/** What the system tests of the addon share: descriptors counted, things awaited, children with chosen privileges. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SluiceError } from '../../src/base/errors.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Open descriptors of this process. */
export function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

export function nextTurns(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until `condition` holds; fails after `limitMs`, which is generous for a busy machine. */
export async function until(condition: () => boolean, what: string, limitMs = 10_000): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`timed out: ${what}`);
    await nextTurns(2);
  }
}

/** The SluiceError that `operation` throws. */
export function thrownBy(operation: () => unknown): SluiceError {
  try {
    operation();
  } catch (error) {
    if (error instanceof SluiceError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

export interface ChildResult {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Root without any capability: may open root's files, and nothing more. Tool of util-linux. */
export const WITHOUT_CAPABILITIES = ['setpriv', '--inh-caps=-all', '--ambient-caps=-all', '--bounding-set=-all'];

/**
 * Runs a module with the compiled addon boundary as `addon`, and `load` for other compiled modules (under `base`), in
 * this process's network namespace.
 */
export function runChild(source: string, prefix: readonly string[] = [], timeoutMs = 20_000): ChildResult {
  const dist = `${ROOT}dist/src/`;
  if (!existsSync(`${dist}native/addon.js`)) throw new Error('not compiled: run `npm run setup` first');
  const module = `
    const base = ${JSON.stringify(dist)};
    const load = (path) => import(base + path);
    const addon = { ...(await load('native/addon.js')), ...(await load('native/descriptors.js')) };
    ${source}`;
  const [program, ...args] = [...prefix, process.execPath, '--input-type=module', '-e', module];
  const { status, signal, stdout, stderr } = spawnSync(program ?? process.execPath, args, {
    encoding: 'utf8',
    timeout: timeoutMs,
  });
  return { status, signal, stdout, stderr };
}
