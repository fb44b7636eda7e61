/** The report in a browser: from a file, without a network, in the light, in the dark and on paper; and from a real bridge's log. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeReport } from '../../src/observe/report/report.js';
import { channels, modest } from '../unit/observe/report/crafted-logs.js';
import { walkLogs } from '../unit/observe/report/walk-logs.js';
import { arrivals, eventually, FAST_RADIO, sendDatagrams, sluice, withPair } from './bridge-support.js';
import { open, picture, startBrowser } from './browser.js';

const folder = mkdtempSync(join(tmpdir(), 'sluice-page-'));
let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
});

function save(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** WCAG's contrast of all text of the page with the page's background: the least one. */
async function leastContrast(page: Page): Promise<number> {
  return await page.evaluate(`(() => {
    const channels = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map(Number);
    const light = (colour) => {
      const [r, g, b] = channels(colour).map((value) => value / 255).map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const contrast = (one, other) => {
      const [low, high] = [light(one), light(other)].sort((left, right) => left - right);
      return (high + 0.05) / (low + 0.05);
    };
    const paper = getComputedStyle(document.body).backgroundColor;
    const texts = [...document.querySelectorAll('h1,h2,h3,p,td,th,figcaption')].map((each) => getComputedStyle(each).color);
    const labels = [...document.querySelectorAll('svg text')].map((each) => getComputedStyle(each).fill);
    return Math.min(...[...texts, ...labels].map((colour) => contrast(colour, paper)));
  })()`);
}

/** Labels of an axis that are less than three pixels apart. */
const TOUCHING = `[...document.querySelectorAll('g.role-axis-label')].flatMap((axis) => {
  const labels = [...axis.querySelectorAll('text')].filter((each) => each.textContent && each.getAttribute('opacity') !== '0');
  const flat = labels.filter((each) => !/rotate\\((?!0)/.test(each.getAttribute('transform')));
  const boxes = flat.map((each) => [each.textContent, each.getBoundingClientRect()]);
  return boxes.flatMap(([one, a], i) => boxes.slice(i + 1).flatMap(([other, b]) =>
    Math.max(b.left - a.right, a.left - b.right, b.top - a.bottom, a.top - b.bottom) < 3 ? [[one, other]] : []));
})`;
const BACKGROUND = 'getComputedStyle(document.body).backgroundColor';
const OVERFLOW = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';

