/**
 * What a modem profile and a configuration file may say. Units stand in the names of the keys. A profile says what the
 * modem is; a configuration adds `interface`, which says where it is plugged in and who we are.
 */
import { z } from 'zod';
import { SluiceError } from '../base/errors.js';
import { FRAGMENT_HEADER_BYTES, FRAGMENT_TRAILER_BYTES, FRAGMENTS_MAX } from '../wire/fragment.js';
import { driverCatalogue } from './drivers/catalogue.js';
import { autoOrInteger, type DriverSection, integer, oneOf, section, text, yesNo } from './schema-parts.js';
import { limits } from './settings/limits.js';

const MAX_RATE_BPS = 100_000_000;
/** The greatest baud rate that Linux names (B4000000, termbits.h); others go through BOTHER. */
const MAX_BAUD_RATE = 4_000_000;
const MINUTE_US = 60_000_000;
const HOUR_MS = 3_600_000;

const OCTETS = /^[^\u{100}-\u{10ffff}]+$/u;

/** One step of what is said to a modem when its line opens. Each character is an octet. */
const initStep = section({
  /** With its line end: "KISS ON\r". */
  send: text('text with its line end, such as "KISS ON\\r"', OCTETS),
  /** What the reply contains; without it, none is waited for, but `timeoutMs` goes by. */
  expect: text('a part of the reply', OCTETS).optional(),
  timeoutMs: integer({ min: 1, max: 60_000, unit: 'ms' }).default(1000),
  /** Further tries where no reply comes. After the last one all is begun anew, some seconds later. */
  retries: integer({ min: 0, max: 100, unit: 'retries' }).default(2),
});

const line = section({
  /** Between host and modem, bit/s. */
  baudRate: integer({ min: 50, max: MAX_BAUD_RATE, unit: 'bit/s' }).default(115_200),
  dataBits: z.literal(8, { error: '8 (all framings need whole octets)' }).default(8),
  parity: oneOf(['none', 'even', 'odd']).default('none'),
  stopBits: z.union([z.literal(1), z.literal(2)], { error: '1 or 2' }).default(1),
  flowControl: oneOf(['none', 'rtscts', 'xonxoff']).default('none'),
  /** Asks the port to hand over what arrives at once (ASYNC_LOW_LATENCY; FTDI: 1 ms instead of 16). */
  lowLatency: yesNo().default(false),
  /** Driver-enable by RTS, for two-wire RS-485 behind ports whose driver can do it. */
  rs485: section({
    rtsOnSend: oneOf(['high', 'low']).default('high'),
    delayBeforeSendMs: integer({ min: 0, max: 100, unit: 'ms' }).default(0),
    delayAfterSendMs: integer({ min: 0, max: 100, unit: 'ms' }).default(0),
    receiveDuringSend: yesNo().default(false),
  }).optional(),
  /** Levels of the control lines once the port is open. */
  dtr: yesNo().default(true),
  rts: yesNo().default(true),
  /** How long the modem needs after the port was opened before it listens. */
  settleMs: integer({ min: 0, max: 60_000, unit: 'ms' }).default(0),
  /** Said to the modem after that, before the driver's own set-up, whenever the line opens. */
  init: z.array(initStep, { error: 'a list of steps with send, expect, timeoutMs, retries' }).default([]),
});

const air = section({
  /** Bit/s on the air; `auto` is the line's rate, for wires. */
  rateBps: autoOrInteger({ min: 1, max: MAX_RATE_BPS, unit: 'bit/s' }),
  /** 10 where the modem sends the line's start and stop bits too. */
  bitsPerOctet: z
    .union([z.literal(8), z.literal(10)], { error: '8 or 10 (bits on the air for each octet)' })
    .default(8),
  /** `rate`: frames follow each other at the air's rate. `line`: as fast as the line takes them (ptys, TCP). */
  pacing: oneOf(['rate', 'line']).default('rate'),
  duplex: oneOf(['half', 'full']),
  /** One way, to the farthest station. */
  propagationUs: integer({ min: 0, max: MINUTE_US, unit: 'us' }),
  /** Signal before the first octet. `auto`: what the driver knows (KISS: txDelayMs), otherwise 0. */
  preambleUs: autoOrInteger({ min: 0, max: MINUTE_US, unit: 'us' }).default('auto'),
  /** Signal after the last octet. `auto`: what the driver knows (KISS: txTailMs), otherwise 0. */
  tailUs: autoOrInteger({ min: 0, max: MINUTE_US, unit: 'us' }).default('auto'),
  /** From the first octet's arrival in the modem to the start of the signal; line time is added to it. */
  turnaroundUs: integer({ min: 0, max: MINUTE_US, unit: 'us' }).default(0),
  /** From the start of a signal to its first octet at the host. `auto`: preamble, one octet on the air, one on the line. */
  carrierDetectUs: autoOrInteger({ min: 0, max: MINUTE_US, unit: 'us' }).default('auto'),
});

