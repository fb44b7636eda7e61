/** A live medium in this process: emulated modems behind ptys, with a stable link to each. */
import { lstatSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { SluiceError } from '../base/errors.js';
import { makeFolder } from '../observe/folder.js';
import { LiveMedium } from '../sim/live.js';
import type { MediumPlan } from '../sim/medium-file.js';
import type { MediumSummary } from '../sim/summary.js';
import { runBeforeOthers } from './host-scheduling.js';
import { openPtyPort } from './pty-port.js';
import { RealTime } from './real-time.js';

export interface RunningMedium {
  /** The link of each station. */
  readonly links: ReadonlyMap<number, string>;
  readonly medium: LiveMedium;
  /** Ends it and takes the links away. */
  stop(): MediumSummary;
}

/** @throws SluiceError `configuration` for a folder in which the links cannot be made */
export function runMedium(plan: MediumPlan, folder: string, seed: number): RunningMedium {
  runBeforeOthers('slots');
  const medium = new LiveMedium({ scheduler: new RealTime(), plan, ptyOf: openPtyPort, seed });
  const links = new Map<number, string>();
  const unlink = (): void => {
    for (const link of links.values()) rmSync(link, { force: true });
  };
  try {
    makeFolder(folder);
    for (const [station, path] of medium.slavePaths) {
      const link = join(folder, `station-${station}`);
      // A link that an earlier medium left; any other file of that name is somebody's, and refused below.
      if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() === true) rmSync(link, { force: true });
      symlinkSync(path, link);
      links.set(station, link);
    }
  } catch (cause) {
    unlink();
    medium.stop();
    throw new SluiceError('configuration', `cannot make the stations' links in ${folder}`, {
      subject: folder,
      remedy: 'Choose with --dir a folder that can be written and has no other files named station-ID.',
      cause,
    });
  }
  return {
    links,
    medium,
    stop: () => {
      unlink();
      return medium.stop();
    },
  };
}
