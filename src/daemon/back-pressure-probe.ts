/**
 * The live self-test on this machine: in a thread of its own, so that it can have a network namespace of its own and
 * holds nobody up; where that is not permitted, in the current namespace, on a device without addresses.
 */

import { Worker } from 'node:worker_threads';
import { type ErrorCode, SluiceError } from '../base/errors.js';
import { IFF_BACKPRESSURE } from '../flow/native-back-pressure.js';
import type { ProbeResult, ProbeTools, ScratchDevice } from '../flow/probe.js';
import { NetlinkSocket, PacketSocket, TapDevice } from '../native/addon.js';
import { TUN_FLAGS } from '../native/tun-flags.js';
import { RouteNetlink } from '../netlink/route-netlink.js';

export const DEFAULT_CLONE_PATH = '/dev/net/tun';

/** include/uapi/linux/netlink.h */
const NETLINK_ROUTE = 0;
/** The kernel puts the first free number in place of %d. */
const SCRATCH_NAME = 'slprobe%d';
const READ_BUFFER_BYTES = 0x10000;
const TIMEOUT_MS = 10_000;

export interface LiveProbeResult extends ProbeResult {
  /** Whether it ran in a network namespace of its own; if not, why not. */
  readonly isolated: boolean;
  readonly isolationProblem?: string;
}

/** What the thread is started with. */
export interface ProbeRequest {
  readonly clonePath: string;
}

/** What the thread answers. */
export type ProbeAnswer =
  | { readonly ok: true; readonly result: LiveProbeResult }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string };

function openScratch(clonePath: string, backPressure: boolean): ScratchDevice {
  const flags = TUN_FLAGS.IFF_TAP | TUN_FLAGS.IFF_NO_PI | (backPressure ? IFF_BACKPRESSURE : 0);
  const device = new TapDevice(clonePath, SCRATCH_NAME, flags);
  const buffer = new Uint8Array(READ_BUFFER_BYTES);
  return {
    ifindex: device.ifindex,
    read: () => {
      const length = device.read(buffer);
      return length < 0 ? null : buffer.slice(0, length);
    },
    close: () => device.close(),
  };
}

/** The machine, as the probe wants to see it, in the calling thread's network namespace. Close the socket after use. */
export function liveProbeTools(clonePath: string): ProbeTools & { close(): void } {
  const socket = new NetlinkSocket(NETLINK_ROUTE);
  const sleepCell = new Int32Array(new SharedArrayBuffer(4));
  return {
    netlink: new RouteNetlink(socket),
    features: () => TapDevice.features(clonePath),
    createScratch: ({ backPressure }) => openScratch(clonePath, backPressure),
    openSender: (ifindex, priority, sendBufferBytes) => {
      const sender = new PacketSocket(ifindex, 0, priority);
      if (sendBufferBytes !== undefined) sender.setSendBuffer(sendBufferBytes);
      return sender;
    },
    nowUs: () => performance.now() * 1000,
    sleepUs: (us) => void Atomics.wait(sleepCell, 0, 0, us / 1000),
    close: () => socket.close(),
  };
}

/**
 * Runs the self-test; takes well under a second. Missing privileges and features are results, not errors.
 * Throws SluiceError when the test itself could not run.
 * @param workerUrl the built thread; given by tests that run from the sources
 */
export function probeBackPressure(
  clonePath = DEFAULT_CLONE_PATH,
  workerUrl = new URL('./back-pressure-probe-worker.js', import.meta.url),
): Promise<LiveProbeResult> {
  const request: ProbeRequest = { clonePath };
  const worker = new Worker(workerUrl, { workerData: request });
  return new Promise<LiveProbeResult>((resolve, reject) => {
    const timer = setTimeout(() => {
      fail('system', `the back-pressure self-test did not end within ${TIMEOUT_MS / 1000} s`);
      void worker.terminate();
    }, TIMEOUT_MS);
    const fail = (code: ErrorCode, message: string, cause?: unknown): void => {
      const remedy = 'Set backPressure.mode to none to start without back pressure, and report this.';
      reject(new SluiceError(code, message, { remedy, cause }));
    };
    worker.once('message', (answer: ProbeAnswer) => {
      if (answer.ok) resolve(answer.result);
      else fail(answer.code, answer.message);
    });
    worker.once('error', (cause) => fail('internal', `the back-pressure self-test failed: ${cause.message}`, cause));
    worker.once('exit', () => {
      clearTimeout(timer);
      fail('internal', 'the back-pressure self-test ended without an answer');
    });
  });
}
