/** The control experiment in the lab: the same flood and pairs as in-lab.ts, a short one each, without back pressure; one JSON line each. */
import { unshareNetwork } from '../../src/native/descriptors.js';
import { floodScenario, pairsScenario } from '../system/back-pressure-scenarios.js';

/** Nothing holds the sender back, so every read costs thousands of sends. */
const FLOOD_READS = 3;

unshareNetwork();
for (const result of [floodScenario('none', { reads: FLOOD_READS }), pairsScenario('none')]) {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
