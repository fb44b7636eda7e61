/**
 * The kernels that back pressure is tested on, fetched as Debian packages by name and unpacked into a cache outside
 * the source tree. Nothing is installed: apt only downloads.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A download of 100 MB over a slow line must still fit; an apt that hangs must not hold the tests for ever. */
const APT_TIMEOUT_MS = 240_000;
/** A list may name a package that the mirror has already dropped; the next older one is as good. */
const VERSIONS_TRIED = 3;
const KEYRINGS = ['/usr/share/keyrings/debian-archive-keyring.gpg', '/usr/share/keyrings/debian-archive-keyring.pgp'];

export interface KernelSource {
  /** What tests and messages call it. */
  readonly name: string;
  /** Debian's package names that carry such a kernel; the one group captures the kernel release. */
  readonly package: RegExp;
  /** The packages to unpack for a release. */
  readonly packagesOf: (release: string) => readonly string[];
  /** Suites to ask where the machine's own package lists know no such kernel. */
  readonly suites: readonly string[];
}

const signedImage = (release: string): string[] => [`linux-image-${release}`];
/** From 7.x on Debian ships image and modules in packages of their own. */
const splitImage = (release: string): string[] => [`linux-binary-unsigned-${release}`, `linux-modules-${release}`];

export const KERNELS = {
  '6.1': {
    name: '6.1',
    package: /^linux-image-(6\.1\.0-\d+-cloud-amd64)$/,
    packagesOf: signedImage,
    suites: ['bookworm'],
  },
  '6.12': {
    name: '6.12',
    package: /^linux-image-(6\.12\.\d+\S*-cloud-amd64)$/,
    packagesOf: signedImage,
    suites: ['trixie'],
  },
  /** The first with IFF_BACKPRESSURE; anything newer will do. */
  '7.3': {
    name: '7.3',
    package: /^linux-modules-((?:7\.(?:[3-9]|[1-9]\d)|[89]\.\d+|[1-9]\d\.\d+)\S*-cloud-amd64)$/,
    packagesOf: splitImage,
    suites: ['sid', 'experimental'],
  },
} as const satisfies Record<string, KernelSource>;

export type KernelName = keyof typeof KERNELS;

/** A kernel on disk, ready to boot. */
export interface Kernel {
  readonly release: string;
  readonly image: string;
  /** The folder lib/modules/RELEASE. */
  readonly modulesDir: string;
}

/** Debian does not carry the kernel today, or it cannot be fetched: not a fault of the project. */
export class KernelUnavailable extends Error {
  override readonly name = 'KernelUnavailable';
}

/** Where unpacked kernels are kept between runs. */
export function kernelCacheDir(env: NodeJS.ProcessEnv = process.env): string {
  const base = env.XDG_CACHE_HOME || (process.getuid?.() === 0 ? '/var/cache' : join(homedir(), '.cache'));
  return join(base, 'sluice', 'kernels');
}

/** Newest first, by the numbers in the names. Debug symbols and meta packages do not match the patterns. */
export function newestReleases(packageNames: readonly string[], pattern: RegExp): string[] {
  const releases = packageNames.map((name) => pattern.exec(name)?.[1]).filter((release) => release !== undefined);
  return [...new Set(releases)].sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
}

/**
 * Fetches a kernel, or finds it in the cache, where it is taken as it is.
 * @throws KernelUnavailable with the reason: nothing carries it, or the download failed.
 */
export async function fetchKernel(source: KernelSource, cacheDir = kernelCacheDir()): Promise<Kernel> {
  const home = join(cacheDir, source.name);
  const cached = await findKernel(home);
  if (cached) return cached;
  if (process.arch !== 'x64')
    throw new KernelUnavailable(`the packages are for amd64, this machine is ${process.arch}`);
  await mkdir(home, { recursive: true });
  let reason = `no package matches ${source.package.source}`;
  for (const suites of [[], source.suites]) {
    try {
      const apt = suites.length === 0 ? [] : await aptForSuites(join(home, 'apt'), suites);
      const complaint = suites.length === 0 ? '' : await updateLists(apt);
      if (complaint !== '') reason += `; ${complaint}`;
      const releases = newestReleases(await packageNames(apt, source.package), source.package);
      for (const release of releases.slice(0, VERSIONS_TRIED)) {
        try {
          return await download(home, source, release, apt);
        } catch (error) {
          reason = `linux ${release}: ${briefly(error)}`;
        }
      }
    } catch (error) {
      reason = briefly(error);
    } finally {
      await rm(join(home, 'apt'), { recursive: true, force: true });
    }
  }
  throw new KernelUnavailable(reason);
}

