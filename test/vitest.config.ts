/** The test projects. `unit` is the fast one, run on every save; `system` and `kernel` need what their stages in run.mjs check. */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Project {
  readonly name: string;
  readonly include: readonly string[];
  readonly exclude?: readonly string[];
  readonly testTimeoutMs: number;
  /** Each has a process, and where it needs one a network namespace, of its own. */
  readonly filesAtOnce: number;
}

/** vitest would leave one idle, for itself. */
const CPUS = availableParallelism();
/** They wait for real modems' rates and time-outs, and mostly not for the CPU. */
const WAITING_AT_ONCE = 3;

/** Those that ask much of the machine: five bridges at once, and 200 Mbit/s. */
const ALONE = ['test/system/walk.test.ts', 'test/system/capture-interface.test.ts'];

const PROJECTS: readonly Project[] = [
  {
    name: 'unit',
    include: ['test/unit/**/*.test.ts', 'test/contract/**/*.test.ts', 'test/architecture/**/*.test.ts'],
    testTimeoutMs: 30_000,
    filesAtOnce: CPUS,
  },
  { name: 'sim', include: ['test/sim/**/*.test.ts'], testTimeoutMs: 120_000, filesAtOnce: CPUS },
  {
    name: 'system',
    include: ['test/system/**/*.test.ts'],
    exclude: ALONE,
    testTimeoutMs: 120_000,
    filesAtOnce: WAITING_AT_ONCE,
  },
  { name: 'system-alone', include: ALONE, testTimeoutMs: 120_000, filesAtOnce: 1 },
  { name: 'modem', include: ['test/modem/**/*.test.ts'], testTimeoutMs: 300_000, filesAtOnce: 2 },
  { name: 'kernel', include: ['test/kernel/**/*.test.ts'], testTimeoutMs: 600_000, filesAtOnce: 1 },
];

/** Begun before the others, which fill the time beside them: a fresh clone knows of no earlier run to go by. */
const LONGEST = [
  ...['sim/stream-radio', 'sim/mac-grid', 'sim/add-your-modem'],
  ...['contract/driver-contract', 'unit/framing/properties', 'contract/driver-noise'],
  ...['system/cli-commands', 'system/bridge-traffic', 'system/bridge-life', 'system/line-faults'],
  ...['system/restart-queue', 'system/line-tcp', 'system/priority', 'system/log-questions'],
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const index = LONGEST.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
      return index < 0 ? LONGEST.length : index;
    };
    const sorted = await super.sort(files);
    // The order of the projects stays: a stable sort within each.
    return sorted.sort(
      (a, b) => a.project.config.sequence.groupOrder - b.project.config.sequence.groupOrder || place(a) - place(b),
    );
  }
}

export default defineConfig({
  root,
  test: {
    sequence: { sequencer: LongestFirst },
    projects: PROJECTS.map((project, index) => ({
      extends: true as const,
      test: {
        name: project.name,
        root,
        include: [...project.include],
        exclude: [...(project.exclude ?? [])],
        // A native addon does not bear worker threads.
        pool: 'forks' as const,
        maxWorkers: project.filesAtOnce,
        // One project after another, where several are run.
        sequence: { groupOrder: index },
        testTimeout: project.testTimeoutMs,
        hookTimeout: project.testTimeoutMs,
        teardownTimeout: 30_000,
        // The message is all that test/run.mjs gets of a failure: the values belong in it.
        chaiConfig: { truncateThreshold: 250 },
      },
    })),
  },
});