export function driverKinds(): string {
  return [...driverCatalogue.keys()].join(', ');
}

const filter = (): z.ZodDefault<ReturnType<typeof oneOf<readonly ['drop', 'pass']>>> =>
  oneOf(['drop', 'pass']).default('drop');

const chatter = section({
  /** `local`: answered at home from the neighbour table. `auto`: `local` with our own link frame, else `pass`. */
  arp: oneOf(['auto', 'local', 'pass']).default('auto'),
  nd: filter(),
  mld: filter(),
  igmp: filter(),
  mdns: filter(),
  llmnr: filter(),
  ssdp: filter(),
  dhcp: filter(),
});

const link = section({
  encapsulation: oneOf(['sluice', 'ethernet', 'ip', 'ax25']).default('sluice'),
  /** 68 is IPv4's least (RFC 791). */
  mtuBytes: integer({ min: 68, max: 65_500, unit: 'octets' }).default(576),
  /** Frame check of our own link frame; `auto`: only where the modem checks nothing. */
  fcsBytes: z
    .union([z.literal('auto'), z.literal(0), z.literal(2), z.literal(4)], { error: 'one of auto, 0, 2, 4 (octets)' })
    .default('auto'),
  /** Acknowledgements and retries for unicast; only our own link frame can carry them. */
  arq: yesNo().default(true),
  maxRetries: integer({ min: 0, max: 15, unit: 'retries' }).default(4),
  /** So often a packet to all (broadcast, multicast) is sent again: nobody acknowledges those. Our own link frame only. */
  broadcastRepeats: integer({ min: 0, max: 3, unit: 'repetitions' }).default(0),
  /** Age at which a frame is given up; `auto` is worked out from airtime. */
  deadlineMs: autoOrInteger({ min: 1, max: HOUR_MS, unit: 'ms' }).default('auto'),
  /** The same for interactive packets (TOS 0x10, SO_PRIORITY 6 and 7), which are of no use late; `auto`: as for all. */
  interactiveDeadlineMs: autoOrInteger({ min: 1, max: HOUR_MS, unit: 'ms' }).default('auto'),
  /** Whether short packets to one station may share a frame; only our own link frame can hold them. */
  aggregate: yesNo().default(true),
  chatter: chatter.prefault({}),
});

const mac = section({
  /** Who contends: required, because a wrong guess jams a shared channel. */
  channelAccess: oneOf(['host', 'modem', 'none']),
  /** How late this host may be; `auto` is measured at start. */
  hostLatencyUs: autoOrInteger({ min: 0, max: MINUTE_US, unit: 'us' }).default('auto'),
  /** `auto`: before ordinary processes, if allowed; in real time (SCHED_RR) where this host contends. `unchanged`: as started. */
  hostScheduling: oneOf(['auto', 'unchanged']).default('auto'),
  /**
   * Airtime of data that one win of the channel may use; 0 is one frame. `auto`: one where slots are short beside
   * frames; as many as make up for the slots where they are long, as under water.
   */
  burstMs: autoOrInteger({ min: 0, max: HOUR_MS, unit: 'ms' }).default('auto'),
});

const backPressure = section({
  mode: oneOf(['auto', 'native', 'gate', 'none']).default('auto'),
  qdisc: oneOf(['pfifo_fast', 'pfifo', 'prio', 'fq_codel', 'cake']).default('pfifo_fast'),
});

const station = integer({ min: 1, max: 254 });
const isIp = (value: string): boolean => z.union([z.ipv4(), z.ipv6()]).safeParse(value).success;
const isCidr = (value: string): boolean => z.union([z.cidrv4(), z.cidrv6()]).safeParse(value).success;

const neighbours = z
  .record(z.string().refine(isIp, { error: 'an IPv4 or IPv6 address as the key' }), station, {
    error: 'a mapping of IP address to station',
  })
  .default({});

const ID = /^[a-z0-9][a-z0-9-]{0,62}$/;

