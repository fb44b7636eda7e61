/** The thread of the self-test: leaves the network namespace of the process, runs the test, answers once. */

import { parentPort, workerData } from 'node:worker_threads';
import { isSluiceError } from '../base/errors.js';
import { probe } from '../flow/probe.js';
import { unshareNetwork } from '../native/descriptors.js';
import { type LiveProbeResult, liveProbeTools, type ProbeAnswer, type ProbeRequest } from './back-pressure-probe.js';

/** Moves this thread into a namespace of its own; says why it cannot. */
function isolate(): string | undefined {
  try {
    unshareNetwork();
    return undefined;
  } catch (failure) {
    if (!isSluiceError(failure)) throw failure;
    return failure.message;
  }
}

function run({ clonePath }: ProbeRequest): LiveProbeResult {
  const problem = isolate();
  const tools = liveProbeTools(clonePath);
  try {
    const result = probe(tools);
    return {
      ...result,
      isolated: problem === undefined,
      ...(problem === undefined ? {} : { isolationProblem: problem }),
    };
  } finally {
    tools.close();
  }
}

function answer(request: ProbeRequest): ProbeAnswer {
  try {
    return { ok: true, result: run(request) };
  } catch (failure) {
    if (!isSluiceError(failure)) throw failure;
    return { ok: false, code: failure.code, message: failure.message };
  }
}

parentPort?.postMessage(answer(workerData as ProbeRequest));
