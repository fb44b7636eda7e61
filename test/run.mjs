/**
 * Runs the stages of `npm test`, all of them even when one fails, and sums up. `node test/run.mjs unit sim` runs only those named.
 * The last line is `N passed, N failed`: each test counts, the linter and the architecture check count one each. What a missing privilege
 * or program prevents is named and, with CI=true, counted as failed; a stage that found nothing to test has failed.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const IN_CI = ['true', '1'].includes(process.env.CI ?? '');
/** No stage takes as long unless it hangs. */
const STAGE_TIMEOUT_MS = 15 * 60_000;
/** Of the message of a failed test, below the sums: a record of a run may have kept no more than its end. */
const MESSAGE_LINES = 15;
const MESSAGE_LINE_CHARACTERS = 300;
/** Of all of them together, so that the sums above are not lost either. */
const MESSAGES_CHARACTERS = 20_000;

/**
 * @typedef {{ passed: number, failed: number, notes: string[], messages?: string[], table?: string }} Outcome
 * @typedef {{ status: string, fullName: string, failureMessages?: string[] }} Test
 */

/** @type {Record<string, { needs?: () => string[], run: () => Promise<Outcome> }>} */
const STAGES = {
  lint: { run: lint },
  architecture: { run: () => oneCheck([join(ROOT, 'dist/test/architecture/check.js')]) },
  unit: { run: () => vitest('unit') },
  sim: { run: () => vitest('sim') },
  system: {
    needs: () => [
      ...root(),
      ...tun(),
      ...programs({ ip: 'iproute2', ping: 'iputils-ping', jq: 'jq', tshark: 'tshark', chromium: 'chromium' }),
    ],
    run: () => vitest('system', 'system-alone'),
  },
  modem: {
    needs: () => [
      ...root(),
      ...tun(),
      ...programs({ direwolf: 'direwolf', pulseaudio: 'pulseaudio', nsenter: 'util-linux', setpriv: 'util-linux' }),
    ],
    run: () => vitest('modem'),
  },
  kernel: { needs: kernelLab, run: () => vitest('kernel') },
};

function root() {
  return process.getuid?.() === 0 ? [] : ['root, for TAP devices and network namespaces'];
}

function tun() {
  return existsSync('/dev/net/tun') ? [] : ['/dev/net/tun: modprobe tun'];
}

function kernelLab() {
  return programs({
    'qemu-system-x86_64': 'qemu-system-x86',
    busybox: 'busybox-static',
    xz: 'xz-utils',
    zstd: 'zstd',
    'apt-get': 'apt',
    'dpkg-deb': 'dpkg',
  });
}

/** @param {Record<string, string>} wanted program to Debian package */
function programs(wanted) {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'];
  const present = (/** @type {string} */ path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  };
  return Object.entries(wanted)
    .filter(([program]) => !folders.some((folder) => present(join(folder, program))))
    .map(([program, debianPackage]) => `${program}: apt-get install ${debianPackage}`);
}

/**
 * Runs node with arguments, its output passed through, killed with its children when the time is over.
 * @param {string[]} args
 * @param {Record<string, string>} [env]
 * @returns {Promise<{ ok: boolean, why: string }>}
 */
function node(args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: ROOT,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, ...env },
      detached: true,
    });
    let late = false;
    const killAll = () => {
      try {
        if (child.pid) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // Gone already.
      }
    };
    const timer = setTimeout(() => {
      late = true;
      killAll();
    }, STAGE_TIMEOUT_MS);
    const interrupted = () => {
      killAll();
      process.exit(130);
    };
    process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
    const done = (/** @type {string} */ why) => {
      clearTimeout(timer);
      process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
      resolve({ ok: why === '', why });
    };
    child.on('error', (error) => done(error.message));
    child.on('close', (code, signal) => {
      if (late) done(`not done after ${STAGE_TIMEOUT_MS / 60_000} minutes`);
      else done(code === 0 ? '' : `ended with ${signal ?? `exit code ${code}`}`);
    });
  });
}

/** @param {string[]} args @returns {Promise<Outcome>} */
async function oneCheck(args) {
  const { ok, why } = await node(args);
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, notes: ok ? [] : [why] };
}

/** Biome fails by itself when no file matches. */
function lint() {
  return oneCheck([join(ROOT, 'node_modules/@biomejs/biome/bin/biome'), 'check', '--error-on-warnings', '.']);
}

