/** Which kernels can be tested today. One that Debian does not carry is reported by name and never counted as passed. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { fetchKernel, KERNELS, type Kernel, type KernelName, KernelUnavailable } from './kernels.js';

/** Fetches the kernels; those not to be had are named on stdout and, for the runner's sum, in the file SLUICE_NOT_RUN. */
export async function availableKernels(names: readonly KernelName[]): Promise<ReadonlyMap<KernelName, Kernel>> {
  const found = new Map<KernelName, Kernel>();
  const notes = process.env.SLUICE_NOT_RUN;
  const known = notes && existsSync(notes) ? readFileSync(notes, 'utf8').split('\n') : [];
  for (const name of names) {
    // Another test file of this run has looked for it: once is enough.
    if (known.some((line) => line.startsWith(`kernel ${name} `))) continue;
    try {
      found.set(name, await fetchKernel(KERNELS[name]));
    } catch (error) {
      if (!(error instanceof KernelUnavailable)) throw error;
      const line = `kernel ${name} (${error.message.replaceAll('\n', ' ')})`;
      console.log(`not run: ${line}`);
      if (notes) appendFileSync(notes, `${line}\n`);
    }
  }
  return found;
}