const [firstSection, ...otherSections] = new Set([...driverCatalogue.values()].map(({ settings }) => settings));
if (firstSection === undefined) throw new SluiceError('internal', 'there are no drivers');
const sections: readonly [DriverSection, ...DriverSection[]] = [firstSection, ...otherSections];

const profileShape = {
  id: text('lower-case letters, digits and hyphens', ID),
  title: text('a title of one line'),
  class: oneOf(['radio', 'acoustic', 'lora', 'wire', 'phone', 'satellite']),
  /** Where the numbers come from. */
  source: text('where the numbers come from'),
  line: line.prefault({}),
  air,
  driver: z.discriminatedUnion('kind', sections, {
    error: (issue) => (issue.code === 'invalid_union' ? `one of ${driverKinds()}` : 'a mapping with the key kind'),
  }),
  link: link.prefault({}),
  mac,
  limits: limits.prefault({}),
  backPressure: backPressure.prefault({}),
  neighbours,
};

const hostPort = /^([A-Za-z0-9._-]+:|\[[0-9A-Fa-f:]+\]:)?[0-9]{1,5}$/;

/** Six letters and digits at the most, and an SSID (AX.25 2.2, section 3.12). */
const CALLSIGN = /^[A-Za-z0-9]{1,6}(-([0-9]|1[0-5]))?$/;
const CALLSIGN_EXPECTED = 'a callsign with SSID, such as N0CALL-1';

const interfaceSection = section({
  /** IFNAMSIZ leaves 15 characters; `/`, `:` and spaces are the kernel's own exclusions (dev_valid_name). */
  name: text('an interface name of 1 to 15 characters without spaces, / and :', /^(?!\.{1,2}$)[^\s/:]{1,15}$/).default(
    'sluice0',
  ),
  addresses: z
    .array(z.string().refine(isCidr, { error: 'an address with its prefix length, such as 10.0.0.1/24' }), {
      error: 'a list of addresses with prefix length, such as [10.0.0.1/24]',
    })
    .default([]),
  station,
  /** Ours, for link.encapsulation ax25. */
  callsign: text(CALLSIGN_EXPECTED, CALLSIGN).optional(),
  /** With ax25: who is behind an address, so that nobody has to ask on the air. */
  callsigns: z
    .record(
      z.string().refine((value) => z.ipv4().safeParse(value).success, { error: 'an IPv4 address as the key' }),
      text(CALLSIGN_EXPECTED, CALLSIGN),
      { error: 'a mapping of IPv4 address to callsign' },
    )
    .optional(),
  /** The line to the modem. */
  port: text('a device path or tcp://host:port', /^(\/.+|tcp:\/\/.+:[0-9]{1,5})$/),
  /**
   * Whether what waits in the queue is left there when the daemon stops, for the next one. `auto`: when the TAP is ours and
   * a service manager keeps it. `yes` needs somebody who keeps the device's carrier up meanwhile.
   */
  keepGate: oneOf(['auto', 'yes', 'no']).default('auto'),
  /** Path of the control socket; without it, /run/sluice/IF.sock. */
  control: text('an absolute path', /^\/.+/).optional(),
  metrics: z
    .union([integer({ min: 1, max: 65_535 }), text('[HOST:]PORT', hostPort)], { error: '[HOST:]PORT' })
    .optional(),
});

const log = section({
  level: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info'),
  /** Between two `channel` lines. */
  intervalS: integer({ min: 1, max: 86_400, unit: 's' }).default(10),
  /** Files that take turns get every line, too: sluice.log stands for sluice.1.log, sluice.2.log and so on. */
  file: text('a path', /^[^\0]*[^/\0]$/).optional(),
  /** A file that has grown to this is followed by the next one. */
  fileBytes: integer({ min: 4096, max: 2 ** 32, unit: 'octets' }).default(10 * 2 ** 20),
  /** Old ones beside the one that is written to. */
  filesKept: integer({ min: 0, max: 10_000, unit: 'files' }).default(9),
});

export const profileSchema = section(profileShape).superRefine(refuseContradictions);
export const configurationSchema = section({ ...profileShape, interface: interfaceSection, log: log.prefault({}) })
  .superRefine(refuseContradictions)
  .superRefine((value, context) => {
    if (value.link.encapsulation !== 'ax25' || value.interface.callsign !== undefined) return;
    const message = `${CALLSIGN_EXPECTED}: AX.25 frames carry it (link.encapsulation ax25)`;
    context.addIssue({ code: 'custom', path: ['interface', 'callsign'], message });
  });

export type Profile = z.output<typeof profileSchema>;
export type Configuration = z.output<typeof configurationSchema>;

