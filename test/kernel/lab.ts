/**
 * The kernel lab: boots a Debian kernel in an emulated machine with node and the built project, runs a shell script
 * there as root, and returns what it printed. No hardware virtualisation needed: the CPU is emulated, some 20 times
 * slower than the machine's own.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { Initramfs, importedFiles } from './initramfs.js';
import type { Kernel } from './kernels.js';

/** Where the project lies inside the lab. */
const LAB_PROJECT = '/sluice';
const MEMORY_MIB = 1024;
const START_MARK = 'LAB-START';
const EXIT_MARK = 'LAB-EXIT';
/**
 * A kernel that patches its own code while another emulated CPU runs it dies of it now and then as it boots ("Oops: int3"):
 * the emulator's fault, and nothing has been tested yet.
 */
const BOOTS_MAX = 3;
/** The last of the kernel's messages that a failure shows. */
const CONSOLE_TAIL_CHARS = 3000;
const FAILED_BOOT_CHARS = 500;

/** What the lab takes from the machine, each with the Debian package that has it. */
const PROGRAMS = {
  'qemu-system-x86_64': 'qemu-system-x86',
  busybox: 'busybox-static',
  xz: 'xz-utils',
  zstd: 'zstd',
  ldd: 'libc-bin',
  'apt-get': 'apt',
  'dpkg-deb': 'dpkg',
} as const;

export interface LabJob {
  readonly kernel: Kernel;
  /** The root of the source tree, built. */
  readonly projectDir: string;
  /** Built programs under `projectDir` that the script starts, e.g. `dist/test/kernel/in-lab.js`. */
  readonly entries?: readonly string[];
  /** Kernel modules to load first; those they depend on come by themselves. */
  readonly modules?: readonly string[];
  /** Programs of the machine, by path, to have beside node and busybox. */
  readonly programs?: readonly string[];
  /** For busybox sh, in the project's folder. */
  readonly script: string;
  /** Further arguments of the emulator: devices, and what is behind them. */
  readonly machine?: readonly string[];
  /** Of the emulator, beside its own. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Bounds the run, boot included. */
  readonly timeoutMs: number;
  /** So often it is tried to boot, with `timeoutMs` each time; 3 unless set. */
  readonly boots?: number;
}

export interface LabResult {
  /** What the script printed on both its outputs. */
  readonly output: string;
  /** The script's exit status. */
  readonly status: number;
}

/** The lab broke, not the script in it: the kernel did not boot, or time ran out. */
export class LabError extends Error {
  override readonly name = 'LabError';
}

/** The kernel died before the script began. */
export class NotBooted extends LabError {}

