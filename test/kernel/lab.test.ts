/** The kernel lab itself: what it picks, what it carries, and that it ends in any case. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { availableKernels } from './available.js';
import { Initramfs, importedFiles } from './initramfs.js';
import { fetchKernel, KERNELS, KernelUnavailable, newestReleases } from './kernels.js';
import { LabError, NotBooted, runInLab, tryAnew } from './lab.js';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-lab-test-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe('the choice of packages', () => {
  test('newest first, by number', () => {
    const names = ['linux-image-6.1.0-9-cloud-amd64', 'linux-image-6.1.0-56-cloud-amd64', 'linux-image-6.1.0-56-amd64'];
    expect(newestReleases(names, KERNELS['6.1'].package)).toEqual(['6.1.0-56-cloud-amd64', '6.1.0-9-cloud-amd64']);
  });

  test('no meta package and no debug symbols', () => {
    const names = ['linux-image-6.12-cloud-amd64', 'linux-image-6.12.9+deb12-cloud-amd64-dbg'];
    expect(newestReleases(names, KERNELS['6.12'].package)).toEqual([]);
  });

  test('7.3 means 7.3 or later', () => {
    const releases = ['7.2.13+deb14', '7.3', '7.10.2+deb14', '8.0'].map((version) => `${version}-cloud-amd64`);
    const names = releases.map((release) => `linux-modules-${release}`);
    expect(newestReleases(names, KERNELS['7.3'].package)).toEqual(releases.slice(1).reverse());
  });

  test('a kernel that nobody carries is unavailable, with the reason', async () => {
    const source = { ...KERNELS['6.1'], name: '0.1', package: /^linux-image-(0\.1-cloud-amd64)$/, suites: [] };
    const refused = fetchKernel(source, dir);
    await expect(refused).rejects.toThrow(KernelUnavailable);
    await expect(refused).rejects.toThrow(/linux-image-\(0\\\.1/);
  });
});

describe('the root file system', () => {
  test('is an archive that cpio reads', async () => {
    const root = new Initramfs();
    root.text('/etc/a/b', 'content');
    root.link('/etc/c', 'a/b');
    await root.write(join(dir, 'archive'));
    const { stdout } = spawnSync('busybox', ['cpio', '-itv', '-F', join(dir, 'archive')], { encoding: 'utf8' });
    expect(stdout).toMatch(/^d.* etc$/m);
    expect(stdout).toMatch(/^-.* 7 .* etc\/a\/b$/m);
    expect(stdout).toMatch(/^l.* etc\/c/m);
  });

  test('carries what a program imports, and refuses npm packages', async () => {
    await writeFile(join(dir, 'a.js'), `import { b } from './b.js';\nimport fs from 'node:fs';\nimport('./c.js');\n`);
    await writeFile(join(dir, 'b.js'), `export {\n  x,\n} from './d.js';\n`);
    await writeFile(join(dir, 'c.js'), `import './d.js';\n`);
    await writeFile(join(dir, 'd.js'), '');
    const files = await importedFiles(join(dir, 'a.js'));
    expect(files.map((file) => file.slice(dir.length + 1))).toEqual(['a.js', 'b.js', 'c.js', 'd.js']);
    await writeFile(join(dir, 'd.js'), `import pino from 'pino';\n`);
    await expect(importedFiles(join(dir, 'a.js'))).rejects.toThrow('pino');
  });
});

describe('a boot that fails', () => {
  const failing = (...failures: Error[]): (() => Promise<string>) => {
    return () => {
      const failure = failures.shift();
      return failure === undefined ? Promise.resolve('up') : Promise.reject(failure);
    };
  };

  test('is tried anew, so many times', async () => {
    const died = (): Error => new NotBooted('died');
    expect(await tryAnew(3, failing(died(), died()))).toBe('up');
    await expect(tryAnew(2, failing(died(), died()))).rejects.toThrow('died');
  });

  test('is not tried anew once the script has begun', async () => {
    await expect(tryAnew(3, failing(new LabError('ended before its script did')))).rejects.toThrow(LabError);
  });
});

const [kernel] = [...(await availableKernels(['6.1', '6.12', '7.3'])).values()];
if (kernel) {
  describe('the emulated machine', () => {
    test('runs a script with node as root and reports its output and its status', async () => {
      const script = 'node -p "process.getuid() + 40 + 2"; uname -r; pwd; test -c /dev/net/tun && exit 7';
      const modules = ['tun', 'sch_tbf', 'sch_prio'];
      const { output, status } = await runInLab({ kernel, projectDir: PROJECT, modules, script, timeoutMs: 120_000 });
      expect(output.split('\n')).toEqual(['42', kernel.release, '/sluice']);
      expect(status).toBe(7);
    });

    test('is ended when its time is over, and leaves nothing behind', async () => {
      const tmpdirBefore = process.env.TMPDIR;
      process.env.TMPDIR = dir;
      try {
        const job = { kernel, projectDir: PROJECT, script: 'sleep 1000', timeoutMs: 2000 };
        await expect(runInLab(job)).rejects.toThrow(LabError);
      } finally {
        if (tmpdirBefore === undefined) delete process.env.TMPDIR;
        else process.env.TMPDIR = tmpdirBefore;
      }
      expect(await readdir(dir)).toEqual([]);
    });

    test('tells a kernel that dies as it boots from one that dies under the script', async () => {
      const job = { kernel, projectDir: PROJECT, timeoutMs: 60_000, boots: 1 };
      const machine = ['-append', 'console=ttyS0 loglevel=4 panic=-1 rdinit=/nowhere root=/dev/none'];
      await expect(runInLab({ ...job, machine, script: 'true' })).rejects.toThrow(NotBooted);
      const script = 'echo c > /proc/sysrq-trigger; sleep 60';
      const failure = await runInLab({ ...job, script }).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(LabError);
      expect(failure).not.toBeInstanceOf(NotBooted);
    });

    test('does not know a module that the kernel lacks', async () => {
      const job = { kernel, projectDir: PROJECT, modules: ['no_such_module'], script: 'true', timeoutMs: 1000 };
      await expect(runInLab(job)).rejects.toThrow(/no_such_module/);
    });
  });
}
