/** The tty line against the contract, on a real pty. */
import { describeLineContract } from './line-contract.js';
import { ptyBench, ttyLine } from './pty-bench.js';

describeLineContract({
  name: 'SerialPortLine',
  floodBytes: 1_048_576,
  bench: ptyBench,
  absent: async () => ttyLine('/dev/ttySluiceAbsent'),
});
