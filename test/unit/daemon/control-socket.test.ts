/** The control socket over a real Unix socket: answers, streams, readers that are slow or leave. */
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { askControl, controlLines, controlOctets } from '../../../src/daemon/control-client.js';
import { type ControlHandler, type ControlServer, serveControl } from '../../../src/daemon/control-socket.js';
import { Feed } from '../../../src/daemon/feed.js';

let folder: string;
let path: string;
let server: ControlServer | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-'));
  path = join(folder, 'control.sock');
});

afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(folder, { recursive: true, force: true });
});

async function serve(commands: Readonly<Record<string, ControlHandler>>): Promise<ControlServer> {
  server = await serveControl(path, commands);
  return server;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let reply = '';
    const socket = createConnection(path, () => socket.write(text));
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      reply += chunk;
    });
    socket.once('end', () => {
      socket.destroy();
      resolve(reply);
    });
    socket.once('error', reject);
  });
}

it('answers with what the command gives, also later', async () => {
  await serve({ status: () => ({ a: 1 }), later: async ({ x }) => ({ x }) });
  expect(await askControl(path, 'status')).toEqual({ a: 1 });
  expect(await askControl(path, 'later', { x: [2] })).toEqual({ x: [2] });
  expect(await raw('{"command":"status"}\n')).toBe('{"a":1}\n');
});

it.each(['', '{"command":'])('lets go of who leaves without a request: "%s"', async (text) => {
  await serve({ status: () => 1 });
  const socket = createConnection({ path, allowHalfOpen: true });
  socket.resume().end(text);
  // Comes when the daemon has closed its half; a look whether it runs would cost it a descriptor each time.
  await once(socket, 'end');
  socket.destroy();
});

it('says what is wrong with a request', async () => {
  await serve({
    status: () => 1,
    bad: () => {
      throw new Error('broken');
    },
  });
  expect(await raw('{"command":"toString"}\n')).toBe(
    '{"error":"unknown command \\"toString\\"; known: status, bad",' +
      '"remedy":"Restart the daemon if it is of an older version than the one who asks."}\n',
  );
  expect(await raw('{"command":"bad"}\n')).toBe('{"error":"broken"}\n');
  expect(await raw('what\n')).toContain('"error"');
  await expect(askControl(path, 'bad')).rejects.toMatchObject({ code: 'usage', message: 'the daemon refused: broken' });
  await expect(askControl(path, 'newer')).rejects.toMatchObject({
    message: expect.stringContaining('the daemon refused: unknown command "newer"'),
    details: { remedy: expect.stringContaining('Restart') },
  });
});

it('hangs up on a request that never ends', async () => {
  await serve({ status: () => 1 });
  const reply = raw(`{"command":"status","x":"${'x'.repeat(5000)}`);
  expect(await Promise.race([reply, new Promise((resolve) => setTimeout(() => resolve('waits'), 2000))])).toBe('');
});

it('refuses a path on which another daemon listens, which goes on', async () => {
  await serve({ status: () => 1 });
  await expect(serveControl(path, { status: () => 2 })).rejects.toMatchObject({
    code: 'system',
    message: expect.stringContaining('another daemon listens'),
  });
  expect(await askControl(path, 'status')).toBe(1);
});

it('answers under its new path and its old one once it has moved, and leaves neither behind', async () => {
  const moving = await serve({ status: () => 1 });
  const to = join(folder, 'moved.sock');
  await moving.moveTo(to);
  expect([moving.path, await askControl(to, 'status'), await askControl(path, 'status')]).toEqual([to, 1, 1]);
  await moving.close();
  expect(readdirSync(folder)).toEqual([]);
});

it('moves onto the socket of a killed daemon and back, and onto nothing that somebody needs', async () => {
  const moving = await serve({ status: () => 1 });
  const to = join(folder, 'moved.sock');
  symlinkSync(join(folder, 'gone.sock'), to);
  await Promise.all([moving.moveTo(to), moving.moveTo(path), moving.moveTo(to), moving.moveTo(path)]);
  expect([moving.path, await askControl(to, 'status'), await askControl(path, 'status')]).toEqual([path, 1, 1]);

  const file = join(folder, 'file.sock');
  writeFileSync(file, 'somebody needs this');
  await expect(moving.moveTo(file)).rejects.toMatchObject({ code: 'configuration', details: { subject: file } });
  expect(readFileSync(file, 'utf8')).toBe('somebody needs this');

  const taken = join(folder, 'taken.sock');
  const other = await serveControl(taken, { status: () => 2 });
  await expect(moving.moveTo(taken)).rejects.toMatchObject({ message: expect.stringContaining('another daemon') });
  expect([moving.path, await askControl(taken, 'status'), await askControl(path, 'status')]).toEqual([path, 2, 1]);
  await other.close();

  await expect(moving.moveTo(join(folder, 'missing/x.sock'))).rejects.toMatchObject({ code: 'system' });
  expect(await askControl(path, 'status')).toBe(1);
});

