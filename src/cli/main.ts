#!/usr/bin/env node
/** The command line: one file a command; errors become a message, a remedy and an exit code. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { EXIT_CODES, isSluiceError } from '../base/errors.js';
import { stayLean } from '../daemon/lean-memory.js';

const EXIT_UNEXPECTED = 1;

/** By name. Only the one that is asked for is loaded: the others cost a daemon that runs for months megabytes. */
const COMMANDS: Readonly<Record<string, () => Promise<(root: Command) => void>>> = {
  up: async () => {
    stayLean();
    return (await import('./up.js')).addUp;
  },
  check: async () => (await import('./check.js')).addCheck,
  profiles: async () => (await import('./profiles.js')).addProfiles,
  status: async () => (await import('./status.js')).addStatus,
  top: async () => (await import('./top.js')).addTop,
  capture: async () => (await import('./capture.js')).addCapture,
  report: async () => (await import('./report.js')).addReport,
  sim: async () => (await import('./sim.js')).addSim,
  demo: async () => (await import('./demo.js')).addDemo,
};

function version(): string {
  const path = join(dirname(fileURLToPath(import.meta.url)), '../../../package.json');
  const content: unknown = JSON.parse(readFileSync(path, 'utf8'));
  return typeof content === 'object' && content !== null && 'version' in content ? String(content.version) : 'unknown';
}

/** @param asked the first argument; where it is no command, all of them are there to be listed */
async function program(asked: string | undefined): Promise<Command> {
  const root = new Command('sluice')
    .description('Turns a modem on a serial port into a network interface that feels the channel.')
    .version(version())
    .showHelpAfterError('(--help shows what is allowed)')
    .exitOverride()
    .addHelpText(
      'after',
      `
Exit codes: 0 done; 1 unexpected; 2 usage or configuration; 3 a missing privilege or kernel feature;
4 the line, or the daemon asked for, cannot be reached.`,
    );
  const wanted = asked !== undefined && Object.hasOwn(COMMANDS, asked) ? [asked] : Object.keys(COMMANDS);
  for (const name of wanted) (await COMMANDS[name]?.())?.(root);
  for (const command of root.commands) command.exitOverride().showHelpAfterError('(--help shows what is allowed)');
  return root;
}

/** What to print and which code to exit with. */
function explain(error: unknown): { text: string; code: number } {
  if (error instanceof CommanderError) return { text: '', code: error.exitCode === 0 ? 0 : EXIT_CODES.usage };
  if (isSluiceError(error)) {
    const remedy = error.details.remedy === undefined ? '' : `\n  ${error.details.remedy}`;
    return { text: `sluice: ${error.message}${remedy}\n`, code: error.exitCode };
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { text: `sluice: unexpected failure, please report it:\n${detail}\n`, code: EXIT_UNEXPECTED };
}

// A reader that goes away (sluice ... | head) is no failure; a full disk is one.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  process.stderr.write(`sluice: standard output cannot be written: ${error.message}\n  Is the disk full?\n`);
  process.exit(EXIT_UNEXPECTED);
});

try {
  await (await program(process.argv[2])).parseAsync();
} catch (error) {
  const { text, code } = explain(error);
  process.stderr.write(text);
  process.exitCode = code;
  // Whatever a failed start left open must not keep the process alive.
  setTimeout(() => process.exit(), 500).unref();
}
