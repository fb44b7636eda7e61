/** Shows that every rule of the architecture bites: each is broken once in a tree made for it, and must be reported there. */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { type ArchitectureReport, checkArchitecture } from './check.js';
import { PARTS, RULES } from './rules.js';
import { addonLoading, forbiddenGlobals, overlongFile, skippedTests } from './source-checks.js';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/** One breach for each rule: the rule, the file that breaks it, its text. */
const PLANTED: readonly (readonly [rule: string, file: string, text: string])[] = [
  ['part-base', 'src/base/a.ts', `import '../wire/good.js';`],
  ['part-base', 'src/base/b.ts', `import 'node:fs';`],
  ['part-wire', 'src/wire/a.ts', `export type { Good } from '../framing/good.js';`],
  ['part-wire', 'src/wire/b.ts', `import { hostname } from 'node:os'; export const x = hostname;`],
  ['part-framing', 'src/framing/a.ts', `import '../wire/good.js';`],
  ['part-framing', 'src/framing/b.ts', `import 'yaml';`],
  ['part-mac', 'src/mac/a.ts', `import '../framing/good.js';`],
  ['part-mac', 'src/mac/b.ts', `import type { Socket } from 'node:net'; export type X = Socket;`],
  ['part-modem', 'src/modem/a.ts', `import type { Good } from '../mac/good.js'; export type X = Good;`],
  ['part-modem', 'src/modem/b.ts', `import '../serial/good.js';`],
  ['part-modem', 'src/modem/c.ts', `import '../daemon/good.js';`],
  ['part-modem', 'src/modem/d.ts', `import '../cli/good.js';`],
  ['part-observe', 'src/observe/a.ts', `import '../mac/good.js';`],
  ['part-native', 'src/native/a.ts', `import '../tap/good.js';`],
  ['part-netlink', 'src/netlink/a.ts', `import '../flow/good.js';`],
  ['part-serial', 'src/serial/a.ts', `import '../tap/good.js';`],
  ['part-serial', 'src/serial/b.ts', `import '../modem/good.js';`],
  ['part-tap', 'src/tap/a.ts', `import '../flow/good.js';`],
  ['part-tap', 'src/tap/b.ts', `import '../mac/good.js';`],
  ['part-flow', 'src/flow/a.ts', `import '../serial/good.js';`],
  ['part-flow', 'src/flow/b.ts', `import '../mac/phy.js';`],
  ['part-flow', 'src/flow/d.ts', `import type { Good } from '../tap/good.js'; export type X = Good;`],
  ['part-flow', 'src/flow/c.ts', `import '../native/addon.js';`],
  ['part-sim', 'src/sim/a.ts', `import '../serial/good.js';`],
  ['part-sim', 'src/sim/b.ts', `import '../tap/good.js';`],
  ['part-sim', 'src/sim/c.ts', `import '../flow/good.js';`],
  ['part-sim', 'src/sim/d.ts', `import '../native/addon.js';`],
  ['part-sim', 'src/sim/e.ts', `const late = await import('../daemon/good.js'); export const x = late;`],
  ['part-sim', 'src/sim/f.ts', `import '../cli/good.js';`],
  ['part-daemon', 'src/daemon/a.ts', `import '../cli/good.js';`],
  ['part-cli', 'src/cli/a.ts', `import '../unknown/good.js';`],
  ['known-part', 'src/unknown/good.ts', `import '../base/good.js';`],
  [
    'single-serialport',
    'src/serial/tcp-line.ts',
    `import { SerialPort } from 'serialport'; export const x = SerialPort;`,
  ],
  ['single-pino', 'src/observe/counters.ts', `import { pino } from 'pino'; export const x = pino;`],
  ['single-pino', 'src/cli/b.ts', `import type { Logger } from 'pino'; export type X = Logger;`],
  ['single-pino-roll', 'src/daemon/b.ts', `import roll from 'pino-roll'; export const x = roll;`],
  ['single-vega', 'src/cli/g.ts', `import { compile } from 'vega-lite'; export const x = compile;`],
  ['single-zod', 'src/cli/up.ts', `import { z } from 'zod'; export const x = z;`],
  ['single-zod', 'src/modem/drivers/kiss.ts', `import { z } from 'zod'; export const x = z;`],
  ['single-addon', 'src/observe/capture.ts', `import '../native/addon.js';`],
  ['single-addon-file', 'src/tap/c.ts', `import { createRequire } from 'node:module'; export const x = createRequire;`],
  ['no-cycle', 'src/wire/ring-a.ts', `import './ring-b.js';`],
  ['no-orphan', 'src/base/lonely.ts', `export const lonely = 1;`],
  ['driver-waits-for-schema', 'src/modem/drivers/b.ts', `import '../profile-schema.js';`],
  ['no-test-in-source', 'src/cli/c.ts', `import '../../test/helper.js';`],
  ['resolvable', 'src/cli/d.ts', `import './gone.js';`],
  ['runtime-dependency', 'src/cli/e.ts', `import fc from 'fast-check'; export const x = fc;`],
  ['no-ambient', 'src/mac/c.ts', `import '../base/good.js'; setTimeout(() => undefined, 1);`],
  ['no-skip', 'test/a.test.ts', `import { test } from 'vitest'; test.skip('x', () => undefined);`],
  ['file-length', 'src/wire/long.ts', `import '../base/good.js';\n${'// a line\n'.repeat(400)}`],
];

