/** KISS TNCs: plain, with ACKMODE in all its readings, with checksums, and as Dire Wolf and others talk. */
import { KissEmulator, type KissEmulatorOptions } from '../../../src/sim/emulators/kiss.js';
import { type DriverBench, driverBench } from '../driver-bench.js';

/** The TNC waits for its turn in slots of 100 ms, 3 of them in the mean at p = 0.25, and gets the whole frame first. */
const CONTENTION_US = 300_000;
const LINE_BAUD = 57_600;

const states: NonNullable<DriverBench<KissEmulator>['states']> = {
  'half a frame typed': ({ type }) => type(Uint8Array.of(0xc0, 0x00, 0x41, 0xdb)),
  'a command typed': ({ type }) => type('restart\r'),
  'mid-reboot': ({ emulator }) => emulator.reboot(),
};

function bench(
  name: string,
  settings: readonly string[],
  options: KissEmulatorOptions,
  more: Partial<DriverBench<KissEmulator>> = {},
): DriverBench {
  return driverBench<KissEmulator>({
    kind: 'kiss',
    name,
    profile: 'kiss-1200',
    settings: () => [`line.baudRate=${LINE_BAUD}`, ...settings],
    medium: { rateBps: 1200 },
    emulator: (context) => new KissEmulator({ ...context, settings: { lineBaud: LINE_BAUD } }, options),
    states,
    reboot: (emulator) => emulator.reboot(),
    waitingFrames: (emulator) => emulator.counts().queued ?? 0,
    // Nothing on the plain line checks anything: what the TNC holds of a frame when the line goes, it sends later.
    strays: 'half a frame in the TNC is completed by the next FEND',
    overheadUs: (bytes) => CONTENTION_US + (bytes * 10e6) / LINE_BAUD,
    ...more,
  });
}

/** Without reports from the TNC two frames meet in it now and then, and share a key-up. */
const modelled = { airtimeTolerance: 0.1 };
const lostReplies = {
  'lost replies': {
    on: (emulator: KissEmulator) => {
      emulator.hazards.loseReplies = true;
    },
    off: (emulator: KissEmulator) => {
      emulator.hazards.loseReplies = false;
    },
    lossless: true,
  },
};

export const benches = [
  bench('kiss', [], {}, modelled),
  bench('kiss ackmode', ['driver.reports=ackmode'], {}, { hazards: lostReplies }),
  bench('kiss ackmode, whole', ['driver.reports=ackmode'], { ackMode: 'whole' }),
  bench(
    'kiss ackmode, early',
    ['driver.reports=ackmode'],
    { ackMode: 'immediate' },
    {
      ...modelled,
      without: {
        busy: 'the TNC answers before it has sent: a lie that no driver can see through',
        'one frame': 'the TNC answers before it has sent: a lie that no driver can see through',
      },
    },
  ),
  bench('kiss smack', ['driver.checksum=smack'], { checksum: 'smack' }, modelled),
  bench('kiss flexnet', ['driver.checksum=flexnet'], { checksum: 'flexnet' }, modelled),
  bench('kiss xkiss', ['driver.checksum=xkiss', 'driver.reports=ackmode'], { checksum: 'xkiss' }),
  bench('kiss direwolf', ['driver.reports=txbuf'], { direWolf: true, ackMode: 'unknown' }, { hazards: lostReplies }),
  bench(
    'kiss ninotnc',
    ['driver.reports=ackmode', 'driver.ignorePrefix="="', 'driver.hardware=["16"]'],
    {},
    {
      hazards: {
        'frames of its own': {
          on: (emulator) => {
            emulator.hazards.diagnostics = true;
          },
          off: (emulator) => {
            emulator.hazards.diagnostics = false;
          },
          lossless: true,
        },
      },
      // The medium's octets are not text: none begins with the prefix but by chance.
      without: { octets: "frames that begin with = are taken for the TNC's own" },
    },
  ),
  bench(
    'kiss command mode',
    ['driver.enter=["KISS ON", RESTART]'],
    { commandMode: true },
    {
      ...modelled,
      readyWithinMs: 3000,
      states: { ...states, 'in KISS already': ({ type }) => type('KISS ON\rRESTART\r') },
      without: { reboot: 'it comes back in command mode and says nothing: the line must be opened anew' },
    },
  ),
];
