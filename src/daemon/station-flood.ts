/**
 * A plain program that sends as fast as it may, through a blocking socket. The sending thread is held inside `send` for
 * most of its life; this process's main thread answers questions about it meanwhile, and ends it when its parent ends.
 */
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { UdpSocket } from '../native/addon.js';
import { onParentGone } from './leash.js';
import type { FloodOrder, FloodReport } from './station-calls.js';
import { monotonicUs, writeDatagram } from './station-datagrams.js';

/** From here on, a `send` counts as held back. */
const HELD_US = 1000;
const TIMES = 65_536;
const ERRNOS = 256;

/** Shared between the two threads; one writes, the other reads. */
interface Board {
  /** [sent, holds, microseconds held, start of the present `send`, or 0] */
  readonly counts: Float64Array;
  readonly times: Float64Array;
  readonly errors: Float64Array;
}

function board(memory: SharedArrayBuffer): Board {
  return {
    counts: new Float64Array(memory, 0, 4),
    times: new Float64Array(memory, 32, TIMES),
    errors: new Float64Array(memory, 32 + 8 * TIMES, ERRNOS),
  };
}

/** Never returns. */
function flood({ order, memory }: { order: FloodOrder; memory: SharedArrayBuffer }): never {
  const { counts, times, errors } = board(memory);
  const socket = new UdpSocket({
    typeOfService: order.typeOfService,
    blocking: true,
    ...(order.sendBufferBytes === undefined ? {} : { sendBufferBytes: order.sendBufferBytes }),
  });
  const buffer = new Uint8Array(order.payloadBytes);
  const { address, port } = order.to;
  for (let sequence = 0, sent = 0; ; ) {
    writeDatagram(buffer, order.stream, sequence);
    const beforeUs = monotonicUs();
    counts[3] = beforeUs;
    const result = socket.send(buffer, address, port);
    const nowUs = monotonicUs();
    counts[3] = 0;
    if (nowUs - beforeUs > HELD_US) {
      counts[1] = (counts[1] ?? 0) + 1;
      counts[2] = (counts[2] ?? 0) + nowUs - beforeUs;
    }
    if (result < 0) {
      errors[-result] = (errors[-result] ?? 0) + 1;
      // The datagram is tried again: a plain program would, and the sequence then shows what the channel lost.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    } else {
      times[sent % TIMES] = nowUs;
      counts[0] = ++sent;
      sequence++;
    }
  }
}

function report({ counts, times, errors }: Board): FloodReport {
  const [sent = 0, holds = 0, heldUs = 0, sendingSinceUs = 0] = counts;
  const presentUs = sendingSinceUs === 0 ? 0 : Math.max(0, monotonicUs() - sendingSinceUs);
  const held = presentUs > HELD_US;
  const first = Math.max(0, sent - TIMES);
  return {
    sent,
    holds: holds + (held ? 1 : 0),
    heldUs: heldUs + (held ? presentUs : 0),
    sentAtUs: Array.from({ length: sent - first }, (_, index) => times[(first + index) % TIMES] ?? 0),
    errors: Object.fromEntries([...errors.entries()].filter(([, count]) => count > 0)),
  };
}

function main(): void {
  const memory = new SharedArrayBuffer(32 + 8 * (TIMES + ERRNOS));
  const shared = board(memory);
  // The thread may be held in the kernel, where nothing but the end of the process reaches it.
  onParentGone(() => process.kill(process.pid, 'SIGKILL'));
  process.on('message', (message: { order: FloodOrder } | 'report') => {
    if (message === 'report') process.send?.(report(shared));
    else new Worker(new URL(import.meta.url), { workerData: { order: message.order, memory } });
  });
}

if (isMainThread) main();
else flood(workerData as { order: FloodOrder; memory: SharedArrayBuffer });
