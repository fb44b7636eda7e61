/**
 * From a configuration to a running bridge, in this order: measure the host, prove the back pressure, make the TAP, hang
 * the gate, bring the interface up, serve status and metrics, open the line. What fails takes down what stood before it.
 */
import { randomBytes } from 'node:crypto';
import type { Scheduler } from '../base/clock.js';
import type { SluiceError } from '../base/errors.js';
import { useNativeLoops } from '../base/octet-loops.js';
import { seededRandom } from '../base/random.js';
import type { ModemDriver } from '../modem/driver.js';
import { createDriver } from '../modem/drivers/registry.js';
import type { Configuration } from '../modem/profile-schema.js';
import {
  awaitModemLines,
  drain,
  inputBytes,
  lockExclusive,
  modemLines,
  outputBytes,
  readOctets,
  setExclusive,
  setLowLatency,
  setModemLines,
  setRs485,
  setTcpUserTimeout,
  watchDescriptor,
  writeOctets,
} from '../native/descriptors.js';
import { addonLoops } from '../native/octet-loops.js';
import type { Log } from '../observe/log.js';
import { createLine } from '../serial/open-line.js';
import { NeighbourTable } from '../wire/address.js';
import type { ChatterFilters } from '../wire/chatter.js';
import { createEncapsulation } from '../wire/encapsulation.js';
import { HomeFilter } from '../wire/local-answers.js';
import { MacTranslation } from '../wire/mac-translation.js';
import type { Encapsulation } from '../wire/packet.js';
import { AirCapture } from './air-capture.js';
import { lineFormat, pcapngFormat } from './air-formats.js';
import { probeBackPressure } from './back-pressure-probe.js';
import { Bridge } from './bridge.js';
import { defaultControlPath, serveControl } from './control-socket.js';
import { logFrames } from './frame-log.js';
import { commonHostLatencyUs, measureHostLatencyUs } from './host-latency.js';
import { runBeforeOthers } from './host-scheduling.js';
import { InterfaceWatch } from './interface-watch.js';
import { installCallsigns, installNeighbours } from './known-neighbours.js';
import { macConfig } from './mac-config.js';
import { RealTime } from './real-time.js';
import { ServiceManager } from './service-manager.js';
import type { DaemonStatus } from './status.js';
import { StatusDumps } from './status-dumps.js';
import { TapInterface } from './tap-interface.js';

export interface StartOptions {
  readonly configuration: Configuration;
  readonly log: Log;
  readonly channelIntervalUs: number;
}

/** A neighbour solicitation (RFC 4861) over Ethernet; ARP is shorter. */
const NEIGHBOUR_FRAME_BYTES = 86;

export interface RunningBridge {
  /** Settles when the bridge cannot go on, because its interface is gone; then `stop` it. */
  readonly lost: Promise<SluiceError>;
  status(): DaemonStatus;
  stop(reason: string): Promise<void>;
}