function which(program: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin', '/usr/bin', '/bin'];
  return folders
    .map((folder) => join(folder, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** The programs that the lab needs and this machine lacks, each with its package; empty when all is there. */
export function missingPrograms(): string[] {
  return Object.entries(PROGRAMS)
    .filter(([program]) => !which(program))
    .map(([program, debianPackage]) => `${program} (package ${debianPackage})`);
}

/**
 * Boots the kernel and runs the script.
 * @throws LabError when the kernel does not come up or the time is over; the message ends with the kernel's last words.
 */
export async function runInLab(job: LabJob): Promise<LabResult> {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-lab-'));
  try {
    const initrd = join(dir, 'initrd');
    await buildRoot(job, initrd);
    return await tryAnew(job.boots ?? BOOTS_MAX, () => boot(job, initrd, join(dir, 'console')));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Once more while it fails with NotBooted, so many times in all. */
export async function tryAnew<Result>(times: number, run: () => Promise<Result>): Promise<Result> {
  for (let left = times - 1; ; left--) {
    try {
      return await run();
    } catch (failure) {
      if (!(failure instanceof NotBooted) || left === 0) throw failure;
      process.stdout.write(`${failure.message.slice(0, FAILED_BOOT_CHARS)}\nbooted once more\n`);
    }
  }
}

async function buildRoot(job: LabJob, target: string): Promise<void> {
  const root = new Initramfs();
  for (const folder of ['/proc', '/sys', '/dev', '/run', '/tmp', '/root', '/etc', LAB_PROJECT]) root.directory(folder);
  const busybox = which('busybox');
  if (!busybox) throw new LabError('busybox is missing: install busybox-static');
  root.file('/bin/busybox', busybox, 0o755);
  for (const program of [process.execPath, ...(job.programs ?? [])]) await root.program(program);
  let modules: string[] = [];
  for (const name of job.modules ?? []) modules = await root.module(name, job.kernel.modulesDir, modules);
  for (const path of await projectFiles(job)) {
    root.file(join(LAB_PROJECT, relative(job.projectDir, path)), path);
  }
  root.text('/script', job.script);
  root.text('/init', initScript(modules, job.timeoutMs), 0o755);
  await root.write(target);
}

async function projectFiles(job: LabJob): Promise<string[]> {
  const files = new Set([join(job.projectDir, 'package.json')]);
  for (const entry of job.entries ?? []) {
    for (const file of await importedFiles(join(job.projectDir, entry))) files.add(file);
  }
  const addons = join(job.projectDir, 'native/build/Release');
  for (const file of existsSync(addons) ? await readdir(addons) : []) {
    if (file.endsWith('.node')) files.add(join(addons, file));
  }
  return [...files];
}

function initScript(modules: readonly string[], timeoutMs: number): string {
  return `#!/bin/busybox sh
export PATH=/bin HOME=/root
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev; mount -t tmpfs tmp /tmp; mount -t tmpfs run /run
mkdir -p /dev/pts /dev/net; mount -t devpts pts /dev/pts
${modules.map((path) => `insmod ${path} || echo "insmod ${path} failed" >/dev/ttyS0`).join('\n')}
[ -e /dev/net/tun ] || mknod /dev/net/tun c 10 200
ip link set lo up; hostname lab
stty raw -F /dev/ttyS1
# Should the process that bounds this machine be killed, it still ends by itself.
( sleep ${Math.ceil(timeoutMs / 1000)}; poweroff -f ) &
echo ${START_MARK} >/dev/ttyS1
# Through a pipe, so that no program takes its output for a terminal.
{ ( cd ${LAB_PROJECT}; sh /script ) 2>&1 </dev/null; echo "
${EXIT_MARK} $?"; } | cat >/dev/ttyS1
poweroff -f
`;
}

function boot(job: LabJob, initrd: string, consoleFile: string): Promise<LabResult> {
  const machine = ['-machine', 'q35,usb=off', '-cpu', 'max', '-accel', 'tcg,thread=multi', '-smp', '2'];
  const serial = ['-serial', `file:${consoleFile}`, '-serial', 'stdio'];
  const args = [
    ...machine,
    ...['-m', String(MEMORY_MIB), '-nodefaults', '-display', 'none', '-no-reboot', ...serial],
    ...['-kernel', job.kernel.image, '-initrd', initrd],
    ...['-append', 'console=ttyS0 loglevel=4 panic=-1 mitigations=off nokaslr'],
    ...(job.machine ?? []),
  ];
  return new Promise((resolve, reject) => {
    const qemu = spawn('qemu-system-x86_64', args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...job.environment },
    });
    let output = '';
    let complaint = '';
    const timer = setTimeout(() => qemu.kill('SIGKILL'), job.timeoutMs);
    qemu.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    qemu.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint += text;
    });
    qemu.on('error', (error) => {
      clearTimeout(timer);
      reject(new LabError(`qemu-system-x86_64: ${error.message}`));
    });
    qemu.on('close', (_code, signal) => {
      clearTimeout(timer);
      const run = new RegExp(`^${START_MARK}\\n([^]*)\\n${EXIT_MARK} (\\d+)\\s*$`).exec(output);
      if (run) {
        resolve({ output: (run[1] ?? '').trimEnd(), status: Number(run[2]) });
        return;
      }
      const why = signal === 'SIGKILL' ? `was not done after ${job.timeoutMs / 1000} s` : 'ended before its script did';
      void readFile(consoleFile, 'utf8')
        .catch(() => '')
        .then((text) => {
          const words = [complaint, output, text].map((part) => part.slice(-CONSOLE_TAIL_CHARS)).join('\n');
          const hasDied = signal !== 'SIGKILL' && text !== '' && !output.startsWith(START_MARK);
          reject(new (hasDied ? NotBooted : LabError)(`linux ${job.kernel.release} ${why}\n${words}`));
        });
    });
  });
}
