/** The TCP line against the contract, on loopback. */
import { TcpLine } from '../../src/serial/tcp-line.js';
import { describeLineContract } from './line-contract.js';
import { freePort, tcpBench } from './tcp-bench.js';
import { timerScheduler } from './timer-scheduler.js';

describeLineContract({
  name: 'TcpLine',
  floodBytes: 16_777_216,
  bench: tcpBench,
  absent: async () => new TcpLine('127.0.0.1', await freePort(), { scheduler: timerScheduler }),
});
