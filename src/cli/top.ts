/** `sluice top`: a running bridge and its channel, live, until q, Ctrl-C or SIGTERM. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { isSluiceError } from '../base/errors.js';
import { askControl } from '../daemon/control-client.js';
import { defaultControlPath } from '../daemon/control-socket.js';
import type { BridgeStatus } from '../daemon/status.js';
import { lookInterval, untilSignal } from './arguments.js';
import { onlyInterface } from './only-interface.js';
import { History } from './top/figures.js';
import { plainLine } from './top/plain.js';
import { screen } from './top/screen.js';
import { Terminal } from './top/terminal.js';

interface TopOptions {
  readonly control?: string;
  readonly interval: number;
}

/** What is shown, and where. */
interface View {
  /** Something new is known: figures, or that the bridge has been silent for so long. */
  show(history: History, silentMs?: number): void;
  close(): void;
}

export function addTop(root: Command): void {
  root
    .command('top')
    .description(
      'watch a running bridge and its channel, until q, Ctrl-C or SIGTERM; without a terminal, in lines of text',
    )
    .argument('[if]', 'interface; may be left out when one bridge runs')
    .option('--control <path>', 'its control socket (default /run/sluice/IF.sock)')
    .option('--interval <seconds>', 'seconds between two looks (1 to 3600)', lookInterval, 2)
    .addHelpText('after', '\nWithout colour: NO_COLOR=1.')
    .action(async (name: string | undefined, options: TopOptions) => {
      await watch(options.control ?? defaultControlPath(name ?? (await onlyInterface())), 1000 * options.interval);
      // A question that a hanging bridge has not answered does not hold anybody up.
      process.exit();
    });
}

/** @throws SluiceError `line` when no bridge answers at the start; later it is waited for */
async function watch(path: string, intervalMs: number): Promise<void> {
  const quit = new AbortController();
  void untilSignal().then(() => quit.abort());
  const history = new History();
  history.add((await askControl(path, 'status')) as BridgeStatus);
  const view = openView(history, intervalMs, () => quit.abort());
  try {
    view.show(history);
    await Promise.race([keepLooking(path, intervalMs, history, view), ended(quit.signal)]);
  } finally {
    view.close();
  }
}

async function keepLooking(path: string, intervalMs: number, history: History, view: View): Promise<never> {
  let answeredMs = Date.now();
  for (;;) {
    await sleep(intervalMs);
    try {
      history.add((await askControl(path, 'status')) as BridgeStatus);
      answeredMs = Date.now();
      view.show(history);
    } catch (error) {
      if (!isSluiceError(error)) throw error;
      view.show(history, Date.now() - answeredMs);
    }
  }
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function timeOfDay(): string {
  return new Date().toTimeString().slice(0, 8);
}

function openView(history: History, intervalMs: number, quit: () => void): View {
  const { stdin, stdout, env } = process;
  // A terminal that cannot move its cursor, such as an editor's, gets lines.
  if (!stdout.isTTY || env.TERM === 'dumb') return plainView();
  let silent: { silentMs?: number } = {};
  const draw = (): void => {
    const figures = history.figures();
    if (figures === undefined) return;
    const { size, colour } = terminal;
    terminal.draw(screen(figures, { ...size, colour, intervalMs, timeOfDay: timeOfDay(), ...silent }));
  };
  const terminal = new Terminal(stdin, stdout, { quit, resized: draw });
  return {
    show: (_history, silentMs) => {
      silent = silentMs === undefined ? {} : { silentMs };
      draw();
    },
    close: () => terminal.close(),
  };
}

function plainView(): View {
  return {
    show: (history, silentMs) => {
      const figures = history.figures();
      if (figures === undefined) return;
      const text =
        silentMs === undefined
          ? plainLine(figures, timeOfDay())
          : `${timeOfDay()} ${figures.status.interface} no answer for ${Math.round(silentMs / 1000)} s; asking again`;
      process.stdout.write(`${text}\n`);
    },
    close: () => undefined,
  };
}
