/** A terminal of some size, as a person before it would have it: a program runs on a pty, its screen can be read, keys pressed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import headless from '@xterm/headless';
import { openPtyPort } from '../../src/daemon/pty-port.js';
import type { PtyPort } from '../../src/sim/live.js';
import { run } from './daemon-support.js';
import { nextTurns } from './native-support.js';

/** For a busy machine. */
const PATIENCE_MS = 15_000;

export class PtyTerminal {
  readonly emulator: headless.Terminal;
  readonly process: ChildProcess;
  /** All that was written to the terminal. */
  written = '';
  readonly #port: PtyPort;
  readonly #modesBefore: string;
  readonly #exit: Promise<number | null>;

  /** @param command with a controlling terminal of its own */
  constructor(command: readonly string[], env: NodeJS.ProcessEnv = {}, columns = 80, rows = 24) {
    this.emulator = new headless.Terminal({ cols: columns, rows, allowProposedApi: true });
    this.#port = openPtyPort();
    this.#port.onData((octets) => {
      this.written += Buffer.from(octets).toString('latin1');
      this.emulator.write(octets);
    });
    // The pty comes raw.
    run('stty', '-F', this.#port.slavePath, 'sane', 'rows', String(rows), 'cols', String(columns));
    this.#modesBefore = this.#modes();
    const slave = openSync(this.#port.slavePath, constants.O_RDWR | constants.O_NOCTTY);
    const { NO_COLOR: _, FORCE_COLOR: __, CI: ___, ...inherited } = process.env;
    this.process = spawn('setsid', ['--ctty', ...command], {
      stdio: [slave, slave, slave],
      env: { ...inherited, TERM: 'xterm-256color', ...env },
    });
    closeSync(slave);
    this.#exit = new Promise((resolve) => this.process.once('exit', (code) => resolve(code)));
  }

  /** The lines that are seen, without spaces at their ends. */
  screen(): string[] {
    const { active } = this.emulator.buffer;
    return Array.from(
      { length: this.emulator.rows },
      (_, i) => active.getLine(active.viewportY + i)?.translateToString(true) ?? '',
    );
  }

  /** Waits until the screen is so. */
  async until(condition: (lines: string[]) => boolean, what: string): Promise<string[]> {
    const untilMs = Date.now() + PATIENCE_MS;
    for (;;) {
      const lines = this.screen();
      if (condition(lines)) return lines;
      if (Date.now() > untilMs) throw new Error(`not seen: ${what}; but:\n${lines.join('\n')}`);
      await nextTurns(20);
    }
  }

  press(keys: string): void {
    this.#port.write(Buffer.from(keys));
  }

  resize(columns: number, rows: number): void {
    this.emulator.resize(columns, rows);
    run('stty', '-F', this.#port.slavePath, 'rows', String(rows), 'cols', String(columns));
  }

  /** The exit code; fails when the program does not end. */
  async exit(): Promise<number | null> {
    const late = nextTurns(PATIENCE_MS).then(() => {
      throw new Error('the program has not ended');
    });
    const code = await Promise.race([this.#exit, late]);
    // What it wrote last is still on its way to the emulator.
    await nextTurns(50);
    return code;
  }

  /** Whether the terminal is as the program found it: modes, screen and cursor. */
  asFound(): boolean {
    const cursor = Math.max(this.written.lastIndexOf('\u001b[?25h'), 0) >= this.written.lastIndexOf('\u001b[?25l');
    return this.#modes() === this.#modesBefore && this.emulator.buffer.active.type === 'normal' && cursor;
  }

  /** For the end of a test, however it went. */
  async close(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.#exit;
    this.#port.close();
    this.emulator.dispose();
  }

  #modes(): string {
    return run('stty', '-F', this.#port.slavePath, '-g');
  }
}
