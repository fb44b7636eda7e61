/** The test projects. `unit` is the fast one, run on every save; `system` and `kernel` need what their stages in run.mjs check. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Project {
  readonly name: string;
  readonly include: string[];
  readonly testTimeoutMs: number;
  /** Several files at a time; not where they share the machine's namespaces, devices or CPU. */
  readonly parallel: boolean;
}

const PROJECTS: readonly Project[] = [
  {
    name: 'unit',
    include: ['test/unit/**/*.test.ts', 'test/contract/**/*.test.ts', 'test/architecture/**/*.test.ts'],
    testTimeoutMs: 30_000,
    parallel: true,
  },
  { name: 'sim', include: ['test/sim/**/*.test.ts'], testTimeoutMs: 120_000, parallel: true },
  { name: 'system', include: ['test/system/**/*.test.ts'], testTimeoutMs: 120_000, parallel: false },
  { name: 'modem', include: ['test/modem/**/*.test.ts'], testTimeoutMs: 300_000, parallel: false },
  { name: 'kernel', include: ['test/kernel/**/*.test.ts'], testTimeoutMs: 600_000, parallel: false },
];

export default defineConfig({
  root,
  test: {
    projects: PROJECTS.map((project) => ({
      extends: true as const,
      test: {
        name: project.name,
        root,
        include: project.include,
        // A native addon does not bear worker threads.
        pool: 'forks' as const,
        fileParallelism: project.parallel,
        testTimeout: project.testTimeoutMs,
        hookTimeout: project.testTimeoutMs,
        teardownTimeout: 30_000,
        // The message is all that test/run.mjs gets of a failure: the values belong in it.
        chaiConfig: { truncateThreshold: 250 },
      },
    })),
  },
});
