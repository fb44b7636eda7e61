/** The daemon under a service manager that keeps its queue: service-manager.py, driven from a test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DaemonOptions, daemonArguments, LogReader, ROOT } from './daemon-support.js';
import { until } from './native-support.js';

const MANAGER = join(ROOT, 'test/system/service-manager.py');
/** For a start or an end of the daemon on a busy machine. */
const LIMIT_MS = 30_000;

export class ManagedDaemon {
  readonly log = new LogReader();
  readonly #folder = mkdtempSync(join(tmpdir(), 'sluice-'));
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor(options: Omit<DaemonOptions, 'control'>) {
    const command = [process.execPath, ...daemonArguments({ ...options, control: join(this.#folder, 'control.sock') })];
    this.#process = spawn('python3', [MANAGER, join(this.#folder, 'notify'), ...command], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#process.stdout?.setEncoding('utf8').on('data', (text: string) => this.log.push(text));
    this.#ended = new Promise((resolve) => this.#process.once('close', resolve));
  }

  tell(word: 'start' | 'term' | 'kill' | 'quit'): void {
    this.#process.stdin?.write(`${word}\n`);
  }

  /** Waits until the daemon has been ready so often. */
  async ready(times: number): Promise<void> {
    await until(() => this.#count('ready') === times, `the daemon ready, ${times} times`, LIMIT_MS);
  }

  async exited(times: number): Promise<void> {
    await until(() => this.#count('manager-exit') === times, `the daemon gone, ${times} times`, LIMIT_MS);
  }

  /** Manager, daemon and stored queue. */
  async end(): Promise<void> {
    this.tell('quit');
    await this.#ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #count(event: string): number {
    return this.log.lines.filter((line) => line.event === event).length;
  }
}
