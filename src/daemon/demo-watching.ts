/** What the demonstration tells about itself while it runs: the commands that look at its bridges, to be copied; and its logs. */
import { accessSync, constants, mkdtempSync, rmdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { SluiceError } from '../base/errors.js';
import { makeFolder } from '../observe/folder.js';
import { INTERFACE, type Station } from './stations.js';

/** Each bridge has its own loopback device, so they all take Prometheus' usual place for exporters. */
export const METRICS = '127.0.0.1:9464';

/** As `--log-file` wants it: the files are called station-1.1.log and so on. */
export function logFile(folder: string, number: number): string {
  return join(folder, `station-${number}.log`);
}

export function reportCommand(folder: string): string {
  return `npx sluice report ${join(folder, 'station-*.log')} -o report.html`;
}

/**
 * The folder for the stations' logs, made if it is missing.
 * @throws SluiceError `usage` when nothing can be written there
 */
export function makeLogFolder(folder: string): void {
  try {
    makeFolder(folder);
    // Permissions alone do not tell: root has them all, on a read-only file system too.
    rmdirSync(mkdtempSync(join(folder, '.sluice-')));
  } catch (cause) {
    throw new SluiceError('usage', `--logs ${folder}: ${cause instanceof Error ? cause.message : cause}`, {
      remedy: 'Name a folder that can be written with --logs.',
      cause,
    });
  }
}

/** Programs that some of the commands need beside our own, and Debian's packages of them. */
const PACKAGES: Readonly<Record<string, string>> = { tshark: 'tshark', nsenter: 'util-linux', curl: 'curl' };

/** Of the packages that the commands need, those whose programs are in none of the folders. */
export function missingPackages(path = process.env.PATH ?? ''): string[] {
  const folders = path.split(delimiter).filter((folder) => folder !== '');
  return Object.entries(PACKAGES)
    .filter(([program]) => !folders.some((folder) => isExecutable(join(folder, program))))
    .map(([, name]) => name);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * @param first station 1, which stands for all of them
 * @param missing packages that are not installed
 */
export function howToWatch(
  first: Pick<Station, 'control' | 'pid'>,
  count: number,
  logs: { readonly folder: string; readonly kept: boolean },
  missing: readonly string[],
): string[] {
  const { control, pid } = first;
  const inside = `nsenter -t ${pid} -n`;
  return [
    `to watch station 1 of ${count} from another terminal in this folder (the others: .../station-2.sock and so on):`,
    `  npx sluice top --control ${control}`,
    `  npx sluice status --watch --control ${control}`,
    `  npx sluice capture --control ${control}`,
    `  npx sluice capture --control ${control} -w - | tshark -X lua_script:hardware/wireshark/sluice.lua -r -`,
    `  ${inside} npx sluice capture ${INTERFACE} --interface-side -w - | tshark -r -`,
    `  ${inside} curl -s http://${METRICS}/metrics`,
    `  ${reportCommand(logs.folder)}`,
    ...(missing.length === 0
      ? []
      : [`  (not installed here: ${missing.join(', ')}; apt-get install ${missing.join(' ')})`]),
    ...(logs.kept ? [] : ['  (the logs go with the demo, unless --logs DIR keeps them; --seconds N makes it longer)']),
  ];
}
