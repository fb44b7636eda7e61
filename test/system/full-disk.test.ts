/** What a full disk behind standard output does: a command says so, a bridge goes on. */
import { exec } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { inside, MAIN, withNeighbourhood } from './bridge-support.js';

/** Arguments: node, main.js, control socket, line. Ends the bridge once it has answered, after 25 s at the latest. */
const UNTIL_IT_ANSWERS = `
"$1" "$2" up -p radio-9600 --port "$4" --station 1 --control "$3" --log-interval 1 --log-format json >/dev/full &
for i in $(seq 25); do sleep 1; "$1" "$2" status --control "$3" 2>/dev/null && break; done
kill $! && wait $!
echo "ended with $?"`;

describe('standard output on a full disk', () => {
  it('ends with a word about it', async () => {
    const run = exec(`${process.execPath} ${MAIN} profiles >/dev/full`);
    let said = '';
    run.stderr?.on('data', (data: string) => {
      said += data;
    });
    const status = await new Promise((resolve) => run.once('close', resolve));
    expect(said).toMatch(/^sluice: standard output cannot be written: ENOSPC/);
    expect(said).not.toContain(' at ');
    expect(status).toBe(1);
  });

  it('does not end a bridge that logs there', async () => {
    await withNeighbourhood(async (place) => {
      await place.startMedium('rateBps: 9600\nstations: [{ id: 1 }, { id: 2 }]\n');
      const { control } = await place.open();
      const [station] = place.stations;
      if (station === undefined) throw new Error('no station');
      const { stdout, stderr } = await inside(
        station,
        'sh',
        '-c',
        UNTIL_IT_ANSWERS,
        ...['sh', process.execPath, MAIN, control, place.medium.port(1)],
      );
      expect(stdout).toContain('interface');
      expect(stdout).toMatch(/ended with 0\n$/);
      expect(stderr.match(/sluice: the log on standard output: ENOSPC/g)).toHaveLength(1);
    });
  });
});
