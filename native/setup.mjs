// Makes the clone ready to run: installs the packages, builds the addon, compiles the TypeScript, links `sluice` for
// npx. What is up to date is skipped. Uses nothing but Node itself, since it runs before anything is installed.
//
//   node native/setup.mjs [--quiet]     --quiet: only errors are printed
//
// Exit codes: 0 done, 1 a step failed, 3 a tool is missing on this machine.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const quiet = process.argv.includes('--quiet');

const EXIT_STEP_FAILED = 1;
const EXIT_TOOL_MISSING = 3;

class SetupError extends Error {
  constructor(message, exitCode) {
    super(message);
    this.exitCode = exitCode;
  }
}

// On stderr, so that a command's JSON on stdout stays alone there.
function say(text) {
  if (!quiet) process.stderr.write(`setup: ${text}\n`);
}

// Runs a step's program; its output is shown only when it fails.
function run(what, program, args, options = {}) {
  const startedMs = Date.now();
  say(`${what} ...`);
  const result = spawnSync(program, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28, ...options });
  if (result.error !== undefined) throw new SetupError(`${what}: ${result.error.message}`, EXIT_STEP_FAILED);
  if (result.status !== 0) {
    throw new SetupError(`${result.stdout}${result.stderr}\n${what} failed`, EXIT_STEP_FAILED);
  }
  say(`${what}: ${((Date.now() - startedMs) / 1000).toFixed(1)} s`);
}

function modifiedMs(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function filesUnder(folder, wanted) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => wanted.test(path))
    .sort();
}

function stampIs(path, content) {
  return existsSync(path) && readFileSync(path, 'utf8') === content;
}

function onPath(tool) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function installPackages() {
  const lock = join(root, 'package-lock.json');
  // npm writes this file last, so a broken-off installation is repeated.
  const installed = join(root, 'node_modules/.package-lock.json');
  if (existsSync(installed) && modifiedMs(installed) >= modifiedMs(lock)) return;
  if (!onPath('npm')) throw new SetupError('npm is missing. Install it: apt-get install npm', EXIT_TOOL_MISSING);
  // The compiler is a development package: wanted also where NODE_ENV says production. Not `npm ci`: it refuses a lock
  // file without the packages for other systems, which a registry need not have. The versions are the lock file's.
  run('installing packages', 'npm', ['install', '--no-save', '--include=dev', '--no-audit', '--no-fund']);
}

function buildAddon() {
  const folder = join(root, 'native');
  const output = join(folder, 'build/Release/sluice.node');
  const stamp = join(folder, 'build/.stamp');
  const hash = createHash('sha256').update(`${process.arch} node-api of node ${process.versions.modules}\n`);
  for (const path of filesUnder(folder, /\/native\/[^/]+\.(cc|h|gyp)$/)) {
    hash.update(`${relative(root, path)}\n`).update(readFileSync(path));
  }
  hash.update(readFileSync(join(root, 'node_modules/node-addon-api/package.json')));
  const wanted = `${hash.digest('hex')}\n`;
  if (existsSync(output) && stampIs(stamp, wanted)) return;

  const missing = [
    ...(process.env.CXX === undefined && !onPath('g++') ? ['g++'] : []),
    ...(onPath('make') ? [] : ['make']),
    ...(process.env.PYTHON === undefined && !onPath('python3') ? ['python3'] : []),
  ];
  if (missing.length > 0) {
    throw new SetupError(
      `missing: ${missing.join(', ')}. Install what the native addon needs: apt-get install g++ make python3`,
      EXIT_TOOL_MISSING,
    );
  }
  // Node's own headers where they came with it; otherwise node-gyp downloads them.
  const prefix = join(dirname(process.execPath), '..');
  const headers = existsSync(join(prefix, 'include/node/node_api.h')) ? [`--nodedir=${prefix}`] : [];
  const nodeGyp = join(root, 'node_modules/node-gyp/bin/node-gyp.js');
  // `build`, not `rebuild`: until the linker is done, whoever runs beside us keeps the old addon.
  run('building the native addon', process.execPath, [nodeGyp, 'configure', 'build', '--jobs=max', ...headers], {
    cwd: folder,
  });
  if (!existsSync(output)) throw new SetupError(`${output} was not built`, EXIT_STEP_FAILED);
  writeFileSync(stamp, wanted);
}

function compile() {
  const stamp = join(root, 'dist/.stamp');
  const sources = ['src', 'test'].flatMap((folder) => filesUnder(join(root, folder), /\.ts$/));
  const inputs = [...sources, join(root, 'tsconfig.json'), join(root, 'node_modules/typescript/package.json')];
  const wanted = inputs.map((path) => `${relative(root, path)} ${statSync(path).size} ${modifiedMs(path)}\n`).join('');
  if (stampIs(stamp, wanted)) return;
  const known = new Set(sources.map((path) => relative(root, path).replace(/\.ts$/, '')));
  // What a source that is gone has left behind would still be found by a glob.
  for (const path of ['src', 'test'].flatMap((folder) => filesUnder(join(root, 'dist', folder), /\.js(\.map)?$/))) {
    if (!known.has(relative(join(root, 'dist'), path).replace(/\.js(\.map)?$/, ''))) rmSync(path);
  }
  const buildInfo = join(root, 'dist/.tsbuildinfo');
  // The compiler trusts its notes: without the output they describe, they must go too.
  if (![...known].every((name) => existsSync(join(root, 'dist', `${name}.js`)))) rmSync(buildInfo, { force: true });
  run('compiling', process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.']);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
}

// npm links the commands of packages, but not a package's own: this makes `npx sluice` work in the clone.
function linkCommand() {
  const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const [name, target] of Object.entries(bin)) {
    const program = join(root, target);
    if (!existsSync(program)) throw new SetupError(`${target} is missing after compiling`, EXIT_STEP_FAILED);
    chmodSync(program, 0o755);
    const link = join(root, 'node_modules/.bin', name);
    const destination = relative(dirname(link), program);
    if (linkTarget(link) === destination) continue;
    rmSync(link, { force: true });
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(destination, link);
  }
}

function linkTarget(path) {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

try {
  installPackages();
  buildAddon();
  compile();
  linkCommand();
} catch (failure) {
  if (!(failure instanceof SetupError)) throw failure;
  process.stderr.write(`setup: ${failure.message}\n`);
  process.exitCode = failure.exitCode;
}