/** Octets around an IP packet of full size, at most: our header and FCS, or an Ethernet header, or nothing. */
const OVERHEAD_BYTES: Readonly<Record<Profile['link']['encapsulation'], number>> = {
  sluice: 8,
  ethernet: 14,
  ip: 0,
  ax25: 16,
};

type Contradictory = Pick<Profile, 'line' | 'air' | 'driver' | 'link' | 'mac' | 'limits'>;

/** Settings that are each allowed, but not together. */
function refuseContradictions(value: Contradictory, context: z.RefinementCtx<Contradictory>): void {
  const { air: medium, driver, mac: access } = value;
  const refuse = (path: readonly string[], message: string): void =>
    context.addIssue({ code: 'custom', path: [...path], message });
  const overhead = OVERHEAD_BYTES[value.link.encapsulation];
  // Our own link frame fragments below IP; the others cannot.
  const frames = value.link.encapsulation === 'sluice' ? FRAGMENTS_MAX : 1;
  const perFrame = driver.maxFrameBytes - overhead - (frames > 1 ? FRAGMENT_HEADER_BYTES : 0);
  const room = Math.max(driver.maxFrameBytes - overhead, frames * perFrame - FRAGMENT_TRAILER_BYTES);
  if (value.link.mtuBytes > room) {
    refuse(
      ['link', 'mtuBytes'],
      frames > 1
        ? `at most ${room}: ${frames} fragments in frames of driver.maxFrameBytes ${driver.maxFrameBytes}`
        : `at most ${room}: driver.maxFrameBytes ${driver.maxFrameBytes} less ${overhead} for the link frame`,
    );
  }
  if (value.line.flowControl === 'xonxoff' && !('framing' in driver && driver.framing === 'hdlc')) {
    refuse(['line', 'flowControl'], 'none or rtscts: only driver.framing hdlc keeps XON and XOFF out of the data');
  }
  if ('carrierLine' in driver && driver.carrierLine === 'cts' && value.line.flowControl === 'rtscts') {
    refuse(['driver', 'carrierLine'], 'none, dcd, dsr or ri with line.flowControl rtscts, which has CTS for itself');
  }
  const definition = driverCatalogue.get(driver.kind);
  const baudRates = definition?.baudRates?.(driver) ?? [value.line.baudRate];
  if (!baudRates.includes(value.line.baudRate)) {
    const rates = baudRates.length === 1 ? String(baudRates[0]) : `one of ${baudRates.join(', ')}`;
    refuse(['line', 'baudRate'], `${rates} (bit/s) with these settings of driver.kind ${driver.kind}`);
  }
  const mostBytes = definition?.maxFrameBytes?.(driver) ?? driver.maxFrameBytes;
  if (driver.maxFrameBytes > mostBytes) {
    refuse(
      ['driver', 'maxFrameBytes'],
      `at most ${mostBytes} (octets) with these settings of driver.kind ${driver.kind}`,
    );
  }
  for (const { path, expected } of definition?.contradictions?.(driver, value.line) ?? []) refuse(path, expected);
  const contenders = definition?.channelAccess ?? [access.channelAccess];
  if (!contenders.includes(access.channelAccess)) {
    refuse(['mac', 'channelAccess'], `${contenders.join(' or ')} with driver.kind ${driver.kind}`);
  }
  if (value.link.encapsulation === 'ax25' && value.link.chatter.arp === 'local') {
    refuse(
      ['link', 'chatter', 'arp'],
      'auto or pass with link.encapsulation ax25; interface.callsigns saves the questions',
    );
  }
  if (value.limits.identification !== undefined && value.link.encapsulation !== 'sluice') {
    refuse(
      ['limits', 'identification'],
      'none: only link.encapsulation sluice has a frame for it (ax25 names its sender)',
    );
  }
  if (value.link.broadcastRepeats > 0 && value.link.encapsulation !== 'sluice') {
    refuse(['link', 'broadcastRepeats'], '0: only link.encapsulation sluice lets receivers tell a repetition');
  }
  if (medium.duplex === 'full' && access.channelAccess === 'host') {
    refuse(['mac', 'channelAccess'], 'modem or none with air.duplex full');
  }
  if (medium.duplex === 'half' && access.channelAccess === 'none') {
    refuse(['mac', 'channelAccess'], 'host or modem with air.duplex half');
  }
  if (medium.pacing === 'line' && access.channelAccess !== 'none') {
    refuse(['air', 'pacing'], 'rate, unless mac.channelAccess is none');
  }
}
