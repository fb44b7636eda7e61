/**
 * From a configuration to a running bridge, in this order: measure the host, prove the back pressure, make the TAP, hang
 * the gate, bring the interface up, serve status and metrics, open the line. What fails takes down what stood before it.
 */
import { randomBytes } from 'node:crypto';
import { SluiceError } from '../base/errors.js';
import { seededRandom } from '../base/random.js';
import type { BackPressure } from '../flow/back-pressure.js';
import { type ChosenMode, chooseMode } from '../flow/choose-mode.js';
import { CreditGate } from '../flow/credit-gate.js';
import { KICK_PRIORITY } from '../flow/kick.js';
import { NativeBackPressure } from '../flow/native-back-pressure.js';
import { NoBackPressure } from '../flow/no-back-pressure.js';
import type { MacConfig } from '../mac/ports.js';
import type { ModemDriver } from '../modem/driver.js';
import { createDriver } from '../modem/drivers/registry.js';
import type { Configuration } from '../modem/profile-schema.js';
import { inputBytes, lockExclusive, NetlinkSocket, outputBytes, PacketSocket, setExclusive } from '../native/addon.js';
import { RouteNetlink } from '../netlink/route-netlink.js';
import type { Log } from '../observe/log.js';
import { createLine } from '../serial/open-line.js';
import { setUpLink } from '../tap/link-setup.js';
import { LinuxTap } from '../tap/linux-tap.js';
import { macOfStation, NeighbourTable } from '../wire/address.js';
import type { ChatterFilters } from '../wire/chatter.js';
import { createEncapsulation } from '../wire/encapsulation.js';
import { HomeFilter } from '../wire/local-answers.js';
import { probeBackPressure } from './back-pressure-probe.js';
import { Bridge } from './bridge.js';
import { defaultControlPath, serveControl } from './control-socket.js';
import { measureHostLatencyUs } from './host-latency.js';
import { installNeighbours } from './known-neighbours.js';
import { serveMetrics } from './metrics.js';
import { RealTime } from './real-time.js';
import type { BridgeStatus } from './status.js';

const NETLINK_ROUTE = 0;
/** Frames of others that an attempt may have to wait for, before the packet in hand is too old: own estimate. */
const WAITS_AN_ATTEMPT = 16;
const DEADLINE_MIN_US = 5_000_000;

export interface StartOptions {
  readonly configuration: Configuration;
  readonly log: Log;
  readonly channelIntervalUs: number;
}

export interface RunningBridge {
  status(): BridgeStatus;
  stop(reason: string): Promise<void>;
}

/** @throws SluiceError of every code: `privilege` and `kernel-feature` for the TAP, `line` for the modem's line, ... */
export async function startBridge({ configuration, log, channelIntervalUs }: StartOptions): Promise<RunningBridge> {
  const { interface: wanted, link } = configuration;
  const scheduler = new RealTime();
  const undo: (() => void | Promise<void>)[] = [];
  try {
    const hostLatencyUs = await measureHostLatencyUs(scheduler);
    const chosen = chooseMode(configuration.backPressure.mode, await probeBackPressure());
    const tap = new LinuxTap({ name: wanted.name, backPressure: chosen.mode === 'native' });
    undo.push(() => tap.close());
    const socket = new NetlinkSocket(NETLINK_ROUTE);
    undo.push(() => socket.close());
    const netlink = new RouteNetlink(socket);
    // The gate's burst is made for the MTU, so the MTU comes first.
    netlink.setLink(tap.ifindex, { mtuBytes: link.mtuBytes });
    const driver = createDriver(configuration, { scheduler, hostLatencyUs });
    const backPressure = attachBackPressure(chosen, netlink, tap.ifindex, configuration, driver);
    undo.push(() => backPressure.close());
    log.info('back-pressure', { mode: backPressure.mode, reason: backPressure.reason });
    if (backPressure.mode === 'none' && configuration.backPressure.mode !== 'none') {
      log.warn('back-pressure', {
        mode: 'none',
        remedy: 'Packets may be dropped; "sluice check" shows what is missing.',
      });
    }
    const undoLink = setUpLink(netlink, tap, {
      mtuBytes: link.mtuBytes,
      mac: macOfStation(wanted.station),
      addresses: wanted.addresses,
    });
    if (!tap.created) undo.push(undoLink);

    const neighbours = new NeighbourTable({
      station: wanted.station,
      addresses: wanted.addresses,
      table: configuration.neighbours,
    });
    if (answersAtHome(configuration)) {
      const forget = installNeighbours(netlink, tap.ifindex, neighbours, wanted.addresses, configuration.neighbours);
      if (!tap.created) undo.push(forget);
    }
    const bridge = new Bridge({
      profile: configuration.id,
      station: wanted.station,
      tap,
      backPressure,
      tapDropped: () => netlink.linkStatistics(tap.ifindex).txDropped,
      driver,
      createLine: () =>
        createLine(
          wanted.port,
          { ...configuration.line, settleUs: 0 },
          { scheduler, extras: { inputBytes, lockExclusive, outputBytes, setExclusive } },
        ),
      encapsulation: createEncapsulation(link.encapsulation, neighbours),
      homeFilter: homeFilter(configuration, neighbours),
      macConfig: macConfig(configuration, driver),
      scheduler,
      random: seededRandom(randomBytes(4).readUInt32LE()),
      log,
      channelIntervalUs,
    });
    undo.push(() => bridge.stop('failed start'));
    const control = await serveControl(wanted.control ?? defaultControlPath(tap.name), ({ command }) => {
      if (command === 'status') return bridge.status();
      throw new SluiceError('usage', `unknown command ${JSON.stringify(command)}; known: status`);
    });
    undo.push(() => control.close());
    if (wanted.metrics !== undefined) {
      const metrics = await serveMetrics(String(wanted.metrics), () => bridge.status());
      undo.push(() => metrics.close());
    }
    await bridge.start();
    const { slotUs } = bridge.mac.timing;
    log.info('ready', {
      profile: configuration.id,
      line: wanted.port,
      mtuBytes: link.mtuBytes,
      slotUs,
      a: Number((slotUs / driver.timing.airtimeUs(driver.capabilities.maxFrameBytes)).toPrecision(3)),
      hostLatencyUs: driver.timing.hostLatencyUs,
      control: control.path,
    });
    return {
      status: () => bridge.status(),
      stop: async (reason) => {
        await bridge.stop(reason);
        await takeDown(undo);
      },
    };
  } catch (error) {
    await takeDown(undo);
    throw error;
  }
}

