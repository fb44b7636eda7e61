/** Which kernels can be tested today. One that Debian does not carry is reported by name and never counted as passed. */
import { appendFileSync } from 'node:fs';
import { fetchKernel, KERNELS, type Kernel, type KernelName, KernelUnavailable } from './kernels.js';

/** Fetches the kernels; those not to be had are named on stdout and, for the runner's sum, in the file SLUICE_NOT_RUN. */
export async function availableKernels(names: readonly KernelName[]): Promise<ReadonlyMap<KernelName, Kernel>> {
  const found = new Map<KernelName, Kernel>();
  for (const name of names) {
    try {
      found.set(name, await fetchKernel(KERNELS[name]));
    } catch (error) {
      if (!(error instanceof KernelUnavailable)) throw error;
      const line = `kernel ${name} (${error.message})`;
      console.log(`not run: ${line}`);
      if (process.env.SLUICE_NOT_RUN) appendFileSync(process.env.SLUICE_NOT_RUN, `${line}\n`);
    }
  }
  return found;
}