describe('the report of the walk', () => {
  let path: string;

  beforeAll(async () => {
    const logs = [...walkLogs()].map(([station, text]) => save(`walk-${station}.ndjson`, text));
    path = join(folder, 'walk.html');
    const { status, stdout } = await sluice(['report', ...logs, '-o', path]);
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /Station 2 floods.*\n.*Station 5 has a stuck carrier\n.*Station 4 is deaf to stations 1 and 3\nworst minute: 07:09/,
    );
  });

  it.each(['light', 'dark'] as const)(
    'opens from a file with all its charts and asks for nothing else: %s',
    async (scheme) => {
      const { page, requests, complaints } = await open(browser, path, scheme);
      expect(await page.locator('svg:visible').count()).toBe(7);
      for (const chart of await page.locator('svg').all()) {
        const box = await chart.boundingBox();
        expect(box?.width).toBeGreaterThan(250);
        expect(box?.height).toBeGreaterThan(50);
      }
      expect(await page.evaluate(BACKGROUND)).toBe(scheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(13, 17, 23)');
      expect(await leastContrast(page)).toBeGreaterThan(4.5);
      expect(await page.evaluate(OVERFLOW)).toBe(0);
      expect((await picture(page, `report-walk-${scheme}`)).length).toBeGreaterThan(100_000);
      expect(requests).toEqual([pathToFileURL(path).href]);
      expect(complaints).toEqual([]);
      await page.context().close();
    },
  );

  it('keeps the labels of its axes apart, however many there are', async () => {
    for (const count of [7, 8, 17]) {
      const delayHistogramMs = Object.fromEntries([...[1, 2 ** (count - 1)].map((bound) => [bound, 3]), ['inf', 1]]);
      const lines = channels(1, 0, 60, () => modest(2, { delayHistogramMs }));
      const many = save(`labels-${count}.html`, (await makeReport([save('labels.log', lines.join('\n'))])).page);
      const { page } = await open(browser, many);
      const shown = await page.locator('#frames svg').first().locator('g.role-axis-label').first().textContent();
      expect(shown).toMatch(/^1 ms2 ms4 ms.*more$/);
      expect(await page.evaluate(TOUCHING), `${count} columns`).toEqual([]);
      await page.context().close();
    }
  });

  it('fits a narrow window', async () => {
    const { page } = await open(browser, path);
    await page.setViewportSize({ width: 400, height: 800 });
    expect(await page.evaluate(OVERFLOW)).toBe(0);
    await picture(page, 'report-walk-narrow');
    await page.context().close();
  });

  it('is dark ink on white paper, whatever the screen is, and within the sheet', async () => {
    const { page } = await open(browser, path, 'dark');
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    expect(await page.evaluate(BACKGROUND)).toBe('rgb(255, 255, 255)');
    expect(await leastContrast(page)).toBeGreaterThan(4.5);
    // A4 without its margins, at 96 pixels to the inch.
    await page.setViewportSize({ width: 688, height: 1000 });
    expect(await page.evaluate(OVERFLOW)).toBe(0);
    for (const box of await Promise.all((await page.locator('svg, table').all()).map((each) => each.boundingBox()))) {
      expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(688);
    }
    await picture(page, 'report-walk-print');
    const pdf = await page.pdf({ format: 'A4', printBackground: false });
    const sheets = pdf.toString('latin1').match(/\/Type ?\/Page\b/g)?.length ?? 0;
    expect(sheets).toBeGreaterThan(1);
    expect(sheets).toBeLessThan(9);
    await page.context().close();
  });
});

describe('a hostile log', () => {
  it('runs nothing', async () => {
    const evil = `"><script>alert(1)</script></style></svg><img src=x onerror="alert(2)"><svg onload=alert(3)>`;
    const drops = Object.fromEntries([[evil, 3]]);
    const log = save(
      `evil <img src=x onerror=alert(4)>.log`,
      channels(1, 0, 120, () => modest(2, { drops })).join('\n'),
    );
    const path = save('evil.html', (await makeReport([log])).page);
    const { page, requests, complaints } = await open(browser, path);
    expect(await page.evaluate('document.scripts.length + document.images.length')).toBe(0);
    expect(await page.locator('#drops').textContent()).toContain(evil);
    expect(requests).toHaveLength(1);
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});

describe('a real bridge', () => {
  it('writes logs of which every line is understood', async () => {
    const args = ['--log-interval', '1', '--log-level', 'debug'];
    const logs = await withPair({ ...FAST_RADIO, args }, async (first, second, place) => {
      for (const stream of [1, 2, 3]) {
        await sendDatagrams(first, 2, stream, 5);
        await arrivals(second, stream, 5);
      }
      const intervals = async (): Promise<number[]> =>
        [first, second].map(({ log }) => log.filter(({ event }) => event === 'channel').length);
      await eventually(intervals, (seen) => seen.every((each) => each >= 4), 'four intervals');
      await place.close();
      return [first, second].map(({ log }, index) =>
        save(`real-${index + 1}.ndjson`, log.map((record) => `${JSON.stringify(record)}\n`).join('')),
      );
    });
    const report = await makeReport(logs);
    expect(report).toMatchObject({ stations: [1, 2], failures: [] });
    const { page, requests, complaints } = await open(browser, save('real.html', report.page));
    const files = await page.locator('#files tbody tr').all();
    for (const [index, path] of logs.entries()) {
      const lines = String(readFileSync(path, 'utf8').split('\n').length - 1);
      expect(await files[index]?.locator('td').allTextContents()).toEqual([path, lines, lines, '']);
    }
    // Either heard the other.
    expect(
      (await page.locator('#hearing tbody td').allTextContents()).every((cell) => /^(sent )?\S+ m?s$/.test(cell)),
    ).toBe(true);
    await picture(page, 'report-real');
    expect(requests).toHaveLength(1);
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});
