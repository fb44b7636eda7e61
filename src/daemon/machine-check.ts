/** What this machine can do for a bridge, tried out rather than guessed, and what to do where it cannot. */
import { accessSync, constants, existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isSluiceError } from '../base/errors.js';
import type { BackPressureMode } from '../flow/back-pressure.js';
import { chooseMode } from '../flow/choose-mode.js';
import { NetlinkSocket, PacketSocket, TapDevice } from '../native/addon.js';
import { TUN_FLAGS } from '../native/tun-flags.js';
import { DEFAULT_CLONE_PATH } from '../tap/linux-tap.js';
import { type LiveProbeResult, probeBackPressure } from './back-pressure-probe.js';

export interface Finding {
  readonly what: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly remedy?: string;
}

export interface FoundPort {
  readonly path: string;
  /** The name that stays the same when devices are plugged in another order. */
  readonly stablePath?: string;
  readonly usable: boolean;
}

export interface MachineCheck {
  readonly kernel: string;
  readonly findings: readonly Finding[];
  readonly backPressure: {
    readonly mode: BackPressureMode;
    readonly reason: string;
    readonly probe: LiveProbeResult | null;
  };
  readonly qdiscs: Readonly<Record<string, string | null>>;
  readonly serialPorts: readonly FoundPort[];
}

const NETLINK_ROUTE = 0;
const LOOPBACK_INDEX = 1;

function attempt(what: string, action: () => string): Finding {
  try {
    return { what, ok: true, detail: action() };
  } catch (error) {
    const remedy = isSluiceError(error) ? error.details.remedy : undefined;
    const detail = error instanceof Error ? error.message : String(error);
    return { what, ok: false, detail, ...(remedy === undefined ? {} : { remedy }) };
  }
}

export async function checkMachine(): Promise<MachineCheck> {
  const findings = [
    attempt('TAP devices', () => {
      const device = new TapDevice(DEFAULT_CLONE_PATH, 'slcheck%d', TUN_FLAGS.IFF_TAP | TUN_FLAGS.IFF_NO_PI);
      const features = `0x${device.features.toString(16)}`;
      device.close();
      return `can be made; features ${features}`;
    }),
    attempt('netlink', () => {
      new NetlinkSocket(NETLINK_ROUTE).close();
      return 'answers';
    }),
    attempt('packet sockets', () => {
      new PacketSocket(LOOPBACK_INDEX).close();
      return 'can be opened';
    }),
  ];
  const probe = await probeBackPressure().catch((error: unknown) => {
    findings.push(
      attempt('back-pressure self-test', () => {
        throw error;
      }),
    );
    return null;
  });
  const chosen =
    probe === null
      ? { mode: 'none' as const, reason: 'the self-test could not run' }
      : chooseMode('auto', { native: probe.native, gate: probe.gate });
  findings.push({
    what: 'back pressure',
    ok: chosen.mode !== 'none',
    detail: `${chosen.mode}: ${chosen.reason}`,
    ...(chosen.mode === 'none' ? { remedy: noBackPressureRemedy(probe) } : {}),
  });
  const serialPorts = findSerialPorts();
  findings.push({
    what: 'serial ports',
    ok: true,
    detail:
      serialPorts.length === 0
        ? 'none found; a modem may also be reached by tcp://host:port'
        : serialPorts.map(describePort).join(', '),
  });
  return {
    kernel: readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim(),
    findings,
    backPressure: { ...chosen, probe },
    qdiscs: probe?.qdiscs ?? {},
    serialPorts,
  };
}

function noBackPressureRemedy(probe: LiveProbeResult | null): string {
  if (probe?.qdiscs.tbf === null) return 'Run as root, or with CAP_NET_ADMIN and CAP_NET_RAW.';
  return 'Run as root, or with CAP_NET_ADMIN and CAP_NET_RAW, on a kernel with sch_tbf (modprobe sch_tbf) or Linux 7.3.';
}

function describePort({ path, stablePath, usable }: FoundPort): string {
  return `${stablePath ?? path}${usable ? '' : ' (no permission: add yourself to the group dialout)'}`;
}

/** Ports behind which sysfs shows hardware; the kernel lists many 8250 ports that do not exist (type 0). */
export function findSerialPorts(root = '/'): FoundPort[] {
  const classFolder = join(root, 'sys/class/tty');
  const names = existsSync(classFolder) ? readdirSync(classFolder) : [];
  const stable = stablePaths(root);
  return names
    .filter((name) => isHardware(join(classFolder, name)))
    .sort()
    .map((name) => {
      const path = `/dev/${name}`;
      const stablePath = stable.get(path);
      return { path, usable: isUsable(path), ...(stablePath === undefined ? {} : { stablePath }) };
    });
}

function isHardware(folder: string): boolean {
  if (!existsSync(join(folder, 'device'))) return false;
  const type = join(folder, 'type');
  return !existsSync(type) || readFileSync(type, 'utf8').trim() !== '0';
}

function stablePaths(root: string): Map<string, string> {
  const folder = join(root, 'dev/serial/by-id');
  const links = existsSync(folder) ? readdirSync(folder) : [];
  return new Map(
    links.map((link) => [resolve('/dev/serial/by-id', readlinkSync(join(folder, link))), `/dev/serial/by-id/${link}`]),
  );
}

function isUsable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