/** What a breach needs beside it. */
const ACCOMPLICES: readonly (readonly [file: string, text: string])[] = [
  ['src/wire/ring-b.ts', `import type { A } from './ring-a.js'; export type B = A;`],
];

/** What the rules allow, so that the breaches are told from it. */
const ALLOWED: readonly (readonly [file: string, text: string])[] = [
  ['src/base/good.ts', `export interface Good { readonly good: true }`],
  ...['wire', 'framing', 'mac', 'modem', 'observe', 'netlink', 'serial', 'tap', 'flow', 'sim', 'daemon', 'cli'].map(
    (part) => [`src/${part}/good.ts`, `export type { Good } from '../base/good.js';`] as const,
  ),
  [
    'src/native/addon.ts',
    `import { createRequire } from 'node:module'; export const load = createRequire(import.meta.url);`,
  ],
  ['src/mac/phy.ts', `export type { Good } from '../wire/good.js';`],
  ['src/serial/line.ts', `export type { Good } from '../base/good.js';`],
  [
    'src/serial/serialport-line.ts',
    `import { SerialPort } from 'serialport'; import './line.js'; export const x = SerialPort;`,
  ],
  ['src/observe/log.ts', `import { pino } from 'pino'; export const x = pino;`],
  [
    'src/modem/profile-schema.ts',
    `import { z } from 'zod'; import '../mac/phy.js'; import '../serial/line.js'; export const x = z;`,
  ],
  ['src/modem/drivers/c.ts', `import type { x } from '../profile-schema.js'; export type X = typeof x;`],
  ['src/sim/medium-file.ts', `import { z } from 'zod'; import '../serial/line.js'; export const x = z;`],
  ['src/tap/linux-tap.ts', `import '../native/addon.js'; import '../netlink/good.js';`],
  ['src/daemon/bridge.ts', `import '../native/addon.js'; import '../mac/good.js'; import '../flow/good.js';`],
  ['src/cli/main.ts', `import '../daemon/good.js'; import '../sim/good.js'; import 'commander';`],
  ['test/helper.ts', `import '../src/native/addon.js';`],
  ['test/good.test.ts', `import { test } from 'vitest'; test('x', () => undefined);`],
];

