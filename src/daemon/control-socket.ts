/**
 * The control socket, the daemon's side: a Unix socket on which each connection makes one request, a line of JSON with a
 * `command`. The answer is one line of JSON, or, where the command streams, lines or octets until either side ends it.
 */
import { once } from 'node:events';
import { lstatSync, renameSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { isSluiceError, SluiceError } from '../base/errors.js';
import { makeFolder } from '../observe/folder.js';
import { answers } from './control-answers.js';

/** Longer requests are none of ours. */
const REQUEST_MAX_BYTES = 4096;
/** When the daemon ends, a reader gets so long for what was written to it. */
const FLUSH_MS = 200;

export interface ControlRequest {
  readonly command: string;
  readonly [parameter: string]: unknown;
}

/**
 * Answers one request. What it throws becomes `{"error": message}`.
 *
 * A value, or a promise of one, goes out as one line of JSON. An async iterable is a stream: each Uint8Array goes out as
 * it is, anything else as a line of JSON; then the connection ends. The next item is asked for only once the socket has
 * taken the last one, so a slow reader holds back the iterable and nobody else. A producer that cannot be held back puts
 * a `Feed` in between, which is bounded and counts what it drops.
 *
 * @param gone aborted when the reader has left or the daemon ends; the iterable's `return` is called then, too
 * @param finish aborted when the reader has closed its half of the connection: it wants no more, but reads to the end
 */
export type ControlHandler = (request: ControlRequest, gone: AbortSignal, finish: AbortSignal) => unknown;

export interface ControlServer {
  readonly path: string;
  /**
   * Answers under another path from then on; the old one becomes a link to it.
   * @throws SluiceError as `serveControl`; the path is the old one then
   */
  moveTo(path: string): Promise<void>;
  close(): Promise<void>;
}

export function defaultControlPath(interfaceName: string): string {
  return `/run/sluice/${interfaceName}.sock`;
}

/**
 * @param commands by name
 * @throws SluiceError `system` when the socket cannot be made, or a running daemon answers on it; `configuration` when
 *   the path is that of something else
 */
export async function serveControl(
  path: string,
  commands: Readonly<Record<string, ControlHandler>>,
): Promise<ControlServer> {
  try {
    makeFolder(dirname(path));
  } catch (cause) {
    throw cannotListen(path, cause);
  }
  await makeRoom(path);
  const open = new Set<{ end(): void }>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const left = new AbortController();
    const connection = {
      end: () => {
        left.abort();
        socket.destroySoon();
        setTimeout(() => socket.destroy(), FLUSH_MS).unref();
      },
    };
    open.add(connection);
    socket.once('close', () => {
      open.delete(connection);
      left.abort();
    });
    socket.on('error', () => socket.destroy());
    serveConnection(socket, commands, left.signal);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(cannotListen(path, cause)));
    server.listen(path, resolve);
  });
  const paths = [path];
  let moving = Promise.resolve();
  return {
    get path() {
      return paths.at(-1) ?? path;
    },
    moveTo: (to) => {
      const moved = moving.then(() => move(paths, to));
      // One after the other; whoever asked hears of a failure.
      moving = moved.catch(() => undefined);
      return moved;
    },
    close: async () => {
      await moving;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const each of open) each.end();
      await closed;
      for (const each of paths) rmSync(each, { force: true });
    },
  };
}

function cannotListen(path: string, cause: unknown): SluiceError {
  return new SluiceError('system', `cannot listen on the control socket ${path}`, {
    subject: path,
    remedy: 'Choose another path with --control, in a folder that can be written.',
    cause,
  });
}

/** @param paths the names that the socket has had; the last one is the present one */
async function move(paths: string[], to: string): Promise<void> {
  const from = paths.at(-1);
  if (from === undefined || to === from) return;
  // A name that it had before is a link to it.
  if (paths.includes(to)) unlinkSync(to);
  else await makeRoom(to);
  try {
    renameSync(from, to);
    symlinkSync(to, from);
  } catch (cause) {
    throw cannotListen(to, cause);
  }
  paths.splice(0, paths.length, ...paths.filter((each) => each !== to), to);
}

