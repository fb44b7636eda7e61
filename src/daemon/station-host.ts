/**
 * A station's process: a network namespace of its own, in it the real bridge (`sluice up`, a child process) and ordinary
 * sockets. Does what its parent asks, and ends with it. The namespace has no name: it goes with its last process, however
 * that ends.
 */
import { type ChildProcess, execFile, fork, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type ErrorCode, EXIT_CODES, isSluiceError, SluiceError } from '../base/errors.js';
import { NetlinkSocket } from '../native/addon.js';
import { unshareNetwork } from '../native/descriptors.js';
import { RouteNetlink } from '../netlink/route-netlink.js';
import { onParentGone } from './leash.js';
import type {
  CallName,
  Ended,
  Failure,
  FloodReport,
  LogRecord,
  Message,
  Request,
  RunOrder,
  RunReport,
  StationCalls,
} from './station-calls.js';
import { Ping, pace, Receiver, startEcho } from './station-datagrams.js';

const NETLINK_ROUTE = 0;
/** A bridge that ends in order takes a frame's airtime and two seconds at most. */
const DOWN_PATIENCE_MS = 60_000;
const OUTPUT_LIMIT_BYTES = 16 << 20;

/** The program that was started with `up`, and what it says. */
class BridgeProcess {
  readonly #child: ChildProcess;
  readonly ready: Promise<LogRecord>;
  readonly ended: Promise<Ended>;
  #stderr = '';

