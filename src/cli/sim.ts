/** `sluice sim`: emulated modems on a shared medium, live, until SIGINT or SIGTERM. */
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { runMedium } from '../daemon/run-medium.js';
import { readMediumFile } from '../sim/medium-file.js';
import { untilSignal, wholeNumber } from './arguments.js';

export function addSim(root: Command): void {
  root
    .command('sim')
    .description('emulated modems on a shared medium; DIR/station-ID is the serial port of each')
    .argument('<medium>', 'MEDIUM.yaml: rate, stations, who hears whom')
    .option('--dir <dir>', 'where the links to the ptys go', '.')
    .option('--seed <n>', 'for bit errors and collisions that can be repeated', wholeNumber)
    .action(async (file: string, options: { dir: string; seed?: number }) => {
      const plan = readMediumFile(file);
      const seed = options.seed ?? plan.seed ?? randomBytes(4).readUInt32LE();
      const signal = untilSignal();
      const running = runMedium(plan, resolve(options.dir), seed);
      const stations = Object.fromEntries(running.links);
      process.stdout.write(`${JSON.stringify({ event: 'ready', seed, stations })}\n`);
      await signal;
      process.stdout.write(`${JSON.stringify(running.stop())}\n`);
    });
}
