/** From log files to the page: what is read, what is said of the rest, and that no log line becomes markup. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type DefaultTreeAdapterMap, parse } from 'parse5';
import { afterAll, describe, expect, it } from 'vitest';
import { makeReport, type Report } from '../../../../src/observe/report/report.js';
import { channel, channels, line, modest, T0_MS } from './crafted-logs.js';
import { walkLogs } from './walk-logs.js';

const folder = mkdtempSync(join(tmpdir(), 'sluice-report-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

type Node = DefaultTreeAdapterMap['node'];

/** Every element of a page, as a browser would read it. */
function elements(page: string): { name: string; attributes: [string, string][] }[] {
  const found: { name: string; attributes: [string, string][] }[] = [];
  const visit = (node: Node): void => {
    if ('tagName' in node)
      found.push({ name: node.tagName, attributes: node.attrs.map(({ name, value }) => [name, value]) });
    if ('childNodes' in node) for (const child of node.childNodes) visit(child);
  };
  visit(parse(page));
  return found;
}

/** Elements and attributes that run, or that fetch. */
function dangerous(page: string): string[] {
  return elements(page).flatMap(({ name, attributes }) => [
    ...(/^(script|img|iframe|object|embed|link|base|form|audio|video|image|use|foreignobject|a)$/i.test(name)
      ? [name]
      : []),
    ...attributes
      .filter(([key]) => /^(on|src|href|xlink:href|action|formaction|srcdoc)/i.test(key))
      .map(([key]) => `${name} ${key}`),
  ]);
}

describe('the walk', async () => {
  const paths = [...walkLogs()].map(([station, text]) => file(`walk-${station}.ndjson`, text));
  const report = await makeReport(paths);

  it('has its three causes found, and the worst minute told', () => {
    expect(report.causes.map(({ title }) => title)).toEqual([
      'Station 2 floods the channel',
      'Station 5 has a stuck carrier',
      'Station 4 is deaf to stations 1 and 3',
    ]);
    expect(report.worst.causes[0]?.title).toBe('Station 5 has a stuck carrier');
    for (const { title, text } of [...report.causes, ...report.worst.causes]) {
      expect(report.page).toContain(title);
      expect(report.page).toContain(text.split('’')[0]);
    }
  });

  it('is a page with all charts, without anything that runs or fetches', () => {
    const names = elements(report.page).map(({ name }) => name);
    expect(names.filter((name) => name === 'svg')).toHaveLength(7);
    expect(dangerous(report.page)).toEqual([]);
    expect(report.page).not.toMatch(/url\(|@import/);
  });

  it('is as much as the lines that it has', () => {
    expect(report).toMatchObject({ stations: [1, 2, 3, 4, 5], lines: 301, failures: [] });
    expect(report.untilMs - report.fromMs).toBe(600_000);
  });
});

describe('logs as they are found', () => {
  const good = channels(1, 0, 300, () => modest(2));

  it('may be rotated, packed, mixed with other lines, and cut off', async () => {
    const report = await makeReport([
      file('a.log.2.gz', gzipSync(`${good.slice(0, 10).join('\n')}\n`)),
      file(
        'a.log.1',
        `Linux version 6.1.0-40\n-- Boot 3f2a --\r\n${good.slice(9, 20).join('\r\n')}\r\n\r\n{"level":30}\n`,
      ),
      file('a.log', `${good.slice(20).join('\n')}\n${channel(1, 300).slice(0, 120)}`),
    ]);
    expect(report.untilMs - report.fromMs).toBe(300_000);
    expect(report.page).toContain('Of station 1, 1 of the lines came twice and count once');
    expect(report.page).toContain('2 not JSON (first in line 1)');
    expect(report.page).toContain('(first in line 15)');
    expect(report.page).toContain('1 last line of a file, cut off (first in line 11)');
  });

  it('that cannot be read are named, and the others used', async () => {
    const packed = gzipSync(good.join('\n')).subarray(0, 300);
    const report = await makeReport([
      file('good.log', good.join('\n')),
      join(folder, 'none.log'),
      file('cut.gz', packed),
    ]);
    expect(report.failures).toHaveLength(2);
    expect(report.failures[0]).toMatch(/none\.log, after line 0: ENOENT/);
    expect(report.failures[1]).toMatch(/cut\.gz, after line \d+: unexpected end of file/);
    expect(report.page).toContain('none.log');
  });

  it('are all there is, and cannot be read: an error whose first line says so', async () => {
    const paths = [join(folder, 'none.log'), folder];
    await expect(makeReport(paths)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(/^no log could be read: .*none\.log: ENOENT.*; .*EISDIR.*$/),
    });
  });

  it('without a single line of use are an error that names file and line', async () => {
    const path = file('other.log', `\nhello\n{"event":"channel","time":1,"station":1}\n`);
    await expect(makeReport([path])).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(
        /other\.log: 3 lines, 1 not JSON \(first in line 2\); 1 a channel line .*first in line 3/,
      ),
    });
  });
});

describe('a hostile log', () => {
  const EVIL = [
    `"><script>alert(1)</script>`,
    `</style></svg><img src=x onerror=alert(1)>`,
    `'-->]]><svg/onload=alert(1)>`,
    `javascript:alert(1)//\u0000\u202e${'x'.repeat(5000)}`,
    '{{alert(1)}}',
    `datum['constructor']`,
    '__proto__',
    'constructor',
  ];

  async function made(evil: string): Promise<Report> {
    const drops = Object.fromEntries([[evil, 7]]);
    const lines = [
      ...channels(1, 0, 120, () => ({ ...modest(2), drops, heardMs: { [evil]: 9, 2: 500 } })),
      line(1, T0_MS + 5000, 'line-lost', { line: evil, cause: evil, remedy: evil }),
      line(1, T0_MS + 6000, 'back-pressure', { mode: evil as 'gate', reason: evil }),
      JSON.stringify({ time: T0_MS, event: evil, station: 1 }),
      JSON.stringify({ time: evil, event: 'channel', station: evil, interface: evil }),
    ];
    return await makeReport([file(`evil ${EVIL.indexOf(evil)} <b>&.log`, lines.join('\n'))]);
  }

  it('stays text, and makes as many elements as a harmless one', async () => {
    const harmless = elements((await made('harmless')).page).length;
    for (const evil of EVIL) {
      const { page } = await made(evil);
      expect(dangerous(page), evil).toEqual([]);
      expect(elements(page).length, evil).toBe(harmless);
    }
  });
});