/** @param {string[]} projects @returns {Promise<Outcome>} */
async function vitest(...projects) {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  try {
    const report = join(dir, 'report.json');
    const notRun = join(dir, 'not-run');
    const table = join(dir, 'table');
    const { ok, why } = await node(
      [
        join(ROOT, 'node_modules/vitest/vitest.mjs'),
        ...['run', '--config', 'test/vitest.config.ts', ...projects.flatMap((project) => ['--project', project])],
        ...['--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
      ],
      { SLUICE_NOT_RUN: notRun, SLUICE_TABLE: table },
    );
    const outcome = existsSync(report)
      ? count(JSON.parse(readFileSync(report, 'utf8')))
      : { passed: 0, failed: 0, notes: [] };
    if (outcome.passed + outcome.failed === 0) {
      outcome.failed = 1;
      outcome.notes.push('no test was found');
    } else if (!ok && outcome.failed === 0) {
      // Errors outside the tests, a hanging tear-down.
      outcome.failed = 1;
      outcome.notes.push(`vitest ${why}`);
    }
    if (existsSync(notRun)) {
      for (const line of readFileSync(notRun, 'utf8').split('\n').filter(Boolean))
        outcome.notes.push(`not run: ${line}`);
    }
    if (existsSync(table)) outcome.table = readFileSync(table, 'utf8');
    return outcome;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/**
 * Counts vitest's report. A test that did not run has not passed, and a file that could not be loaded has failed.
 * @param {{ testResults: { name: string, status: string, message?: string, assertionResults: Test[] }[] }} report
 * @returns {Outcome & { messages: string[] }}
 */
export function count(report) {
  const outcome = { passed: 0, failed: 0, notes: /** @type {string[]} */ ([]), messages: /** @type {string[]} */ ([]) };
  for (const file of report.testResults) {
    const failed = file.assertionResults.filter((test) => test.status !== 'passed');
    outcome.passed += file.assertionResults.length - failed.length;
    outcome.failed += failed.length;
    for (const test of failed) {
      outcome.notes.push(`${test.status}: ${test.fullName}`);
      const text = (test.failureMessages ?? []).join('\n');
      if (text !== '') outcome.messages.push(`${test.fullName}\n${beginning(text)}`);
    }
    if (file.status !== 'passed' && failed.length === 0) {
      outcome.failed += 1;
      outcome.notes.push(`failed: ${file.name}`);
    }
    // It could not be loaded, or what its tests have in common failed.
    if (file.message) outcome.messages.push(`${file.name}\n${beginning(file.message)}`);
  }
  return outcome;
}

/** @param {string} text */
function beginning(text) {
  const isOurs = (/** @type {string} */ line) => !/^ +at .*\/node_modules\/|^ +at new Promise/.test(line);
  const lines = stripVTControlCharacters(text).trimEnd().split('\n').filter(isOurs);
  const shown = lines.slice(0, MESSAGE_LINES).map((line) => `    ${line.slice(0, MESSAGE_LINE_CHARACTERS)}`);
  return [...shown, ...(lines.length > MESSAGE_LINES ? ['    ...'] : [])].join('\n');
}

/** What the failed tests said, for the end of the run. @param {string[]} messages */
export function told(messages) {
  const text = messages.map((message) => `\n${message}`).join('\n');
  if (text.length <= MESSAGES_CHARACTERS) return text;
  return `${text.slice(0, MESSAGES_CHARACTERS)}\n... and more in the output of the stages above`;
}

/** @param {string[]} names */
async function main(names) {
  const unknown = names.filter((name) => !Object.hasOwn(STAGES, name));
  if (unknown.length > 0) {
    console.error(`no such stage: ${unknown.join(', ')}; there are ${Object.keys(STAGES).join(', ')}`);
    process.exit(2);
  }
  const rows = [];
  for (const [name, stage] of Object.entries(STAGES)) {
    if (names.length > 0 && !names.includes(name)) continue;
    console.log(`\n== ${name}`);
    const startMs = Date.now();
    const missing = stage.needs?.() ?? [];
    /** @type {Outcome} */
    const outcome =
      missing.length === 0
        ? await stage.run()
        : { passed: 0, failed: IN_CI ? 1 : 0, notes: missing.map((what) => `not run, needs ${what}`) };
    if (outcome.table !== undefined) console.log(`\n${outcome.table}`);
    rows.push({ name, ...outcome, seconds: (Date.now() - startMs) / 1000 });
  }
  console.log('\nstage          passed  failed  seconds');
  for (const { name, passed, failed, seconds, notes } of rows) {
    console.log(
      `${name.padEnd(13)}${String(passed).padStart(8)}${String(failed).padStart(8)}${seconds.toFixed(1).padStart(9)}`,
    );
    for (const note of notes) console.log(`    ${note}`);
  }
  const messages = rows.flatMap((row) => row.messages ?? []);
  if (messages.length > 0) console.log(`${told(messages)}\n`);
  const passed = rows.reduce((sum, row) => sum + row.passed, 0);
  const failed = rows.reduce((sum, row) => sum + row.failed, 0);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
  console.log(`${passed} passed, ${failed} failed`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