it('streams lines and octets, and ends', async () => {
  async function* items(): AsyncGenerator<unknown> {
    yield { n: 1 };
    yield { n: 2 };
  }
  async function* octets(): AsyncGenerator<Uint8Array> {
    yield Uint8Array.of(1, 10, 2);
    yield Uint8Array.of(3);
  }
  await serve({ items, octets });
  const seen: unknown[] = [];
  for await (const item of controlLines(path, { command: 'items' })) seen.push(item);
  expect(seen).toEqual([{ n: 1 }, { n: 2 }]);
  const chunks: Buffer[] = [];
  for await (const chunk of controlOctets(path, { command: 'octets' })) chunks.push(chunk);
  expect([...Buffer.concat(chunks)]).toEqual([1, 10, 2, 3]);
});

it('an error in a stream ends it, said', async () => {
  async function* items(): AsyncGenerator<unknown> {
    yield 1;
    throw new Error('over');
  }
  await serve({ items });
  const seen: unknown[] = [];
  await expect(async () => {
    for await (const item of controlLines(path, { command: 'items' })) seen.push(item);
  }).rejects.toThrow('the daemon refused: over');
  expect(seen).toEqual([1]);
});

it('a slow reader holds back the stream, and nobody else', async () => {
  let made = 0;
  let ended = false;
  async function* flood(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        made++;
        yield new Uint8Array(65_536);
      }
    } finally {
      ended = true;
    }
  }
  await serve({ flood, status: () => 'here' });
  const socket = createConnection(path, () => socket.write('{"command":"flood"}\n'));
  socket.pause();
  await until(() => made > 0);
  let before = -1;
  // Until nothing more is made between two answers to others.
  await until(() => {
    const still = made === before;
    before = made;
    return still;
  });
  expect(await askControl(path, 'status')).toBe('here');
  expect(made).toBeLessThan(100);
  socket.destroy();
  await until(() => ended);
});

it('a feed drops what a slow reader has no room for, counts it, and closes when the reader leaves', async () => {
  let closed = 0;
  const feed = new Feed<Uint8Array>({ capacity: 4, onClose: () => closed++ });
  await serve({ feed: () => feed });
  const socket = createConnection(path, () => socket.write('{"command":"feed"}\n'));
  socket.pause();
  const pushing = setInterval(() => feed.push(new Uint8Array(65_536)), 1);
  await until(() => feed.dropped > 3);
  expect(closed).toBe(0);
  socket.destroy();
  await until(() => closed === 1);
  clearInterval(pushing);
  expect(feed.push(new Uint8Array(1))).toBe(false);
});

it('a feed gives what waits before it ends', async () => {
  const feed = new Feed<number>({ capacity: 8 });
  for (const n of [1, 2, 3]) feed.push(n);
  feed.end();
  const seen: number[] = [];
  for await (const n of feed) seen.push(n);
  expect(seen).toEqual([1, 2, 3]);
});

it('closing ends streams that would go on for ever, with what was written', async () => {
  const feed = new Feed<number>({ capacity: 8 });
  let gone: AbortSignal | undefined;
  const running = await serve({
    feed: (_, signal) => {
      gone = signal;
      return feed;
    },
  });
  const lines = controlLines(path, { command: 'feed' });
  feed.push(1);
  expect((await lines.next()).value).toBe(1);
  feed.push(2);
  await until(() => gone !== undefined);
  await running.close();
  server = undefined;
  expect(gone?.aborted).toBe(true);
  expect((await lines.next()).value).toBe(2);
  expect((await lines.next()).done).toBe(true);
});

it('leaving the loop ends the stream', async () => {
  let closed = false;
  const feed = new Feed<number>({
    capacity: 8,
    onClose: () => {
      closed = true;
    },
  });
  await serve({ feed: () => feed });
  feed.push(1);
  for await (const item of controlLines(path, { command: 'feed' })) {
    expect(item).toBe(1);
    break;
  }
  // The daemon sees it when it writes the next time.
  const pushing = setInterval(() => feed.push(2), 1);
  await until(() => closed);
  clearInterval(pushing);
});

it('without a daemon, says so', async () => {
  await expect(askControl(path, 'status')).rejects.toMatchObject({ code: 'line' });
  await expect(controlLines(path, { command: 'x' }).next()).rejects.toMatchObject({ code: 'line' });
});

it('takes the place of what a killed daemon left, and of nothing else', async () => {
  symlinkSync(join(folder, 'gone.sock'), path);
  await (await serve({})).close();
  expect(existsSync(path)).toBe(false);
  writeFileSync(path, 'somebody needs this');
  await expect(serveControl(path, {})).rejects.toMatchObject({ code: 'configuration' });
  expect(readFileSync(path, 'utf8')).toBe('somebody needs this');
});
