/** Lines that a test pulls out and plugs in again: ptys behind a stable link, as udev makes them, and TCP servers. */
import { renameSync, rmSync, symlinkSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { Pty } from '../../src/native/addon.js';

const BUFFER_BYTES = 65_536;

/** One end of a line, in the hands of the test. */
export interface End {
  write(octets: Uint8Array): void;
  onData: (octets: Uint8Array) => void;
}

/** A serial adapter: a link that stays, and a pty behind it that comes and goes. */
export class Plug implements End {
  readonly link: string;
  onData: (octets: Uint8Array) => void = () => undefined;
  /** Whether what the host writes is taken; if not, its writes fall short, as with flow control that holds. */
  #reading = true;
  #pty: Pty | undefined;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #waiting: Uint8Array[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(folder: string, name: string) {
    this.link = join(folder, name);
  }

  plugIn(): void {
    const pty = new Pty();
    this.#pty = pty;
    // In one step, so that nobody finds no link.
    symlinkSync(pty.path, `${this.link}.new`);
    renameSync(`${this.link}.new`, this.link);
    this.#read();
  }

  /** The link goes first, as with udev: the pty's number may soon be another's, whom a bridge that comes back must not find. */
  unplug(): void {
    rmSync(this.link, { force: true });
    this.#pty?.close();
    this.#pty = undefined;
    this.#waiting = [];
  }

  hold(holding: boolean): void {
    this.#reading = !holding;
    if (!holding) this.#read();
  }

  write(octets: Uint8Array): void {
    if (this.#pty === undefined) return;
    this.#waiting.push(octets.slice());
    this.#flush();
  }

  #flush(): void {
    for (let first = this.#waiting[0]; first !== undefined && this.#pty !== undefined; first = this.#waiting[0]) {
      const taken = Math.max(0, this.#pty.write(first));
      if (taken < first.length) {
        this.#waiting[0] = first.subarray(taken);
        this.#timer ??= setTimeout(() => {
          this.#timer = undefined;
          this.#flush();
        }, 1);
        return;
      }
      this.#waiting.shift();
    }
  }

  #read(): void {
    const pty = this.#pty;
    if (pty === undefined || !this.#reading) return;
    for (let reads = 0; reads < 16 && this.#pty === pty; reads++) {
      const length = pty.read(this.#buffer);
      if (length <= 0) break;
      this.onData(this.#buffer.slice(0, length));
    }
    if (this.#pty === pty) pty.arm(() => this.#read());
  }
}

/** A serial server on TCP: one connection at a time. */
export class TcpEnd implements End {
  onData: (octets: Uint8Array) => void = () => undefined;
  connections = 0;
  readonly #server: net.Server;
  #socket: net.Socket | undefined;
  #holding = false;

  constructor() {
    this.#server = net.createServer((socket) => {
      this.connections++;
      this.#socket?.destroy();
      this.#socket = socket;
      if (this.#holding) socket.pause();
      socket.on('error', () => undefined);
      socket.on('data', (octets) => this.onData(octets));
    });
  }

  async listen(host = '127.0.0.1'): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, host, resolve));
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return `tcp://${host}:${address.port}`;
  }

  write(octets: Uint8Array): void {
    if (this.#socket?.destroyed === false) this.#socket.write(octets.slice());
  }

  hold(holding: boolean): void {
    this.#holding = holding;
    if (holding) this.#socket?.pause();
    else this.#socket?.resume();
  }

  /** An orderly end, or a reset. */
  cut(how: 'end' | 'reset'): void {
    if (how === 'end') this.#socket?.end();
    else this.#socket?.resetAndDestroy();
    this.#socket = undefined;
  }

  async close(): Promise<void> {
    this.cut('reset');
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** Every octet of the one goes to the other. */
export function connect(left: End, right: End): void {
  left.onData = (octets) => right.write(octets);
  right.onData = (octets) => left.write(octets);
}
