/**
 * What the README says of the log, on a log that a bridge has written: the excerpt is like the real thing, and its own jq
 * lines answer who occupied the channel, when stations collided, what was dropped and why.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addressOf, Neighbourhood } from '../../src/daemon/stations.js';
import { LOW_DELAY, SINK } from './bridge-support.js';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const section = readme.slice(
  readme.indexOf('## Read the log'),
  readme.indexOf('## ', readme.indexOf('## Read the log') + 3),
);

type Line = Readonly<Record<string, unknown>> & { readonly event: string };

/** Stations 1 and 3 both send to 2 as fast as they can; nobody is station 9. */
const MEDIUM = `rateBps: 19200
lineBaud: 38400
stations: [{ id: 1 }, { id: 2 }, { id: 3 }]
`;
const SETTINGS = ['air.rateBps=19200', 'line.baudRate=38400', 'link.mtuBytes=576', 'mac.hostLatencyUs=40000'];
const LIMIT_MS = 60_000;

let folder = '';
let lines: Line[] = [];

/** Station 1's log, from its file, after a while of traffic and its end. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  const place = new Neighbourhood();
  try {
    await place.startMedium(MEDIUM, 3);
    const stations = [await place.open(), await place.open(), await place.open()];
    await Promise.all(
      stations.map(async (station, index) => {
        const number = index + 1;
        const args = ['--log-interval', '1', ...(number === 1 ? ['--log-file', join(folder, 'sluice.log')] : [])];
        const port = place.medium.port(number);
        await station.up({ number, profile: 'radio-9600', port, settings: SETTINGS, args });
        await station.call('receive', { port: SINK });
      }),
    );
    const [first, , third] = stations;
    if (first === undefined || third === undefined) throw new Error('three stations were opened');
    for (const station of [first, third]) {
      const to = { address: addressOf(2), port: SINK };
      await station.call('flood', { to, stream: 2, typeOfService: 0, payloadBytes: 400 });
    }
    // Answers when it is over, which nobody waits for.
    first
      .call('pace', {
        to: { address: addressOf(9), port: SINK },
        streams: [{ stream: 9, typeOfService: LOW_DELAY }],
        payloadBytes: 64,
        intervalUs: 1_000_000,
        ticks: 2,
      })
      .catch(() => undefined);
    const untilMs = Date.now() + LIMIT_MS;
    for (;;) {
      const { mac, drops } = await first.status();
      const isDone = mac.acked >= 5 && mac.unacked > 0 && (drops['retry-limit'] ?? 0) > 0 && mac.busyUs > 0;
      if (isDone) break;
      if (Date.now() > untilMs) throw new Error(`not yet: ${JSON.stringify({ mac, drops })}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  } finally {
    await place.close();
  }
  lines = readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .flatMap((text) => text.trim().split('\n'))
    .map((line) => JSON.parse(line) as Line);
}, 2 * LIMIT_MS);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The README's command after this comment, run where the log is. */
function answer(question: string): string {
  const commands = [...section.matchAll(/^# (.*)\n((?:(?!#|```).*\n)+)/gm)].filter(([, comment]) =>
    comment?.startsWith(question),
  );
  expect(commands).toHaveLength(1);
  return execFileSync('bash', ['-c', commands[0]?.[2] ?? ''], { cwd: folder, encoding: 'utf8' });
}

const channel = (): Line[] => lines.filter(({ event }) => event === 'channel');
const total = (name: string): number => channel().reduce((sum, line) => sum + Number(line[name]), 0);

describe('the log', () => {
  it('of a run begins with what was set up and ends with a final channel line and the end', () => {
    expect(lines.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['back-pressure', 'line-open', 'ready', 'neighbour']),
    );
    expect(channel().at(-1)).toMatchObject({ final: true });
    expect(
      channel()
        .slice(0, -1)
        .some(({ final }) => final !== undefined),
    ).toBe(false);
    expect(lines.at(-1)?.event).toBe('stopped');
    for (const line of channel()) expect(JSON.stringify(line).length).toBeLessThanOrEqual(1023);
    const [end] = lines.filter(({ event }) => event === 'stopped');
    const drops = channel().flatMap((line) => Object.entries(line.drops as Record<string, number>));
    const sums: Record<string, number> = {};
    for (const [cause, frames] of drops) sums[cause] = (sums[cause] ?? 0) + frames;
    expect(sums).toEqual(end?.drops);
  });

  it('has the fields that the README’s excerpt shows', () => {
    const excerpt = [...section.matchAll(/^\{.*\}$/gm)].map(([text]) => JSON.parse(text) as Line);
    expect(excerpt.map(({ event }) => event)).toContain('channel');
    for (const shown of excerpt) {
      const real = new Set(lines.filter(({ event }) => event === shown.event).flatMap((line) => Object.keys(line)));
      for (const field of Object.keys(shown)) expect([...real], shown.event).toContain(field);
    }
  });

  it('says who occupied the channel', () => {
    const shares = JSON.parse(answer('who occupied the channel'));
    const heard = channel().flatMap((line) => Object.entries(line.heardMs as Record<string, number>));
    expect(Object.keys(shares.heardMs)).toEqual(['2', '3']);
    const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
    expect(shares.heardMs[2] + shares.heardMs[3]).toBeCloseTo(sum(heard.map(([, ms]) => ms)), 3);
    expect(shares.heardMs[3]).toBeGreaterThan(0);
    const own = channel().map((line) => Number(line.txRatio) * (Number(line.endUnixMs) - Number(line.startUnixMs)));
    expect(shares.ownMs).toBeCloseTo(sum(own), 3);
    expect(shares.ownMs).toBeGreaterThan(shares.heardMs[2]);
  });

  it('says when we collided, and with whom it went wrong', () => {
    const rows = answer('when did we collide')
      .trim()
      .split('\n')
      .map((row) => row.split('\t'));
    expect(rows).toHaveLength(channel().filter(({ unacked }) => Number(unacked) > 0).length);
    for (const [time] of rows) expect(time).toMatch(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(rows.reduce((sum, [, unacked]) => sum + Number(unacked), 0)).toBe(total('unacked'));
    expect(rows.some(([, , whom]) => Object.keys(JSON.parse(whom ?? '{}')).includes('9'))).toBe(true);
  });

  it('says what we dropped and why', () => {
    const rows = answer('what did we drop')
      .trim()
      .split('\n')
      .map((row) => row.split('\t'));
    const [end] = lines.filter(({ event }) => event === 'stopped');
    expect(Object.fromEntries(rows.map(([cause, frames]) => [cause, Number(frames)]))).toEqual(end?.drops);
    expect(rows.map(([cause]) => cause)).toContain('retry-limit');
    const why = answer('why:')
      .trim()
      .split('\n')
      .map((row) => row.split('\t'));
    expect(why.find(([cause]) => cause === 'retry-limit')?.[1]).toContain('given up after the last retry');
  });
});