  constructor(args: readonly string[], tell: (record: LogRecord) => void) {
    const preload = new URL('./leash-preload.js', import.meta.url).href;
    const main = fileURLToPath(new URL('../cli/main.js', import.meta.url));
    const child = spawn(process.execPath, ['--import', preload, main, 'up', ...args, '--log-format', 'json'], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.ended = new Promise((resolve) => child.once('close', (status, signal) => resolve({ status, signal })));
    this.ready = new Promise((resolve, reject) => {
      if (child.stdout === null) throw new SluiceError('internal', 'a child without stdout');
      createInterface({ input: child.stdout }).on('line', (line) => {
        const record = parseRecord(line);
        if (record === undefined) return;
        tell(record);
        if (record.event === 'ready') resolve(record);
      });
      child.once('error', reject);
      void this.ended.then(({ status, signal }) => reject(this.#notReady(status, signal)));
    });
    // Who only wants to see it end need not wait for this.
    this.ready.catch(() => undefined);
  }

  async end(signal: NodeJS.Signals): Promise<Ended> {
    this.#child.kill(signal);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), DOWN_PATIENCE_MS);
    const ended = await this.ended;
    clearTimeout(timer);
    return ended;
  }

  #notReady(status: number | null, signal: string | null): SluiceError {
    const [first = '', ...rest] = this.#stderr.trim().split('\n');
    const message = first.replace(/^sluice: /, '') || `the bridge ended with ${signal ?? `exit code ${status}`}`;
    const remedy = rest.join('\n').trim();
    return new SluiceError(codeOfExit(status), message, { remedy: remedy === '' ? undefined : remedy });
  }
}

function codeOfExit(status: number | null): ErrorCode {
  switch (status) {
    case EXIT_CODES.configuration:
      return 'configuration';
    case EXIT_CODES.privilege:
      return 'privilege';
    case EXIT_CODES.line:
      return 'line';
    default:
      return 'system';
  }
}

function parseRecord(line: string): LogRecord | undefined {
  try {
    const record: unknown = JSON.parse(line);
    if (typeof record === 'object' && record !== null && 'event' in record) return record as LogRecord;
  } catch {
    // Not a line of the log.
  }
  return undefined;
}

class StationHost {
  readonly #netlink: RouteNetlink;
  readonly #receivers = new Map<number, Receiver>();
  #bridge: BridgeProcess | undefined;
  #flood: ChildProcess | undefined;
  readonly #programs = new Set<ChildProcess>();
  #ping: Ping | undefined;

  constructor(netlink: RouteNetlink) {
    this.#netlink = netlink;
  }

  /** One function for each call. */
  readonly calls: { [K in CallName]: (order: StationCalls[K]['order']) => unknown } = {
    up: async ({ args }) => {
      if (this.#bridge !== undefined) throw new SluiceError('internal', 'this station has a bridge already');
      const bridge = new BridgeProcess(args, (record) => send({ kind: 'log', record }));
      this.#bridge = bridge;
      void bridge.ended.then((ended) => {
        if (this.#bridge === bridge) this.#bridge = undefined;
        send({ kind: 'ended', ended });
      });
      return await bridge.ready;
    },
    down: async ({ signal }) => {
      if (this.#bridge === undefined) throw new SluiceError('internal', 'this station has no bridge');
      return await this.#bridge.end(signal);
    },
    receive: ({ port }) => {
      this.#receivers.set(port, new Receiver(port));
      return null;
    },
    received: ({ port }) => this.#receivers.get(port)?.arrivals ?? [],
    echo: ({ port, typeOfService }) => {
      startEcho(port, typeOfService);
      return null;
    },
    ping: async (order) => {
      this.#ping = new Ping(order);
      return await this.#ping.run();
    },
    stopPing: () => {
      this.#ping?.stop();
      return null;
    },
    pace,
    flood: (order) => {
      this.#flood?.kill('SIGKILL');
      this.#flood = fork(fileURLToPath(new URL('./station-flood.js', import.meta.url)), { execArgv: [] });
      this.#flood.send({ order });
      return null;
    },
    flooded: async ({ stop }) => {
      const child = this.#flood;
      if (child === undefined) throw new SluiceError('internal', 'nobody floods here');
      const report = await new Promise<FloodReport>((resolve, reject) => {
        const gone = (): void => reject(new SluiceError('system', 'the flooding sender has ended'));
        child.once('exit', gone);
        child.once('message', (answer) => {
          child.off('exit', gone);
          resolve(answer as FloodReport);
        });
        child.send('report');
      });
      if (stop) child.kill('SIGKILL');
      return report;
    },
    run: (order) => runProgram(order, this.#programs),
    queueLength: ({ name, packets }) => {
      this.#netlink.setLink(this.#netlink.linkByName(name).ifindex, { txQueueLength: packets });
      return null;
    },
    linkStatistics: ({ name }) => this.#netlink.linkByName(name).statistics,
  };

  /** Everything that this process started. */
  async endAll(): Promise<void> {
    this.#flood?.kill('SIGKILL');
    for (const program of this.#programs) program.kill('SIGKILL');
    await this.#bridge?.end('SIGTERM');
  }
}

/** @param running holds it as long as it runs */
function runProgram({ program, args, timeoutMs }: RunOrder, running: Set<ChildProcess>): Promise<RunReport> {
  return new Promise((resolve) => {
    const options = { encoding: 'utf8', timeout: timeoutMs, maxBuffer: OUTPUT_LIMIT_BYTES } as const;
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      running.delete(child);
      const text = error !== null && child.pid === undefined ? `${stderr}${error.message}` : stderr;
      resolve({ status: child.exitCode, signal: child.signalCode, stdout, stderr: text });
    });
    running.add(child);
  });
}

function failureOf(error: unknown): Failure {
  if (!isSluiceError(error))
    return { code: 'internal', message: error instanceof Error ? error.message : String(error) };
  const { remedy } = error.details;
  return { code: error.code, message: error.message, ...(remedy === undefined ? {} : { remedy }) };
}

function send(message: Message): void {
  // A parent that is gone needs no answer.
  if (process.connected) process.send?.(message, () => undefined);
}

/** Before anything else: what this thread opens and spawns from now on belongs to the new namespace. */
function openNamespace(): RouteNetlink {
  unshareNetwork();
  const netlink = new RouteNetlink(new NetlinkSocket(NETLINK_ROUTE));
  netlink.setLink(netlink.linkByName('lo').ifindex, { up: true });
  return netlink;
}

function main(): void {
  // Interrupting the whole demonstration from the terminal is the parent's matter.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
  let host: StationHost;
  try {
    host = new StationHost(openNamespace());
  } catch (error) {
    process.send?.({ kind: 'not-started', failure: failureOf(error) } satisfies Message, () => process.disconnect());
    return;
  }
  process.on('message', (request: Request) => {
    const call = host.calls[request.call] as (order: Request['order']) => unknown;
    Promise.resolve()
      .then(() => call(request.order))
      .then((report) => send({ kind: 'answer', id: request.id, report }))
      .catch((error: unknown) => send({ kind: 'failure', id: request.id, failure: failureOf(error) }));
  });
  const [folder] = process.argv.slice(2);
  onParentGone(() => {
    void host.endAll().finally(() => {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
      process.exit();
    });
  });
  process.channel?.ref();
  send({ kind: 'started' });
}

main();
