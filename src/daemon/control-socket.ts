/** The control socket: a Unix socket that answers each connection's one-line JSON request with one line of JSON. */
import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { dirname } from 'node:path';
import { SluiceError } from '../base/errors.js';

/** Longer requests are none of ours. */
const REQUEST_MAX_BYTES = 4096;
const REPLY_TIMEOUT_MS = 3000;

export type ControlHandler = (request: { readonly command: string }) => unknown;

export interface ControlServer {
  readonly path: string;
  /** Answers under another path from now on; the old one becomes a link to it. */
  moveTo(path: string): void;
  close(): Promise<void>;
}

export function defaultControlPath(interfaceName: string): string {
  return `/run/sluice/${interfaceName}.sock`;
}

/** @throws SluiceError `system` when the socket cannot be made, or a running daemon answers on it. */
export async function serveControl(path: string, handler: ControlHandler): Promise<ControlServer> {
  const failure = (cause: unknown): SluiceError =>
    new SluiceError('system', `cannot listen on the control socket ${path}`, {
      subject: path,
      remedy: 'Choose another path with --control, in a folder that can be written.',
      cause,
    });
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (cause) {
    throw failure(cause);
  }
  if (await answers(path)) {
    throw new SluiceError('system', `another daemon listens on ${path}`, {
      subject: path,
      remedy: 'Stop it, or choose another interface name or another path with --control.',
    });
  }
  try {
    unlinkSync(path);
  } catch {
    // There was none.
  }
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let text = '';
    socket.setEncoding('utf8');
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.length > REQUEST_MAX_BYTES) socket.destroy();
      else if (text.includes('\n')) socket.end(`${reply(text.slice(0, text.indexOf('\n')), handler)}\n`);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(failure(cause)));
    server.listen(path, resolve);
  });
  const paths = [path];
  return {
    get path() {
      return paths.at(-1) ?? path;
    },
    moveTo: (to) => {
      const from = paths.at(-1) ?? path;
      if (to === from) return;
      rmSync(to, { force: true });
      renameSync(from, to);
      symlinkSync(to, from);
      // Back under a name that it had before: what was a link there is the socket now.
      paths.splice(0, paths.length, ...paths.filter((each) => each !== to), to);
    },
    close: async () => {
      await closeServer(server);
      for (const each of paths) rmSync(each, { force: true });
    },
  };
}

function reply(line: string, handler: ControlHandler): string {
  try {
    const request: unknown = JSON.parse(line);
    if (typeof request !== 'object' || request === null || !('command' in request)) throw new Error('no command');
    return JSON.stringify(handler({ command: String(request.command) }));
  } catch (cause) {
    return JSON.stringify({ error: cause instanceof Error ? cause.message : String(cause) });
  }
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

async function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** @throws SluiceError `line` when nobody answers there. */
export async function askControl(path: string, command: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void =>
      reject(
        new SluiceError('line', `no daemon answers on ${path}`, {
          subject: path,
          remedy: 'Start one with "sluice up", or name its socket with --control.',
          cause,
        }),
      );
    const socket = createConnection(path);
    let text = '';
    socket.setEncoding('utf8');
    socket.setTimeout(REPLY_TIMEOUT_MS, () => {
      socket.destroy();
      fail(new Error('no reply in time'));
    });
    socket.once('error', fail);
    socket.once('connect', () => socket.write(`${JSON.stringify({ command })}\n`));
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.once('end', () => {
      try {
        resolve(JSON.parse(text));
      } catch (cause) {
        fail(cause);
      }
    });
  });
}
