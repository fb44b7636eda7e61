/** The bridge that is meant when none is named. */
import { readdirSync } from 'node:fs';
import { SluiceError } from '../base/errors.js';

/** @throws SluiceError `usage` when no bridge runs, or several do */
export function onlyInterface(): string {
  const folder = '/run/sluice';
  let names: string[] = [];
  try {
    names = readdirSync(folder).filter((file) => file.endsWith('.sock'));
  } catch {
    // No folder, no bridge.
  }
  const [only, ...others] = names;
  if (only !== undefined && others.length === 0) return only.slice(0, -'.sock'.length);
  throw new SluiceError('usage', names.length === 0 ? 'no bridge is running' : 'several bridges are running', {
    remedy:
      names.length === 0
        ? 'Start one with "sluice up", or name its socket with --control.'
        : `Name one of: ${names.map((file) => file.slice(0, -'.sock'.length)).join(', ')}.`,
  });
}
