/**
 * Stations on one machine: an emulated medium, and for each station a process with a network namespace of its own in
 * which the real bridge runs. What is here directs those processes; they end with it, and leave nothing behind.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { SluiceError } from '../base/errors.js';
import type { MediumSummary } from '../sim/summary.js';
import { askControl } from './control-client.js';
import type { CallName, Ended, Failure, LogRecord, Message, StationCalls } from './station-calls.js';
import type { BridgeStatus } from './status.js';

/** A process that has been told to end and does not is killed after this. */
const END_PATIENCE_MS = 30_000;

/** Compiled files are started, also where this one runs from its source, as in tests. */
function compiled(path: string): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  const found = join(folder, 'dist/src', path);
  if (existsSync(found)) return found;
  throw new SluiceError('system', `${found} is missing`, { subject: found, remedy: 'Build it with `npm run setup`.' });
}

export interface StationStart {
  readonly number: number;
  readonly profile: string;
  /** The line to its modem. */
  readonly port: string;
  /** `10.0.0.N/24` unless given. */
  readonly addresses?: readonly string[];
  /** `air.rateBps=38400` and the like. */
  readonly settings?: readonly string[];
  /** Further arguments of `sluice up`. */
  readonly args?: readonly string[];
}

export const INTERFACE = 'sluice0';

export function addressOf(station: number): string {
  return `10.0.0.${station}`;
}

/** One station: its process, its namespace, its bridge. */
export class Station {
  /** What its bridge has logged. */
  readonly log: LogRecord[] = [];
  readonly control: string;
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, { resolve(report: unknown): void; reject(error: unknown): void }>();
  #lastId = 0;
  #ended: Ended | undefined;

  private constructor(process: ChildProcess, control: string) {
    this.#process = process;
    this.control = control;
  }

  /**
   * A process in a network namespace of its own.
   * @param folder where its control socket goes; taken away by the process when its parent has died
   * @throws SluiceError `privilege` without CAP_SYS_ADMIN
   */
  static async open(folder: string, name: string): Promise<Station> {
    const child = fork(compiled('daemon/station-host.js'), [folder], {
      execArgv: [],
      // Out of reach of the terminal's interrupt, so that its parent can end it in order.
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const station = new Station(child, join(folder, `${name}.sock`));
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (status, signal) => {
        station.#gone(status, signal);
        reject(new SluiceError('system', `a station's process ended with ${signal ?? `exit code ${status}`}`));
      });
      child.on('message', (message: Message) => {
        if (message.kind === 'started') resolve();
        else if (message.kind === 'not-started') reject(errorOf(message.failure));
        else station.#take(message);
      });
    });
    return station;
  }

  /** @throws SluiceError what the station's process could not do */
  async call<K extends CallName>(call: K, order: StationCalls[K]['order']): Promise<StationCalls[K]['report']> {
    const id = ++this.#lastId;
    return await new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: (report) => resolve(report as StationCalls[K]['report']), reject });
      if (!this.#process.connected) this.#gone(this.#process.exitCode, this.#process.signalCode);
      else this.#process.send({ id, call, order });
    });
  }

  /** Starts its bridge. @throws SluiceError as `sluice up` exits: `configuration`, `privilege`, `line`, ... */
  async up(start: StationStart): Promise<LogRecord> {
    const addresses = start.addresses ?? [`${addressOf(start.number)}/24`];
    return await this.call('up', {
      args: [
        ...['-p', start.profile, '--port', start.port, '--name', INTERFACE, '--control', this.control],
        ...['--station', String(start.number)],
        ...addresses.flatMap((address) => ['--address', address]),
        ...(start.settings ?? []).flatMap((setting) => ['--set', setting]),
        ...(start.args ?? []),
      ],
    });
  }

  async status(): Promise<BridgeStatus> {
    return (await askControl(this.control, 'status')) as BridgeStatus;
  }

  /** Of its process, whose network namespace is the station's. */
  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** How its bridge ended, if it has. */
  get bridgeEnded(): Ended | undefined {
    return this.#ended;
  }

  /** Ends the bridge, if one runs, and the process. Idempotent. */
  async close(): Promise<void> {
    const child = this.#process;
    if (child.exitCode !== null || child.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => child.kill('SIGKILL'), END_PATIENCE_MS);
      child.once('exit', () => {
        clearTimeout(timer);
        resolve();
      });
      // Which it takes for the end of its parent.
      if (child.connected) child.disconnect();
    });
  }

  #take(message: Message): void {
    switch (message.kind) {
      case 'log':
        this.log.push(message.record);
        break;
      case 'ended':
        this.#ended = message.ended;
        break;
      case 'answer':
        this.#waiting.get(message.id)?.resolve(message.report);
        this.#waiting.delete(message.id);
        break;
      case 'failure':
        this.#waiting.get(message.id)?.reject(errorOf(message.failure));
        this.#waiting.delete(message.id);
        break;
      case 'started':
      case 'not-started':
        break;
    }
  }

  #gone(status: number | null, signal: string | null): void {
    const error = new SluiceError('system', `a station's process has ended (${signal ?? `exit code ${status}`})`);
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

