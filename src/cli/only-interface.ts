/** The bridge that is meant when none is named. */
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { SluiceError } from '../base/errors.js';
import { answers } from '../daemon/control-answers.js';

const FOLDER = '/run/sluice';
const SUFFIX = '.sock';

/**
 * A socket that a killed bridge has left is no bridge, and neither is the link from a name that one had before.
 * @param folder instead of the usual one
 * @throws SluiceError `usage` when no bridge runs, or several do
 */
export async function onlyInterface(folder = FOLDER): Promise<string> {
  const names = await running(folder);
  const [only, ...others] = names;
  if (only !== undefined && others.length === 0) return only;
  throw new SluiceError('usage', names.length === 0 ? 'no bridge is running' : 'several bridges are running', {
    remedy:
      names.length === 0
        ? 'Start one with "sluice up", or name its socket with --control.'
        : `Name one of: ${names.join(', ')}.`,
  });
}

async function running(folder: string): Promise<string[]> {
  let files: string[] = [];
  try {
    files = readdirSync(folder).filter((file) => file.endsWith(SUFFIX) && lstatSync(join(folder, file)).isSocket());
  } catch {
    // No folder, no bridge.
  }
  const answering = await Promise.all(files.map((file) => answers(join(folder, file))));
  return files.filter((_, index) => answering[index]).map((file) => file.slice(0, -SUFFIX.length));
}
