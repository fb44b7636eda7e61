/** Runs the jobs of the suite `mac` in two threads, the next one as soon as a thread is free. */
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { virtualJobs } from './mac-jobs.js';
import type { MacRow } from './mac-rows.js';
import type { Say } from './rows.js';

const THREADS = 2;

interface Done {
  readonly index: number;
  readonly rows: readonly MacRow[];
}

/** All rows, in the order of the jobs, whatever came first. */
export async function runJobs(say: Say): Promise<MacRow[]> {
  const jobs = virtualJobs();
  const found: (readonly MacRow[])[] = jobs.map(() => []);
  let next = 0;
  let done = 0;
  const thread = async (): Promise<void> => {
    const worker = new Worker(new URL(import.meta.url));
    try {
      await new Promise<void>((resolve, reject) => {
        const give = (): void => {
          if (next < jobs.length) worker.postMessage(next++);
          else resolve();
        };
        worker.on('error', reject);
        worker.on('message', ({ index, rows }: Done) => {
          found[index] = rows;
          const figures = rows.map(
            ({ value, met }) => `${value?.toPrecision(4) ?? '-'}${met === false ? ' SHORT' : ''}`,
          );
          say(`${++done} of ${jobs.length}: ${jobs[index]?.name}: ${figures.join(', ')}`);
          give();
        });
        give();
      });
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: THREADS }, thread));
  return found.flat();
}

if (!isMainThread) {
  const jobs = virtualJobs();
  parentPort?.on('message', (index: number) => {
    parentPort?.postMessage({ index, rows: jobs[index]?.run() ?? [] } satisfies Done);
  });
}
