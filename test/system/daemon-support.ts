/** A whole daemon under test: its process and log, a modem that this process plays, numbered packets through its TAP. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { askControl } from '../../src/daemon/control-client.js';
import { openPtyPort } from '../../src/daemon/pty-port.js';
import type { BridgeStatus } from '../../src/daemon/status.js';
import { slipCodec } from '../../src/framing/slip.js';
import { UdpSocket } from '../../src/native/addon.js';
import { decodeLinkFrame, encodeLinkFrame, type LinkFrame } from '../../src/wire/link-frame.js';
import { nextTurns } from './native-support.js';

/** From test/ under vitest, from dist/test/ in a benchmark. */
export const ROOT = fileURLToPath(
  new URL(import.meta.url.includes('/dist/test/') ? '../../..' : '../..', import.meta.url),
);
export const MAIN = join(ROOT, 'dist/src/cli/main.js');

/** Numbers of the packets' payloads; the peer is station 2. */
export const OWN_ADDRESS = '10.77.0.1';
export const PEER_ADDRESS = '10.77.0.2';
const PORT = 7777;
/** IPv4 and UDP headers. */
const NUMBER_OFFSET = 28;
const FCS_BYTES = 4;

export interface LogLine {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** Runs a program of the system to its end; throws when it fails. */
export function run(program: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** A modem on a pty: takes what the daemon sends, as fast as it comes, and can send frames itself. */
export class Modem {
  readonly frames: LinkFrame[] = [];
  /** Where the daemon finds it. */
  readonly path: string;
  /** Called for each frame. */
  onFrame: ((frame: LinkFrame) => void) | undefined;
  readonly #port = openPtyPort();
  readonly #codec = slipCodec({ maxFrameBytes: 16_384 });

  constructor() {
    this.path = this.#port.slavePath;
    const decoder = this.#codec.decoder({
      frame: (octets) => {
        const frame = decodeLinkFrame(octets, FCS_BYTES);
        if (typeof frame === 'string') return;
        this.frames.push(frame);
        this.onFrame?.(frame);
      },
      discard: () => undefined,
    });
    this.#port.onData((octets) => decoder.push(octets));
  }

  /** The numbers of the packets that came, in order. */
  numbers(): number[] {
    return this.frames
      .filter((frame) => frame.type === 'ip' && frame.body.length >= NUMBER_OFFSET + 4)
      .map(({ body }) => new DataView(body.buffer, body.byteOffset).getUint32(NUMBER_OFFSET));
  }

  send(frame: LinkFrame): void {
    this.#port.write(this.#codec.encode(encodeLinkFrame(frame, FCS_BYTES)));
  }

  /** Many frames: what the pty has no room for waits, where `send` would lose it. */
  async sendAll(frames: readonly LinkFrame[]): Promise<void> {
    for (const frame of frames) {
      let octets = this.#codec.encode(encodeLinkFrame(frame, FCS_BYTES));
      for (;;) {
        octets = octets.subarray(Math.max(0, this.#port.write(octets)));
        if (octets.length === 0) break;
        await nextTurns(1);
      }
    }
  }

  acknowledge(frame: LinkFrame): void {
    const { sequence } = frame;
    const body = Uint8Array.of();
    this.send({
      type: 'ack',
      destination: frame.source,
      source: 2,
      sequence: (sequence + 1) % 32,
      behind: 0,
      more: false,
      retry: false,
      body,
    });
  }

  close(): void {
    this.#port.close();
  }
}

/** Sends numbered UDP packets to the peer, without waiting: what is refused is not counted as sent. */
export class Sender {
  readonly #socket: UdpSocket;
  next = 0;

  constructor(sendBufferBytes?: number) {
    this.#socket = new UdpSocket({
      address: OWN_ADDRESS,
      ...(sendBufferBytes === undefined ? {} : { sendBufferBytes }),
    });
  }

