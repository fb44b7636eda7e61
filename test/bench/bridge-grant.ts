/** `node bridge-grant.js READS`: how long a grant takes in the daemon's own code, in a namespace of its own. JSON. */
import { unshareNetwork } from '../../src/native/descriptors.js';
import { floodScenario } from '../system/back-pressure-scenarios.js';

unshareNetwork();
process.stdout.write(JSON.stringify(floodScenario('gate', { reads: Number(process.argv[2] ?? 2500) })));
