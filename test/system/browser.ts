/** Headless Chromium, Debian's, for pages that we make: it tells of every request, error and dialog. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';
const WIDTH_PX = 1000;
const HEIGHT_PX = 800;

export interface Opened {
  readonly page: Page;
  /** Addresses that were asked for, the page's own included. */
  readonly requests: string[];
  /** What the console said, errors of scripts, dialogs. */
  readonly complaints: string[];
}

export async function startBrowser(): Promise<Browser> {
  // The sandbox cannot be had as root.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return await chromium.launch({ executablePath: CHROMIUM, args });
}

export async function open(browser: Browser, path: string, scheme: 'light' | 'dark' = 'light'): Promise<Opened> {
  const context = await browser.newContext({
    viewport: { width: WIDTH_PX, height: HEIGHT_PX },
    colorScheme: scheme,
    offline: true,
  });
  const page = await context.newPage();
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(pathToFileURL(path).href, { waitUntil: 'load' });
  return { page, requests, complaints };
}

/**
 * Pictures for people to look at, if a folder for them is named in SLUICE_PICTURES.
 * @param what all of the page, what of it the window shows, or one element
 */
export async function picture(
  page: Page,
  name: string,
  what: 'all' | 'window' | `#${string}` = 'all',
): Promise<Buffer> {
  const folder = process.env.SLUICE_PICTURES;
  if (folder !== undefined) mkdirSync(folder, { recursive: true });
  const options = folder === undefined ? {} : { path: join(folder, `${name}.png`) };
  if (what === 'all' || what === 'window') return await page.screenshot({ fullPage: what === 'all', ...options });
  return await page.locator(what).screenshot(options);
}