  /** False when the socket is held back, or the kernel refused. */
  send(payloadBytes = 64): boolean {
    const payload = new Uint8Array(payloadBytes);
    new DataView(payload.buffer).setUint32(0, this.next);
    if (this.#socket.send(payload, PEER_ADDRESS, PORT) < 0) return false;
    this.next++;
    return true;
  }

  sendMany(count: number, payloadBytes?: number): void {
    for (let i = 0; i < count; i++) {
      if (!this.send(payloadBytes)) throw new Error(`packet ${this.next} was refused`);
    }
  }

  /** Sends until it is held back, or `limit`. Gives the number of packets. */
  flood(limit: number, payloadBytes?: number): number {
    let sent = 0;
    while (sent < limit && this.send(payloadBytes)) sent++;
    return sent;
  }

  close(): void {
    this.#socket.close();
  }
}

export interface DaemonOptions {
  readonly modem: Modem;
  readonly name: string;
  readonly settings?: readonly string[];
  /** Further arguments of `up`. */
  readonly arguments?: readonly string[];
  /** Before node's path: setpriv and the like. */
  readonly prefix?: readonly string[];
  /** Without it, a path of its own. */
  readonly control?: string | null;
}

export function daemonArguments(options: DaemonOptions): string[] {
  const { modem, name, settings = [], control } = options;
  return [
    ...[MAIN, 'up', '-p', 'null-modem', '--port', modem.path, '--name', name, '--address', `${OWN_ADDRESS}/24`],
    // One packet a frame, so that they can be counted at the modem.
    ...['--station', '1', '--log-level', 'debug', '--log-interval', '1', '--set', 'link.aggregate=false'],
    ...(control === undefined || control === null ? [] : ['--control', control]),
    ...settings.flatMap((setting) => ['--set', setting]),
    ...(options.arguments ?? []),
  ];
}

/** Gathers the log's lines out of octets in any pieces. */
export class LogReader {
  readonly lines: LogLine[] = [];
  #rest = '';

  push(text: string): void {
    const parts = (this.#rest + text).split('\n');
    this.#rest = parts.pop() ?? '';
    for (const part of parts) if (part.startsWith('{')) this.lines.push(JSON.parse(part));
  }

  find(event: string, fields: Readonly<Record<string, unknown>> = {}): LogLine | undefined {
    return this.lines.find(
      (line) => line.event === event && Object.entries(fields).every(([key, value]) => line[key] === value),
    );
  }

  /** Waits for a line; when none comes, fails with what was logged instead. */
  async wait(event: string, fields: Readonly<Record<string, unknown>> = {}, limitMs = 20_000): Promise<LogLine> {
    const untilMs = Date.now() + limitMs;
    for (;;) {
      const found = this.find(event, fields);
      if (found !== undefined) return found;
      if (Date.now() > untilMs) {
        const seen = this.lines.map((line) => JSON.stringify(line)).join('\n');
        throw new Error(`no ${event} ${JSON.stringify(fields)} in the log:\n${seen}`);
      }
      await nextTurns(10);
    }
  }
}

export class Daemon {
  readonly log = new LogReader();
  readonly control: string;
  readonly process: ChildProcess;
  stderr = '';
  readonly #exit: Promise<number | null>;

  constructor(options: DaemonOptions) {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-'));
    this.control =
      options.control === null ? `/run/sluice/${options.name}.sock` : (options.control ?? join(folder, 'control.sock'));
    const control = options.control === null ? null : this.control;
    const command = [...(options.prefix ?? []), process.execPath, ...daemonArguments({ ...options, control })];
    this.process = spawn(command[0] ?? '', command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
    this.process.stdout?.setEncoding('utf8').on('data', (text: string) => this.log.push(text));
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.#exit = new Promise((resolve) => {
      this.process.once('close', (code) => {
        // A daemon that was killed leaves its socket.
        rmSync(folder, { recursive: true, force: true });
        resolve(code);
      });
    });
  }

  static async start(options: DaemonOptions): Promise<Daemon> {
    const daemon = new Daemon(options);
    await daemon.ready();
    return daemon;
  }

  async ready(): Promise<void> {
    const failed = this.#exit.then((code) => {
      if (this.log.find('ready') === undefined) throw new Error(`the daemon ended with ${code}: ${this.stderr}`);
    });
    await Promise.race([this.log.wait('ready'), failed]);
  }

  async status(path = this.control): Promise<BridgeStatus> {
    return (await askControl(path, 'status')) as BridgeStatus;
  }

  /** Waits until the status is so. */
  async until(condition: (status: BridgeStatus) => boolean, what: string, limitMs = 20_000): Promise<BridgeStatus> {
    const untilMs = Date.now() + limitMs;
    for (;;) {
      const status = await this.status();
      if (condition(status)) return status;
      if (Date.now() > untilMs) throw new Error(`not seen: ${what}; ${JSON.stringify(status)}`);
      await nextTurns(20);
    }
  }

  signal(name: NodeJS.Signals): void {
    this.process.kill(name);
  }

  /** The exit code; null when a signal ended it. */
  exit(): Promise<number | null> {
    return this.#exit;
  }

  async stop(): Promise<number | null> {
    this.signal('SIGTERM');
    return this.#exit;
  }

  /** For the end of a test, however it went. */
  async kill(): Promise<void> {
    this.signal('SIGCONT');
    this.signal('SIGKILL');
    await this.#exit;
  }
}
