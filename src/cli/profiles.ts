/** `sluice profiles`: the modem profiles, one of them, or the check of a file. */
import Table from 'cli-table3';
import type { Command } from 'commander';
import { profileJsonSchema } from '../modem/profile-json-schema.js';
import { listProfiles, loadProfile, showProfile, validateProfileFile } from '../modem/profiles.js';

export function addProfiles(root: Command): void {
  const profiles = root.command('profiles').description('list the modem profiles, show or check one');
  profiles
    .command('list', { isDefault: true })
    .description('all of them, with class, driver and rate')
    .option('--json', 'as JSON')
    .action((options: { json?: boolean }) => {
      const { profiles: list, errors } = listProfiles();
      if (options.json === true) process.stdout.write(`${JSON.stringify(list, null, 2)}\n`);
      else {
        const table = new Table({ head: ['id', 'class', 'driver', 'bit/s', 'title'], style: { head: [], border: [] } });
        for (const { id, class: kind, driver, rateBps, title } of list) table.push([id, kind, driver, rateBps, title]);
        process.stdout.write(`${table.toString()}\n`);
      }
      for (const problem of errors) process.stderr.write(`sluice: ${problem.message}\n`);
    });
  profiles
    .command('show')
    .description('print one profile with everything filled in')
    .argument('<id>', 'id of a profile, or a file')
    .action((id: string) => {
      process.stdout.write(showProfile(loadProfile(id)));
    });
  profiles
    .command('validate')
    .description('check a profile file')
    .argument('<file>')
    .action((file: string) => {
      const { id, title } = validateProfileFile(file);
      process.stdout.write(`${file}: profile ${id} (${title}) is valid\n`);
    });
  profiles
    .command('schema')
    .description('print the JSON Schema of profile files, for editors')
    .action(() => {
      process.stdout.write(`${JSON.stringify(profileJsonSchema(), null, 2)}\n`);
    });
  for (const command of profiles.commands) command.exitOverride();
}
