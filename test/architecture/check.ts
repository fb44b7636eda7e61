/** The architecture check: imports by dependency-cruiser, and what only the syntax tree shows. Run by test/run.mjs. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cruise, type IReporterOutput } from 'dependency-cruiser';
import { RULES } from './rules.js';
import { addonLoading, forbiddenGlobals, overlongFile, skippedTests } from './source-checks.js';

export interface Violation {
  readonly rule: string;
  readonly where: string;
}

export interface ArchitectureReport {
  readonly violations: readonly Violation[];
  /** How much was looked at; a check that saw nothing has shown nothing. */
  readonly modules: number;
  readonly dependencies: number;
  readonly sources: number;
}

/** Where time and chance are arguments and nothing may reach for the process. */
const PURE_IN_TIME = /^src\/(base|wire|framing|mac|modem|sim|flow)\//;
const ADDON_FILE = 'src/native/addon.ts';
const SOURCE_FILE = /\.(ts|mjs|cjs|cc|h)$/;
const SOURCE_FOLDERS = ['src', 'test', 'native'];
const IGNORED_FOLDERS = /(^|\/)(node_modules|build|dist)\//;

/** Checks the tree under `root`, a folder with src/ and perhaps test/ and native/. */
export async function checkArchitecture(root: string): Promise<ArchitectureReport> {
  const imports = await checkImports(root);
  const violations = [...imports.violations];
  let sources = 0;
  for (const path of await sourceFiles(root)) {
    const text = await readFile(join(root, path), 'utf8');
    sources += 1;
    violations.push(...overlongFile(path, text));
    if (path.endsWith('.test.ts')) violations.push(...skippedTests(path, text));
    if (path.startsWith('src/') && path !== ADDON_FILE) violations.push(...addonLoading(path, text));
    if (PURE_IN_TIME.test(path)) violations.push(...forbiddenGlobals(path, text));
  }
  return { ...imports, violations, sources };
}

async function checkImports(root: string): Promise<Omit<ArchitectureReport, 'sources'>> {
  const folders = ['src', 'test'].filter((folder) => existsSync(join(root, folder)));
  const report: IReporterOutput = await cruise(folders, {
    baseDir: root,
    validate: true,
    ruleSet: { forbidden: [...RULES] },
    // Imports of types count as much as those of values.
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types', 'default'] },
  });
  if (typeof report.output === 'string') throw new Error(`dependency-cruiser answered with text: ${report.output}`);
  const { violations, totalCruised, totalDependenciesCruised } = report.output.summary;
  return {
    violations: violations.map(({ rule, from, to }) => ({ rule: rule.name, where: `${from} -> ${to}` })),
    modules: totalCruised,
    dependencies: totalDependenciesCruised ?? 0,
  };
}

async function sourceFiles(root: string): Promise<string[]> {
  const lists = SOURCE_FOLDERS.filter((folder) => existsSync(join(root, folder))).map(async (folder) =>
    (await readdir(join(root, folder), { recursive: true })).map((path) => `${folder}/${path}`),
  );
  return (await Promise.all(lists)).flat().filter((path) => SOURCE_FILE.test(path) && !IGNORED_FOLDERS.test(path));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { violations, modules, dependencies, sources } = await checkArchitecture(process.cwd());
  for (const { rule, where } of violations) console.log(`  ${rule}: ${where}`);
  console.log(
    `architecture: ${modules} modules, ${dependencies} imports, ${sources} sources, ${violations.length} violations`,
  );
  const blind = modules === 0 || dependencies === 0 || sources === 0;
  if (blind) console.log('architecture: nothing was seen, so nothing is shown');
  process.exitCode = blind || violations.length > 0 ? 1 : 0;
}
