/** Captures: a tap only while somebody reads, each reader by itself, what one is too slow for is counted. */
import { beforeEach, describe, expect, it } from 'vitest';
import { AirCapture } from '../../../src/daemon/air-capture.js';
import type { AirFormat } from '../../../src/daemon/air-formats.js';
import type { AirTap } from '../../../src/mac/air-tap.js';

/** As many as may wait for a reader. */
const WAITING = 4096;
const FRAME = Uint8Array.of(1, 2, 3);

const words: AirFormat<string> = {
  start: () => ['begin'],
  frame: ({ octets, outcome }, before) => `${octets[0]} ${outcome}${before > 0 ? `, ${before} lost before` : ''}`,
  end: ({ frames, dropped }) => `end ${frames} ${dropped}`,
};

let mac: { tap: AirTap | null };
let capture: AirCapture;

beforeEach(() => {
  mac = { tap: null };
  capture = new AirCapture(mac);
});

function pass(octets = FRAME): void {
  mac.tap?.received(octets, {});
  mac.tap?.heard('accepted');
}

/** A reader that takes everything at once. */
function reader() {
  const [finish, gone] = [new AbortController(), new AbortController()];
  const items: string[] = [];
  const ended = (async () => {
    for await (const item of capture.read(words, finish.signal, gone.signal)) items.push(item);
  })();
  return { items, finish, gone, ended };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a capture', () => {
  it('taps the MAC while somebody reads, and no longer', async () => {
    expect(mac.tap).toBeNull();
    const first = reader();
    const second = reader();
    await turn();
    expect(mac.tap).not.toBeNull();
    expect(capture.status().readers).toBe(2);
    first.finish.abort();
    await first.ended;
    expect(mac.tap).not.toBeNull();
    second.gone.abort();
    await second.ended;
    expect(mac.tap).toBeNull();
    expect(capture.status()).toEqual({ readers: 0, frames: 0, dropped: 0 });
  });

  it('gives each reader what passes while it reads', async () => {
    const first = reader();
    await turn();
    pass();
    const second = reader();
    await turn();
    pass(Uint8Array.of(7));
    await turn();
    for (const each of [first, second]) each.finish.abort();
    await Promise.all([first.ended, second.ended]);
    expect(first.items).toEqual(['begin', '1 accepted', '7 accepted', 'end 2 0']);
    expect(second.items).toEqual(['begin', '7 accepted', 'end 1 0']);
    expect(capture.status()).toEqual({ readers: 0, frames: 3, dropped: 0 });
  });

  it('is complete when it is finished: what waited and what is still open come before its end', async () => {
    const one = reader();
    await turn();
    for (let i = 0; i < 10; i++) pass();
    mac.tap?.transmitting(Uint8Array.of(9), { attempt: 1, sequence: 3, wantsAck: true });
    one.finish.abort();
    await one.ended;
    expect(one.items.slice(-3)).toEqual(['1 accepted', '9 open', 'end 11 0']);
  });

  it('that is finished before it begins is whole, and empty', async () => {
    const finish = AbortSignal.abort();
    const items: string[] = [];
    for await (const item of capture.read(words, finish, new AbortController().signal)) items.push(item);
    expect(items).toEqual(['begin', 'end 0 0']);
    expect(mac.tap).toBeNull();
  });

  it('loses what a reader has no room for, tells it where, and counts it; another reader loses nothing', async () => {
    const finish = new AbortController();
    const slow = capture.read(words, finish.signal, new AbortController().signal);
    const next = async (): Promise<string | undefined> => (await slow.next()).value ?? undefined;
    expect(await next()).toBe('begin');
    const quick = reader();
    for (let i = 0; i < WAITING + 100; i++) {
      if (i % 1000 === 0) await turn();
      pass();
    }
    await turn();
    expect(capture.status()).toEqual({ readers: 2, frames: 2 * (WAITING + 100), dropped: 100 });
    for (let i = 0; i < WAITING; i++) expect(await next()).toBe('1 accepted');
    pass();
    expect(await next()).toBe('1 accepted, 100 lost before');
    pass();
    expect(await next()).toBe('1 accepted');
    finish.abort();
    expect(await next()).toBe(`end ${WAITING + 102} 100`);
    expect(await next()).toBeUndefined();
    quick.finish.abort();
    await quick.ended;
    expect(quick.items.at(-1)).toBe(`end ${WAITING + 102} 0`);
  });

  it('ends in order when the daemon does', async () => {
    const one = reader();
    await turn();
    mac.tap?.transmitting(Uint8Array.of(9), { attempt: 1, sequence: 3, wantsAck: true });
    await capture.close();
    await one.ended;
    expect(one.items).toEqual(['begin', '9 open', 'end 1 0']);
    expect(mac.tap).toBeNull();
  });
});