/** @throws SluiceError of every code: `privilege` and `kernel-feature` for the TAP, `line` for the modem's line, ... */
export async function startBridge({ configuration, log, channelIntervalUs }: StartOptions): Promise<RunningBridge> {
  const { interface: wanted, link } = configuration;
  const scheduler = new RealTime();
  useNativeLoops(addonLoops());
  const manager = new ServiceManager(process.env, process.pid);
  const undo: (() => void | Promise<void>)[] = [() => manager.close()];
  try {
    scheduler.onHang = (hungUs) =>
      log.warn('hung', { forMs: Math.round(hungUs / 1000), meaning: 'the process did not run; its clock stood still' });
    const { channelAccess, hostScheduling } = configuration.mac;
    const scheduling =
      hostScheduling === 'auto' ? runBeforeOthers(channelAccess === 'host' ? 'slots' : 'line') : 'as-found';
    const measuredLatencyUs = await measureHostLatencyUs(scheduler);
    const probe = await probeBackPressure();
    const driver = driverWithCommonLatency(configuration, scheduler, log);
    const settings = macConfig(configuration, driver);
    const { hostLatencyUs } = driver.timing;
    if (measuredLatencyUs > hostLatencyUs) {
      log.warn('host-latency', {
        measuredUs: measuredLatencyUs,
        allowedUs: hostLatencyUs,
        remedy:
          'Frames will collide more often. Take load off this machine, let sluice run before others (CAP_SYS_NICE), or ' +
          'raise mac.hostLatencyUs at all stations.',
      });
    }
    const neighbours = new NeighbourTable({
      station: wanted.station,
      addresses: wanted.addresses,
      table: configuration.neighbours,
    });
    const tapInterface = new TapInterface({
      configuration,
      probe,
      frameAirtimeUs: driver.timing.airtimeUs(driver.capabilities.maxFrameBytes),
      neighbourAnswerMs: neighbourAnswerMs(driver),
      clock: scheduler,
      log,
      manager,
      installNeighbours: (netlink, ifindex) =>
        answersAtHome(configuration)
          ? installNeighbours(netlink, ifindex, neighbours, wanted.addresses, configuration.neighbours)
          : installCallsigns(netlink, ifindex, wanted.callsigns ?? {}),
    });
    undo.push(() => void tapInterface.close());
    const bridge = new Bridge({
      profile: configuration.id,
      station: wanted.station,
      interface: tapInterface,
      verifyInterface: () => watch.verify(),
      driver,
      createLine: () =>
        createLine(
          wanted.port,
          { ...configuration.line, settleUs: 0 },
          {
            scheduler,
            extras: {
              awaitModemLines,
              drain,
              inputBytes,
              lockExclusive,
              modemLines,
              outputBytes,
              read: readOctets,
              setExclusive,
              setLowLatency,
              setModemLines,
              setRs485,
              watch: watchDescriptor,
              write: writeOctets,
            },
            setUserTimeout: setTcpUserTimeout,
          },
        ),
      encapsulation: encapsulation(configuration, neighbours, tapInterface),
      homeFilter: homeFilter(configuration, neighbours),
      macConfig: settings,
      scheduler,
      random: seededRandom(randomBytes(4).readUInt32LE()),
      log,
      channelIntervalUs,
    });
    undo.push(() => bridge.stop('failed start'));
    const capture = new AirCapture(bridge.mac);
    const captured = {
      encapsulation: link.encapsulation,
      fcsBytes: settings.fcsBytes,
      airtimeUs: (frameBytes: number) => driver.timing.airtimeUs(frameBytes),
      describe: () => ({
        name: tapInterface.name,
        description: `station ${wanted.station}, profile ${configuration.id}`,
      }),
    };
    void logFrames(log, capture, captured);
    const status = (): DaemonStatus => ({ ...bridge.status(), capture: capture.status() });
    const dumps = new StatusDumps(status);
    const control = await serveControl(wanted.control ?? defaultControlPath(tapInterface.name), {
      // Who only looks is not remembered.
      status: ({ since }) => (since === undefined ? status() : dumps.dump(since)),
      capture: ({ lines }, gone, finish) =>
        lines === true
          ? capture.read(lineFormat(captured), finish, gone)
          : capture.read(pcapngFormat(captured), finish, gone),
    });
    undo.push(() => control.close());
    if (wanted.metrics !== undefined) {
      const metrics = await (await import('./metrics.js')).serveMetrics(String(wanted.metrics), () => ({
        status: status(),
        mac: bridge.mac.snapshot(),
      }));
      undo.push(() => metrics.close());
    }
    log.rebase({ interface: tapInterface.name });
    let lose: (error: SluiceError) => void = () => undefined;
    const lost = new Promise<SluiceError>((resolve) => {
      lose = resolve;
    });
    const watch = new InterfaceWatch(
      tapInterface,
      {
        renamed: (name) => {
          log.rebase({ interface: name });
          if (wanted.control !== undefined) return;
          const kept = ({ message, details: { remedy } }: SluiceError): void =>
            log.error('control-kept', { path: control.path, cause: message, remedy });
          control.moveTo(defaultControlPath(name)).catch(kept);
        },
        up: () => {
          tapInterface.installNeighbours();
          bridge.interfaceUp(true);
        },
        down: () => bridge.interfaceUp(false),
        lost: (error) => lose(error),
      },
      log,
    );
    undo.push(() => watch.close());
    await bridge.start();
    const { slotUs } = bridge.mac.timing;
    log.info('ready', {
      profile: configuration.id,
      line: wanted.port,
      mtuBytes: link.mtuBytes,
      slotUs,
      a: Number((slotUs / driver.timing.airtimeUs(driver.capabilities.maxFrameBytes)).toPrecision(3)),
      hostLatencyUs,
      measuredLatencyUs,
      scheduling,
      control: control.path,
    });
    manager.ready(`${configuration.id} on ${wanted.port}`);
    return {
      lost,
      status,
      stop: async (reason) => {
        manager.stopping();
        watch.close();
        await bridge.stop(reason);
        await capture.close();
        await takeDown(undo);
      },
    };
  } catch (error) {
    await takeDown(undo);
    throw error;
  }
}

/** With `ethernet`, peers know the TAP by the address that it has; otherwise stations know each other by number. */
function encapsulation(
  configuration: Configuration,
  neighbours: NeighbourTable,
  tapInterface: TapInterface,
): Encapsulation {
  const plain = createEncapsulation(configuration.link.encapsulation, neighbours, configuration.interface.callsign);
  if (configuration.link.encapsulation === 'ethernet') return plain;
  const translation = new MacTranslation(plain, neighbours.station, tapInterface.mac);
  tapInterface.onMac = (mac) => {
    translation.tapMac = mac;
  };
  return translation;
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

/** What a host may be late is worked out from the airtime of a full frame, which the driver knows. */
function driverWithCommonLatency(configuration: Configuration, scheduler: Scheduler, log: Log): ModemDriver {
  const { capabilities, timing } = createDriver(configuration, { scheduler, hostLatencyUs: 0 });
  const hostLatencyUs = commonHostLatencyUs(timing.airtimeUs(capabilities.maxFrameBytes));
  return createDriver(configuration, {
    scheduler,
    hostLatencyUs,
    remark: (meaning, remedy) => log.warn('modem', { meaning, remedy }),
  });
}

/** Question and answer, each after a frame of somebody else, or after what the modem's own contention may take. */
function neighbourAnswerMs({ timing, capabilities }: ModemDriver): number {
  const { turnaroundUs, propagationUs, modemAccessUs = timing.airtimeUs(capabilities.maxFrameBytes) } = timing;
  const onceUs = modemAccessUs + turnaroundUs + timing.airtimeUs(NEIGHBOUR_FRAME_BYTES) + propagationUs;
  return Math.ceil((2 * onceUs) / 1000);
}

/** Peers that are not sluice have MAC addresses of their own; over bare IP there are none, and nobody to ask. */
function answersAtHome({ link }: Configuration): boolean {
  return link.chatter.arp === 'auto'
    ? !['ethernet', 'ax25'].includes(link.encapsulation)
    : link.chatter.arp === 'local';
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
