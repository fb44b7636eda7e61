/**
 * Who may import whom: the direction of every import between the parts of src/, as rules for dependency-cruiser. The tables here
 * are the one place where that is decided; check.ts applies them and bite.test.ts shows that each of them bites.
 */
import type { IForbiddenRuleType } from 'dependency-cruiser';

/**
 * What each part of src/ may import beside itself: other parts, or single files of them. A part that names no packages may import
 * npm packages and node:* freely, as far as SINGLE_USE below lets it.
 */
export const PARTS: Readonly<Record<string, { readonly imports: readonly string[]; readonly pure?: boolean }>> = {
  base: { imports: [], pure: true },
  wire: { imports: ['base'], pure: true },
  framing: { imports: ['base'], pure: true },
  mac: { imports: ['base', 'wire'], pure: true },
  modem: { imports: ['base', 'framing', 'wire', 'mac/phy.ts', 'serial/line.ts'] },
  observe: { imports: ['base'] },
  native: { imports: ['base'] },
  netlink: { imports: ['base'] },
  serial: { imports: ['base'] },
  tap: { imports: ['base', 'wire', 'netlink', 'native'] },
  flow: { imports: ['base', 'netlink'] },
  sim: { imports: ['base', 'wire', 'framing', 'mac', 'modem', 'serial/line.ts'] },
  daemon: {
    imports: [
      ...['base', 'wire', 'framing', 'mac', 'modem', 'observe', 'native', 'netlink', 'serial', 'tap', 'flow', 'sim'],
    ],
  },
  cli: {
    imports: [
      ...['base', 'wire', 'framing', 'mac', 'modem', 'observe', 'native', 'netlink', 'serial', 'tap', 'flow', 'sim'],
      'daemon',
    ],
  },
};

/** What appears in few places, so that it can be replaced there. `only` are patterns of the files that may import `what`. */
export const SINGLE_USE: readonly { readonly name: string; readonly what: string; readonly only: readonly string[] }[] =
  [
    {
      name: 'serialport',
      what: 'node_modules/(@serialport/[^/]+|serialport)/',
      only: ['^src/serial/serialport-line\\.ts$'],
    },
    { name: 'pino', what: 'node_modules/pino(-pretty)?/', only: ['^src/observe/log\\.ts$'] },
    { name: 'pino-roll', what: 'node_modules/pino-roll/', only: ['^src/observe/log-file\\.ts$'] },
    { name: 'vega', what: 'node_modules/vega', only: ['^src/observe/report/draw\\.ts$'] },
    {
      name: 'zod',
      what: 'node_modules/zod/',
      only: [
        '^src/modem/(profile|schema|configuration)[^/]*\\.ts$',
        '^src/modem/settings/[^/]+\\.ts$',
        '^src/sim/medium-file\\.ts$',
        '^src/(cli|daemon)/[^/]*config[^/]*\\.ts$',
      ],
    },
    { name: 'addon', what: '^src/native/(addon|descriptors)\\.ts$', only: ['^src/(tap|daemon|cli|native)/'] },
    { name: 'addon-file', what: '\\.node$', only: ['^src/native/addon\\.ts$'] },
  ];

const SOURCE = '^src/';

/** Turns `tap` into a pattern for the part's files and `tap/tap.ts` into one for that file. */
function partPattern(part: string): string {
  return part.endsWith('.ts') ? `^src/${part.replaceAll('.', '\\.')}$` : `^src/${part}/`;
}

function partRule([part, { imports, pure }]: [string, (typeof PARTS)[string]]): IForbiddenRuleType {
  const allowed = [part, ...imports].map(partPattern).join('|');
  return {
    name: `part-${part}`,
    comment: `src/${part} imports only ${imports.join(', ') || 'nothing outside itself'}${pure ? ', and no package, node: or npm' : ''}`,
    severity: 'error',
    from: { path: partPattern(part) },
    to: pure ? { pathNot: allowed } : { path: SOURCE, pathNot: allowed },
  };
}

export const RULES: readonly IForbiddenRuleType[] = [
  ...Object.entries(PARTS).map(partRule),
  ...SINGLE_USE.map(
    ({ name, what, only }): IForbiddenRuleType => ({
      name: `single-${name}`,
      comment: `imported only by ${only.join(', ')}`,
      severity: 'error',
      from: { path: SOURCE, pathNot: only.join('|') },
      to: { path: what },
    }),
  ),
  {
    name: 'known-part',
    comment: 'every file of src/ belongs to a part that the table names',
    severity: 'error',
    from: { path: SOURCE, pathNot: Object.keys(PARTS).map(partPattern).join('|') },
    to: {},
  },
  {
    name: 'no-cycle',
    comment: 'no file imports itself by a detour',
    severity: 'error',
    from: {},
    to: { circular: true },
  },
  {
    name: 'no-orphan',
    comment: 'a file that neither imports nor is imported is of no use',
    severity: 'error',
    // Types of packages that have none are imported by nobody.
    from: { path: SOURCE, pathNot: '\\.d\\.ts$', orphan: true },
    to: {},
  },
  {
    name: 'driver-waits-for-schema',
    comment:
      'the profile schema is made of the drivers: one that imports it, other than for types, is waited for for ever',
    severity: 'error',
    from: { path: '^src/modem/(drivers|settings)/' },
    to: { path: '^src/modem/(profile|configuration)[^/]*\\.ts$', dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'no-test-in-source',
    comment: 'the product does not import its tests',
    severity: 'error',
    from: { path: SOURCE },
    to: { path: '^test/' },
  },
  {
    name: 'resolvable',
    comment: 'what cannot be found cannot be judged by the other rules',
    severity: 'error',
    from: {},
    to: { couldNotResolve: true },
  },
  {
    name: 'runtime-dependency',
    comment: 'the product runs without development dependencies',
    severity: 'error',
    from: { path: SOURCE },
    to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
  },
];
