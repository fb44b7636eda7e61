/** The real modem drivers on the emulated modems, with the profiles as shipped: frames arrive whole, and `sent` is no lie. */
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { createDriver } from '../../src/modem/drivers/registry.js';
import { loadProfile } from '../../src/modem/profiles.js';
import { emulatorFactory } from '../../src/sim/emulators/registry.js';
import { buildMedium, parseMediumFile } from '../../src/sim/medium-file.js';
import { VirtualLine } from '../../src/sim/virtual-line.js';
import { VirtualTime } from '../../src/sim/virtual-time.js';

const FRAMES = 10;
const ROUNDING_US = 2;

/** Station 1 sends frame after frame as fast as `sent` allows, station 2 listens. */
function run(profileId: string, mediumSource: string) {
  const time = new VirtualTime();
  const plan = parseMediumFile(mediumSource);
  const medium = buildMedium(plan, time, seededRandom(1));
  const profile = loadProfile(profileId);
  const received: Uint8Array[] = [];
  const sent: { outcome: string; onAir: boolean }[] = [];
  const discarded: string[] = [];
  let carriers = 0;
  const frames = Array.from({ length: FRAMES }, (_, i) => new Uint8Array(120).fill(0xc0 + i));
  for (const { id, modem } of plan.stations) {
    const line = new VirtualLine(`virtual-${id}`);
    const context = { scheduler: time, random: seededRandom(id), medium, station: id, port: line.port };
    emulatorFactory(modem)({ ...context, settings: plan.settings });
    const driver = createDriver(profile, { scheduler: time, hostLatencyUs: 100 });
    const sendNext = (): void => {
      const frame = id === 1 ? frames.shift() : undefined;
      if (frame !== undefined) driver.transmit(frame);
    };
    driver.attach({
      carrier: () => {
        carriers++;
      },
      received: (octets) => received.push(octets) > 0,
      sent: (outcome) => {
        // Both ends are rounded by themselves.
        time.at(time.nowUs() + ROUNDING_US, () => {
          sent.push({ outcome, onAir: medium.sending(id) });
          sendNext();
        });
      },
      discarded: (cause) => discarded.push(cause),
      ready: () => {
        time.at(time.nowUs(), sendNext);
      },
    });
    line.openNow({ data: (octets) => driver.lineData(octets), lost: () => driver.lineLost() });
    driver.lineOpened(line);
  }
  time.runFor(60_000_000);
  return { medium, received, sent, discarded, carriers };
}

const TWO = 'stations: [{ id: 1 }, { id: 2, position: [0, 750, 0] }]\n';

describe('drivers on emulated modems', () => {
  it.each([
    ['radio-9600', `rateBps: 9600\nlineBaud: 19200\n${TWO}`],
    ['acoustic-1k', `rateBps: 1000\nlineBaud: 9600\npropagationMps: 1500\nturnaroundMs: 50\n${TWO}`],
    ['null-modem', `rateBps: 92160\nlineBaud: 115200\nduplex: full\n${TWO}`],
    ['kiss-1200', `rateBps: 1200\nmodem: kiss\n${TWO}`],
    ['kiss-9600', `rateBps: 9600\nmodem: kiss\n${TWO}`],
  ])('%s', (profileId, source) => {
    const { medium, received, sent, discarded, carriers } = run(profileId, source);
    expect(received.map((octets) => octets[0])).toEqual(Array.from({ length: FRAMES }, (_, i) => 0xc0 + i));
    expect(received.every((octets) => octets.length === 120)).toBe(true);
    expect(discarded).toEqual([]);
    expect(sent.map(({ outcome }) => outcome)).toEqual(Array.from({ length: FRAMES }, () => 'sent'));
    if (profileId.startsWith('kiss') || profileId === 'null-modem') return;
    // Transparent, half duplex: the model must not call a frame sent that is still on the air, and must see the carrier.
    expect(sent.filter(({ onAir }) => onAir)).toEqual([]);
    expect(medium.counts(1).frames).toBe(FRAMES);
    expect(carriers).toBe(2 * FRAMES);
  });
});