async function withTree<T>(
  files: readonly (readonly [file: string, text: string])[],
  use: (root: string) => Promise<T>,
): Promise<T> {
  const root = await mkdtemp(join(tmpdir(), 'sluice-architecture-'));
  try {
    for (const [file, text] of files) {
      await mkdir(dirname(join(root, file)), { recursive: true });
      await writeFile(join(root, file), `${text}\n`);
    }
    for (const shared of ['node_modules', 'package.json', 'tsconfig.json']) {
      await symlink(join(PROJECT, shared), join(root, shared));
    }
    return await use(root);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

describe('the rules on imports and files', () => {
  let report: ArchitectureReport;

  beforeAll(async () => {
    const files = [...ALLOWED, ...ACCOMPLICES, ...PLANTED.map(([, file, text]) => [file, text] as const)];
    report = await withTree(files, checkArchitecture);
  });

  test.for(PLANTED)('%s reports %s', ([rule, file]) => {
    const found = report.violations.filter((violation) => violation.where.startsWith(file));
    expect(found.map((violation) => violation.rule)).toContain(rule);
  });

  test('every rule has a breach planted for it', () => {
    const planted = new Set(PLANTED.map(([rule]) => rule));
    expect(RULES.map((rule) => rule.name).filter((name) => name !== undefined && !planted.has(name))).toEqual([]);
  });

  test('the modules were seen, those of a type import included', () => {
    expect(report.modules).toBeGreaterThanOrEqual(PLANTED.length + ALLOWED.length - 1);
    expect(report.dependencies).toBeGreaterThan(PLANTED.length);
  });

  test('what is allowed is not reported', async () => {
    const { violations } = await withTree(ALLOWED, checkArchitecture);
    expect(violations).toEqual([]);
  });

  test('a tree without sources is seen to be empty', async () => {
    const { modules, dependencies } = await withTree([['src/readme.txt', 'nothing']], checkArchitecture);
    expect({ modules, dependencies }).toEqual({ modules: 0, dependencies: 0 });
  });

  test('the part table has no part that another spells differently', () => {
    const parts = Object.keys(PARTS);
    const named = Object.values(PARTS).flatMap(({ imports }) => imports.map((name) => name.split('/')[0] ?? ''));
    expect(named.filter((name) => !parts.includes(name))).toEqual([]);
  });
});

describe('what the syntax tree shows', () => {
  test.for([
    'setTimeout(f, 1);',
    'setInterval(f, 1);',
    'setImmediate(f);',
    'const t = Date.now();',
    'const t = new Date();',
    'const t = performance.now();',
    'const x = Math.random();',
    'const x = process.env;',
    'const x = globalThis.setTimeout;',
    'const { random } = Math;',
    `const x = Math['random']();`,
    'const later = { at: setTimeout };',
    'const shorthand = { process };',
  ])('forbidden where time and chance are arguments: %s', (text) => {
    expect(forbiddenGlobals('src/mac/a.ts', text)).not.toEqual([]);
  });

  test.for([
    '// setTimeout in a comment',
    `const text = 'Date';`,
    'line.process(1);',
    'interface A { process(x: number): void; readonly performance: number }',
    'const a = { process: 1 };',
    'const x = Math.floor(1.5);',
  ])('allowed there: %s', (text) => {
    expect(forbiddenGlobals('src/mac/a.ts', text)).toEqual([]);
  });

  test.for([
    `test.only('x', f);`,
    `describe.skip('x', f);`,
    `it.todo('x');`,
    `test.skipIf(true)('x', f);`,
    `describe.skip.each([1])('x', f);`,
    `xit('x', f);`,
    `test('x', { skip: true }, f);`,
    `test('x', (context) => context.skip());`,
  ])('a test that is switched off: %s', (text) => {
    expect(skippedTests('test/a.test.ts', text)).not.toEqual([]);
  });

  test.for([`test('x', f);`, `test.each([1])('%s', f);`, `const only = skip(1);`])('a test that runs: %s', (text) => {
    expect(skippedTests('test/a.test.ts', text)).toEqual([]);
  });

  test('loading an addon elsewhere', () => {
    expect(addonLoading('src/tap/a.ts', `require('../../native/build/Release/sluice.node');`)).toHaveLength(1);
    expect(addonLoading('src/tap/a.ts', `process.dlopen(m, path);`)).toHaveLength(1);
    expect(addonLoading('src/tap/a.ts', `import '../native/addon.js';`)).toEqual([]);
  });

  test('a file of 400 lines passes, one of 401 does not', () => {
    expect(overlongFile('a.ts', 'x\n'.repeat(400))).toEqual([]);
    expect(overlongFile('a.ts', 'x\n'.repeat(401))).toHaveLength(1);
  });
});

describe('the linter', () => {
  /** What biome reports for a file planted in a tree with the project's own configuration. */
  async function lint(files: readonly (readonly [string, string])[]): Promise<string> {
    return withTree(files, async (root) => {
      const config = JSON.parse(await readFile(join(PROJECT, 'biome.json'), 'utf8'));
      await writeFile(join(root, 'biome.json'), JSON.stringify({ ...config, vcs: { enabled: false } }));
      const { stdout, stderr } = spawnSync(join(PROJECT, 'node_modules/.bin/biome'), ['lint', 'src'], { cwd: root });
      return `${stdout}${stderr}`;
    });
  }

  test.for([
    [
      'noFloatingPromises',
      `import type { Port } from './port.js'; export const f = (port: Port): void => { port.close(); };`,
    ],
    ['useExhaustiveSwitchCases', `export function f(x: 'a' | 'b'): void { switch (x) { case 'a': break; } }`],
    ['noNonNullAssertion', `export const f = (x?: string): string => x!;`],
    ['noExplicitAny', `export const f = (x: any): void => x;`],
    ['noBarrelFile', `export * from './port.js';`],
  ] as const)('%s bites', async ([rule, text]) => {
    const port = ['src/port.ts', 'export interface Port { close(): Promise<void> }'] as const;
    expect(await lint([port, ['src/a.ts', text]])).toContain(rule);
  });

  test('a clean file passes', async () => {
    expect(await lint([['src/a.ts', 'export const x = 1;']])).toMatch(/Checked 1 file/);
  });
});