function briefly(error: unknown): string {
  const text =
    error instanceof Error ? ('stderr' in error && String(error.stderr).trim()) || error.message : String(error);
  return text.split('\n').slice(-2).join(' ').slice(0, 300);
}

async function packageNames(apt: readonly string[], pattern: RegExp): Promise<string[]> {
  // Only the start of the pattern, in apt's own dialect; the exact choice is made here.
  const prefix = /^\^[a-z-]+/.exec(pattern.source)?.[0] ?? '^linux-';
  const { stdout } = await run('apt-cache', [...apt, 'search', '--names-only', prefix], {
    timeout: APT_TIMEOUT_MS,
    maxBuffer: 1 << 26,
  });
  return stdout.split('\n').map((line) => line.split(' ')[0] ?? '');
}

/** An apt configuration of its own for suites that the machine does not use, on the machine's own mirror. */
async function aptForSuites(dir: string, suites: readonly string[]): Promise<string[]> {
  const { stdout } = await run('apt-get', [
    'indextargets',
    '--format',
    '$(REPO_URI) $(CODENAME) $(ORIGIN)',
    'Created-By: Packages',
  ]);
  const own = stdout.split('\n').map((line) => line.split(' '));
  const mirror = own.find(([, codename, origin]) => origin === 'Debian' && !codename?.includes('security'))?.[0];
  if (!mirror) throw new KernelUnavailable('apt has no lists from a Debian mirror: run apt-get update');
  const keyring = KEYRINGS.find((path) => existsSync(path));
  if (!keyring) throw new KernelUnavailable('the package debian-archive-keyring is not installed');
  for (const folder of ['lists/partial', 'cache/archives/partial']) await mkdir(join(dir, folder), { recursive: true });
  const list = join(dir, 'sources.list');
  await writeFile(list, suites.map((suite) => `deb [signed-by=${keyring}] ${mirror} ${suite} main\n`).join(''));
  const options = [
    `Dir::Etc::SourceList=${list}`,
    'Dir::Etc::SourceParts=/dev/null',
    `Dir::State::Lists=${join(dir, 'lists')}`,
    `Dir::Cache=${join(dir, 'cache')}`,
    // The folder may lie where apt's own user cannot write.
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option]);
  return options;
}

/** Fetches the lists. What went wrong comes back as text: the lists that did arrive may be enough. */
async function updateLists(apt: readonly string[]): Promise<string> {
  try {
    await run('apt-get', [...apt, 'update', '--error-on=any'], { timeout: APT_TIMEOUT_MS });
    return '';
  } catch (error) {
    return briefly(error);
  }
}

async function download(home: string, source: KernelSource, release: string, apt: readonly string[]): Promise<Kernel> {
  const debs = await mkdtemp(join(home, 'debs-'));
  try {
    const tree = join(debs, 'tree');
    await run('apt-get', [...apt, '-o', 'APT::Sandbox::User=root', 'download', ...source.packagesOf(release)], {
      cwd: debs,
      timeout: APT_TIMEOUT_MS,
    });
    for (const deb of (await readdir(debs)).filter((file) => file.endsWith('.deb'))) {
      await run('dpkg-deb', ['-x', join(debs, deb), tree], { timeout: APT_TIMEOUT_MS });
    }
    await rm(join(home, 'tree'), { recursive: true, force: true });
    // Only a whole tree ever gets its final name.
    await rename(tree, join(home, 'tree'));
  } finally {
    await rm(debs, { recursive: true, force: true });
  }
  const kernel = await findKernel(home);
  if (!kernel) throw new KernelUnavailable('the packages hold no image with modules');
  return kernel;
}

async function findKernel(home: string): Promise<Kernel | undefined> {
  for (const modules of ['usr/lib/modules', 'lib/modules']) {
    const parent = join(home, 'tree', modules);
    for (const release of existsSync(parent) ? await readdir(parent) : []) {
      const modulesDir = join(parent, release);
      // 6.x ships a signed image in /boot, 7.x an unsigned one beside its modules.
      const images = [join(home, 'tree/boot', `vmlinuz-${release}`), join(modulesDir, 'vmlinuz.unsigned')];
      const image = images.find((path) => existsSync(path));
      if (image) return { release, image, modulesDir };
    }
  }
  return undefined;
}