/** Takes away what is of no use to anybody any more. */
async function makeRoom(path: string): Promise<void> {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return;
  if (await answers(path)) {
    throw new SluiceError('system', `another daemon listens on ${path}`, {
      subject: path,
      remedy: 'Stop it, or choose another interface name or another path with --control.',
    });
  }
  removeStale(path);
}

/** What a daemon that was killed left there: its socket, or the link of one that was renamed. Nothing else is ours to remove. */
function removeStale(path: string): void {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined) return;
  if (!there.isSocket() && !there.isSymbolicLink()) {
    throw new SluiceError('configuration', `the control socket ${path}: something else has that name`, {
      subject: path,
      remedy: 'Choose another path with --control.',
    });
  }
  unlinkSync(path);
}

function serveConnection(socket: Socket, commands: Readonly<Record<string, ControlHandler>>, gone: AbortSignal): void {
  let text = '';
  let isAnswered = false;
  const finish = new AbortController();
  socket.once('end', () => {
    finish.abort();
    // Who only looked whether somebody answers has left; our half would stay open for ever.
    if (!isAnswered) socket.end();
  });
  const take = (chunk: string): void => {
    text += chunk;
    if (!text.includes('\n')) {
      if (text.length > REQUEST_MAX_BYTES) socket.destroy();
      return;
    }
    isAnswered = true;
    socket.off('data', take);
    // Whatever else comes is read and ignored, so that the reader's leaving is seen.
    socket.resume();
    void answer(socket, text.slice(0, text.indexOf('\n')), commands, gone, finish.signal);
  };
  socket.setEncoding('utf8');
  socket.on('data', take);
}

/** Never rejects: what goes wrong is told to the reader, if it is still there. */
async function answer(
  socket: Socket,
  line: string,
  commands: Readonly<Record<string, ControlHandler>>,
  gone: AbortSignal,
  finish: AbortSignal,
): Promise<void> {
  try {
    const request = parseRequest(line);
    const handler = Object.hasOwn(commands, request.command) ? commands[request.command] : undefined;
    if (handler === undefined) {
      const known = Object.keys(commands).join(', ');
      throw new SluiceError('usage', `unknown command ${JSON.stringify(request.command)}; known: ${known}`, {
        remedy: 'Restart the daemon if it is of an older version than the one who asks.',
      });
    }
    const reply = await handler(request, gone, finish);
    if (isStream(reply)) await stream(socket, reply, gone);
    else socket.write(`${JSON.stringify(reply)}\n`);
  } catch (cause) {
    if (!gone.aborted) {
      const remedy = isSluiceError(cause) ? cause.details.remedy : undefined;
      socket.write(`${JSON.stringify({ error: cause instanceof Error ? cause.message : String(cause), remedy })}\n`);
    }
  }
  socket.end();
}

function parseRequest(line: string): ControlRequest {
  const request: unknown = JSON.parse(line);
  if (typeof request !== 'object' || request === null || !('command' in request)) throw new Error('no command');
  return { ...request, command: String(request.command) };
}

function isStream(reply: unknown): reply is AsyncIterable<unknown> {
  return typeof reply === 'object' && reply !== null && Symbol.asyncIterator in reply;
}

async function stream(socket: Socket, items: AsyncIterable<unknown>, gone: AbortSignal): Promise<void> {
  const iterator = items[Symbol.asyncIterator]();
  // An iterator that waits for its next item does not see that nobody waits for it any more.
  const leave = (): void => void iterator.return?.();
  gone.addEventListener('abort', leave, { once: true });
  try {
    for (;;) {
      const { done, value } = await iterator.next();
      if (done === true || gone.aborted) return;
      // Items that are there at the same time leave in one system call.
      socket.cork();
      process.nextTick(() => socket.uncork());
      const taken = socket.write(value instanceof Uint8Array ? value : `${JSON.stringify(value)}\n`);
      if (!taken) await once(socket, 'drain', { signal: gone });
    }
  } finally {
    gone.removeEventListener('abort', leave);
    leave();
  }
}