/** Everything is idempotent, so that a stopped bridge can be taken down once more. */
async function takeDown(undo: (() => void | Promise<void>)[]): Promise<void> {
  for (const step of undo.reverse()) {
    try {
      await step();
    } catch {
      // The device may be gone already; the other steps still count.
    }
  }
  undo.length = 0;
}

function attachBackPressure(
  { mode, reason }: ChosenMode,
  netlink: RouteNetlink,
  ifindex: number,
  configuration: Configuration,
  driver: ModemDriver,
): BackPressure {
  const inner = {
    kind: configuration.backPressure.qdisc,
    frameAirtimeUs: driver.timing.airtimeUs(driver.capabilities.maxFrameBytes),
  };
  switch (mode) {
    case 'native':
      return new NativeBackPressure({ netlink, ifindex, inner, reason });
    case 'gate':
      return new CreditGate({
        netlink,
        ifindex,
        inner,
        reason,
        openKicker: () => new PacketSocket(ifindex, 0, KICK_PRIORITY),
      });
    case 'none':
      return new NoBackPressure(netlink, ifindex, reason);
  }
}

function macConfig({ link }: Configuration, driver: ModemDriver): MacConfig {
  const linkFrames = link.encapsulation === 'sluice';
  const frameUs = driver.timing.airtimeUs(driver.capabilities.maxFrameBytes);
  const autoUs = Math.max(DEADLINE_MIN_US, (link.maxRetries + 1) * WAITS_AN_ATTEMPT * frameUs);
  return {
    linkFrames,
    fcsBytes: link.fcsBytes === 'auto' ? (driver.capabilities.checksIntegrity ? 0 : 4) : link.fcsBytes,
    arq: link.arq && linkFrames,
    maxRetries: link.maxRetries,
    deadlineUs: link.deadlineMs === 'auto' ? autoUs : link.deadlineMs * 1000,
  };
}

/** Peers that are not sluice have MAC addresses of their own; over bare IP there are none, and nobody to ask. */
function answersAtHome({ link }: Configuration): boolean {
  return link.chatter.arp === 'auto' ? link.encapsulation !== 'ethernet' : link.chatter.arp === 'local';
}

function homeFilter(configuration: Configuration, neighbours: NeighbourTable): HomeFilter {
  const { link } = configuration;
  const { chatter } = link;
  const answerAtHome = answersAtHome(configuration);
  const filters: ChatterFilters = {
    arp: answerAtHome,
    nd: chatter.nd === 'drop',
    mld: chatter.mld === 'drop',
    igmp: chatter.igmp === 'drop',
    mdns: chatter.mdns === 'drop',
    llmnr: chatter.llmnr === 'drop',
    ssdp: chatter.ssdp === 'drop',
    dhcp: chatter.dhcp === 'drop',
  };
  const unknownNeighbour = link.encapsulation === 'ip' ? 'peer' : 'drop';
  return new HomeFilter({ neighbours, filters, answerAtHome, unknownNeighbour });
}
