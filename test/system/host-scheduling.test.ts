/** Real time where it is allowed, and what is left where it is not; from processes of their own. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { runChild, WITHOUT_CAPABILITIES } from './native-support.js';

const SCHED_OTHER = 0;
const SCHED_RR = 2;

/** Field 41 of proc_pid_stat(5), counted behind the name in brackets. */
const REPORT = `
  const { readFileSync, readdirSync } = await import('node:fs');
  const { getPriority } = await import('node:os');
  const { runBeforeOthers } = await load('daemon/host-scheduling.js');
  const policyOf = (task) => Number(readFileSync('/proc/self/task/' + task + '/stat', 'utf8').split(') ')[1].split(' ')[38]);
`;

describe('a process that keeps a line busy', () => {
  it('runs before ordinary ones', () => {
    const { stdout } = runChild(`${REPORT}
      console.log(JSON.stringify([runBeforeOthers('line'), policyOf(process.pid), getPriority()]));
    `);
    expect(JSON.parse(stdout)).toEqual(['preferred', SCHED_OTHER, -10]);
  });
});

describe('a process that keeps slots', () => {
  it('runs in real time, and its new threads do not', () => {
    const { stdout, stderr } = runChild(`${REPORT}
      const before = new Set(readdirSync('/proc/self/task'));
      const scheduling = runBeforeOthers('slots');
      const { Worker } = await import('node:worker_threads');
      const worker = new Worker('setTimeout(() => {}, 300)', { eval: true });
      await new Promise((resolve) => worker.once('online', resolve));
      const fresh = readdirSync('/proc/self/task').filter((task) => !before.has(task)).map(policyOf);
      console.log(JSON.stringify({ scheduling, own: policyOf(process.pid), fresh, again: runBeforeOthers('slots') }));
    `);
    expect(stderr).toBe('');
    const { fresh, ...seen } = JSON.parse(stdout);
    // In some containers not even root may: then nobody can, and chrt(1) says so too.
    const isAllowed = spawnSync('chrt', ['--rr', '1', 'true']).status === 0;
    const expected = isAllowed ? ['real-time', SCHED_RR] : ['preferred', SCHED_OTHER];
    expect(seen).toEqual({ scheduling: expected[0], own: expected[1], again: 'as-found' });
    expect(fresh.length).toBeGreaterThan(0);
    expect(new Set(fresh)).toEqual(new Set([SCHED_OTHER]));
  });

  it('goes on as it is without the privilege', () => {
    const { stdout, stderr } = runChild(
      `${REPORT} console.log(JSON.stringify([runBeforeOthers('slots'), policyOf(process.pid), getPriority()]));`,
      WITHOUT_CAPABILITIES,
    );
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual(['ordinary', SCHED_OTHER, 0]);
  });

  it('keeps a niceness that somebody chose', () => {
    const { stdout } = runChild(`${REPORT}
      (await import('node:os')).setPriority(5);
      console.log(JSON.stringify([runBeforeOthers('slots'), policyOf(process.pid), getPriority()]));
    `);
    expect(JSON.parse(stdout)).toEqual(['as-found', SCHED_OTHER, 5]);
  });
});
