/** The control socket, the asking side: one request, and its answer whole or as it comes. */
import { createConnection } from 'node:net';
import { SluiceError } from '../base/errors.js';
import type { ControlRequest } from './control-socket.js';

const REPLY_TIMEOUT_MS = 3000;

function noAnswer(path: string, cause: unknown): SluiceError {
  return new SluiceError('line', `no daemon answers on ${path}`, {
    subject: path,
    remedy: 'Start one with "sluice up", or name its socket with --control.',
    cause,
  });
}

/**
 * @returns the answer, parsed
 * @throws SluiceError `line` when nobody answers there, `usage` when the daemon refuses the request
 */
export async function askControl(
  path: string,
  command: string,
  parameters: Readonly<Record<string, unknown>> = {},
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    let text = '';
    socket.setEncoding('utf8');
    socket.setTimeout(REPLY_TIMEOUT_MS, () => {
      socket.destroy();
      reject(noAnswer(path, new Error('no reply in time')));
    });
    socket.once('error', (cause) => reject(noAnswer(path, cause)));
    socket.once('connect', () => socket.write(`${JSON.stringify({ ...parameters, command })}\n`));
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.once('end', () => {
      socket.destroy();
      try {
        resolve(checked(JSON.parse(text)));
      } catch (cause) {
        reject(cause instanceof SluiceError ? cause : noAnswer(path, cause));
      }
    });
  });
}

/**
 * The octets of a command that streams, as they come. Reading slowly holds the daemon's producer back; leaving the loop
 * ends the stream at once, `finish` lets the daemon complete it.
 * @throws SluiceError `line` when nobody answers there
 */
export async function* controlOctets(
  path: string,
  request: ControlRequest,
  signal?: AbortSignal,
  finish?: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const socket = createConnection(path);
  const leave = (): void => void socket.destroy();
  const close = (): void => void socket.end();
  signal?.addEventListener('abort', leave, { once: true });
  finish?.addEventListener('abort', close, { once: true });
  try {
    socket.write(`${JSON.stringify(request)}\n`);
    for await (const chunk of socket) yield chunk as Buffer;
  } catch (cause) {
    if (signal?.aborted !== true) throw noAnswer(path, cause);
  } finally {
    signal?.removeEventListener('abort', leave);
    finish?.removeEventListener('abort', close);
    socket.destroy();
  }
}

/**
 * The lines of a command that streams, parsed, as they come.
 * @throws SluiceError `line` when nobody answers there, `usage` when the daemon refuses the request
 */
export async function* controlLines(
  path: string,
  request: ControlRequest,
  signal?: AbortSignal,
  finish?: AbortSignal,
): AsyncGenerator<unknown, void, undefined> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const octets of controlOctets(path, request, signal, finish)) {
    const parts = (rest + decoder.decode(octets, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) yield checked(JSON.parse(part));
  }
}

function checked(reply: unknown): unknown {
  if (typeof reply === 'object' && reply !== null && 'error' in reply) {
    const remedy = 'remedy' in reply ? String(reply.remedy) : undefined;
    throw new SluiceError('usage', `the daemon refused: ${String(reply.error)}`, { remedy });
  }
  return reply;
}
