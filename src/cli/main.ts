#!/usr/bin/env node
/** The command line: one file a command; errors become a message, a remedy and an exit code. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { EXIT_CODES, isSluiceError } from '../base/errors.js';
import { addCapture } from './capture.js';
import { addCheck } from './check.js';
import { addDemo } from './demo.js';
import { addProfiles } from './profiles.js';
import { addReport } from './report.js';
import { addSim } from './sim.js';
import { addStatus } from './status.js';
import { addTop } from './top.js';
import { addUp } from './up.js';

const EXIT_UNEXPECTED = 1;

function version(): string {
  const path = join(dirname(fileURLToPath(import.meta.url)), '../../../package.json');
  const content: unknown = JSON.parse(readFileSync(path, 'utf8'));
  return typeof content === 'object' && content !== null && 'version' in content ? String(content.version) : 'unknown';
}

function program(): Command {
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
  const commands = [addUp, addCheck, addProfiles, addStatus, addTop, addCapture, addReport, addSim, addDemo];
  for (const add of commands) add(root);
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

// A reader that goes away (sluice ... | head) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

try {
  await program().parseAsync();
} catch (error) {
  const { text, code } = explain(error);
  process.stderr.write(text);
  process.exitCode = code;
  // Whatever a failed start left open must not keep the process alive.
  setTimeout(() => process.exit(), 500).unref();
}
