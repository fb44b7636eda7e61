/**
 * The lab by hand: `node dist/test/kernel/lab-main.js 6.1|6.12|7.3 SCRIPT [SECONDS]` runs a shell script on that kernel, from the
 * project's folder, and exits with its status. Exit 3: no such kernel to be had today.
 */
import { readFile } from 'node:fs/promises';
import { fetchKernel, KERNELS, type KernelName, KernelUnavailable } from './kernels.js';
import { missingPrograms, runInLab } from './lab.js';

const [name = '', scriptFile = '', seconds = '600'] = process.argv.slice(2);
const missing = missingPrograms();
if (!Object.hasOwn(KERNELS, name) || scriptFile === '') {
  console.error(`usage: lab-main ${Object.keys(KERNELS).join('|')} SCRIPT [SECONDS]`);
  process.exitCode = 2;
} else if (missing.length > 0) {
  console.error(`the kernel lab needs ${missing.join(', ')}`);
  process.exitCode = 3;
} else {
  try {
    const { output, status } = await runInLab({
      kernel: await fetchKernel(KERNELS[name as KernelName]),
      projectDir: process.cwd(),
      entries: ['dist/test/kernel/in-lab.js'],
      modules: ['tun', 'sch_tbf', 'sch_prio'],
      script: await readFile(scriptFile, 'utf8'),
      timeoutMs: Number(seconds) * 1000,
    });
    console.log(output);
    process.exitCode = status;
  } catch (error) {
    console.error(String(error));
    process.exitCode = error instanceof KernelUnavailable ? 3 : 1;
  }
}
