/** All modem drivers under the one contract, and the table of what each did. */
import { readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { driverKinds } from '../../src/modem/profile-schema.js';
import { listProfiles } from '../../src/modem/profiles.js';
import type { DriverBench } from './driver-bench.js';
import { describeDriverContract } from './driver-contract.js';
import { DriverTable } from './driver-table.js';
import { plainBench } from './plain-bench.js';

const table = new DriverTable();

async function allBenches(): Promise<DriverBench[]> {
  const folder = new URL('./drivers/', import.meta.url);
  const files = readdirSync(fileURLToPath(folder)).filter((name) => /^[a-z0-9-]+\.ts$/.test(name));
  const modules = await Promise.all(files.sort().map((name) => import(new URL(name, folder).href)));
  const benches = modules.flatMap((module: { benches?: readonly DriverBench[] }) => module.benches ?? []);
  const benched = new Set(benches.map(({ kind }) => kind));
  const { profiles } = listProfiles();
  const others = driverKinds()
    .split(', ')
    .filter((kind) => !benched.has(kind));
  return [...benches, ...others.map((kind) => plainBench(kind, profiles))];
}

const benches = await allBenches();
// One driver at a time while one is made: SLUICE_DRIVER=kiss npx vitest run ...
const wanted = process.env.SLUICE_DRIVER;
for (const bench of benches) {
  if (wanted === undefined || bench.kind === wanted) describeDriverContract(bench, table);
}

describe('the contract suite', () => {
  it('has a bench for every driver', () => {
    const benched = new Set<string>(benches.map(({ kind }) => kind));
    const kinds = driverKinds().split(', ');
    expect(kinds.length).toBeGreaterThan(0);
    expect(kinds.filter((kind) => !benched.has(kind))).toEqual([]);
  });
});

// With all tests, test/run.mjs prints it at the end of its stage.
afterAll(() => {
  const { SLUICE_TABLE: file } = process.env;
  if (file === undefined) process.stdout.write(`\n${table.toString()}\n\n`);
  else writeFileSync(file, table.toString());
});