function errorOf({ code, message, remedy }: Failure): SluiceError {
  return new SluiceError(code, message, { remedy });
}

/** `sluice sim` in a process of its own, so that its load disturbs nobody's clock. */
export class EmulatedMedium {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  /** The serial port of each station. */
  readonly ports: ReadonlyMap<number, string>;

  private constructor(child: ChildProcess, lines: AsyncIterator<string>, ports: ReadonlyMap<number, string>) {
    this.#child = child;
    this.#lines = lines;
    this.ports = ports;
  }

  /** @param medium the text of a MEDIUM.yaml */
  static async start(folder: string, medium: string, seed?: number): Promise<EmulatedMedium> {
    const file = join(folder, 'medium.yaml');
    writeFileSync(file, medium);
    const preload = new URL(`file://${compiled('daemon/leash-preload.js')}`).href;
    const seeded = seed === undefined ? [] : ['--seed', String(seed)];
    const child = spawn(
      process.execPath,
      ['--import', preload, compiled('cli/main.js'), 'sim', file, '--dir', folder, ...seeded],
      { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], detached: true },
    );
    let stderr = '';
    child.stderr?.on('data', (text: Buffer) => {
      stderr += text.toString();
    });
    if (child.stdout === null) throw new SluiceError('internal', 'a child without stdout');
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const first = await lines.next();
    if (first.done === true) throw new SluiceError('system', `the emulated medium did not start: ${stderr.trim()}`);
    const ready = JSON.parse(first.value) as { stations: Record<string, string> };
    const ports = new Map(Object.entries(ready.stations).map(([id, path]) => [Number(id), path]));
    return new EmulatedMedium(child, lines, ports);
  }

  port(station: number): string {
    const path = this.ports.get(station);
    if (path === undefined) throw new SluiceError('internal', `no station ${station} on this medium`);
    return path;
  }

  /** Ends it. @returns what it has seen; undefined when it did not say */
  async stop(): Promise<MediumSummary | undefined> {
    const child = this.#child;
    const timer = setTimeout(() => child.kill('SIGKILL'), END_PATIENCE_MS);
    child.kill('SIGTERM');
    const last = await this.#lines.next();
    if (child.exitCode === null && child.signalCode === null) {
      await new Promise((resolve) => child.once('exit', resolve));
    }
    clearTimeout(timer);
    return last.done === true ? undefined : (JSON.parse(last.value) as MediumSummary);
  }
}

/** A folder, a medium and stations, to be closed together. */
export class Neighbourhood {
  readonly folder = mkdtempSync(join(tmpdir(), 'sluice-'));
  readonly stations: Station[] = [];
  #medium: EmulatedMedium | undefined;
  #closing: Promise<MediumSummary | undefined> | undefined;

  get medium(): EmulatedMedium {
    if (this.#medium === undefined) throw new SluiceError('internal', 'no medium was started');
    return this.#medium;
  }

  async startMedium(yaml: string, seed?: number): Promise<EmulatedMedium> {
    this.#medium = await EmulatedMedium.start(this.folder, yaml, seed);
    return this.#medium;
  }

  /** The next station's process, without a bridge as yet. */
  async open(): Promise<Station> {
    const station = await Station.open(this.folder, `station-${this.stations.length + 1}`);
    this.stations.push(station);
    return station;
  }

  /** Ends everything: the bridges first, so that they end in order. Idempotent. */
  close(): Promise<MediumSummary | undefined> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<MediumSummary | undefined> {
    try {
      await Promise.all(this.stations.map((station) => station.close()));
      return await this.#medium?.stop();
    } finally {
      rmSync(this.folder, { recursive: true, force: true });
    }
  }
}
