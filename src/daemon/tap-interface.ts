/**
 * The TAP as the daemon holds it: found, taken over from the service manager or made; set up as far as permitted; with
 * its back pressure on, watched, and left behind as promised.
 */
import type { Clock } from '../base/clock.js';
import { isSluiceError, SluiceError } from '../base/errors.js';
import { sameOctets } from '../base/octets.js';
import type { BackPressureMode, HungBackPressure } from '../flow/back-pressure.js';
import { chooseMode } from '../flow/choose-mode.js';
import { CreditGate } from '../flow/credit-gate.js';
import type { InnerQdiscChoice } from '../flow/inner-qdisc.js';
import { KICK_PRIORITY } from '../flow/kick.js';
import { NativeBackPressure } from '../flow/native-back-pressure.js';
import { NoBackPressure } from '../flow/no-back-pressure.js';
import type { ProbeResult } from '../flow/probe.js';
import { RepairingBackPressure, type RepairReport } from '../flow/repair.js';
import type { Configuration } from '../modem/profile-schema.js';
import { NetlinkSocket, PacketSocket } from '../native/addon.js';
import type { InterfaceAddress } from '../netlink/address.js';
import type { Link } from '../netlink/link.js';
import { WATCH_GROUPS } from '../netlink/notification.js';
import { RouteNetlink } from '../netlink/route-netlink.js';
import type { Log } from '../observe/log.js';
import { existingTap } from '../tap/existing-tap.js';
import { parseInterfaceAddress, type Refusal, setUpLink } from '../tap/link-setup.js';
import { LinuxTap } from '../tap/linux-tap.js';
import { raiseNeighbourRetrans, retransPath } from '../tap/neighbour-patience.js';
import { macOfStation } from '../wire/address.js';
import type { NotificationSource, WatchedInterface } from './interface-watch.js';
import type { ServiceManager } from './service-manager.js';

/** include/uapi/linux/netlink.h */
const NETLINK_ROUTE = 0;

export interface TapInterfaceOptions {
  readonly configuration: Configuration;
  readonly probe: Pick<ProbeResult, 'native' | 'gate'>;
  /** Of a frame of full size. */
  readonly frameAirtimeUs: number;
  /** How long a neighbour may take to answer ARP or neighbour discovery. */
  readonly neighbourAnswerMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly manager: ServiceManager;
  /** Tells the kernel the neighbours that are known beforehand; gives what takes them away again. */
  installNeighbours(netlink: RouteNetlink, ifindex: number): () => void;
}

/** What became of the packets that still waited. */
export interface QueueEnd {
  readonly kept: number;
  readonly lost: number;
}

export class TapInterface implements WatchedInterface {
  readonly tap: LinuxTap;
  readonly backPressure: RepairingBackPressure;
  readonly made: boolean;
  /** The address that the TAP has; not its station's where we may not set it. */
  mac: Uint8Array;
  /** Hears of another MAC address. */
  onMac: ((mac: Uint8Array) => void) | undefined;
  readonly #options: TapInterfaceOptions;
  readonly #netlink: RouteNetlink;
  readonly #inner: InnerQdiscChoice;
  #socket: NetlinkSocket;
  #undoLink: () => void = () => undefined;
  #forgetNeighbours: () => void = () => undefined;
  #undoRetrans: () => void = () => undefined;
  /** Not in the network namespace of this process any more. */
  #elsewhere = false;
  #lastDropped = 0;
  #end: QueueEnd | null = null;

  /** @throws SluiceError `privilege`, `kernel-feature`, `configuration`; leaves nothing behind then */
  constructor(options: TapInterfaceOptions) {
    this.#options = options;
    const { configuration, frameAirtimeUs, log } = options;
    this.#inner = { kind: configuration.backPressure.qdisc, frameAirtimeUs };
    this.#socket = new NetlinkSocket(NETLINK_ROUTE);
    this.#netlink = new RouteNetlink(this.#socket);
    const undo: (() => void)[] = [() => this.#socket.close()];
    try {
      const wantsNative = chooseMode(configuration.backPressure.mode, options.probe).mode === 'native';
      const kept = this.#adopt();
      this.tap = kept ?? this.#open(wantsNative);
      this.made = kept === null && this.tap.created;
      undo.push(() => this.tap.close());
      const refusals: Refusal[] = [];
      const before = this.#netlink.linkByIndex(this.tap.ifindex);
      const addressesBefore = this.#netlink.addresses(this.tap.ifindex);
      this.#undoLink = () => this.#putBack(before, addressesBefore);
      undo.push(this.#undoLink);
      // The gate's burst is made for the MTU, so the MTU comes first; the link goes up once the gate hangs.
      this.#setMtu();
      this.backPressure = this.#attach(wantsNative);
      undo.push(() => this.backPressure.close());
      setUpLink(
        this.#netlink,
        this.tap,
        {
          mtuBytes: configuration.link.mtuBytes,
          mac: macOfStation(configuration.interface.station),
          addresses: configuration.interface.addresses,
        },
        refusals,
      );
      this.#waitForNeighbours(refusals);
      this.installNeighbours(refusals);
      this.mac = this.#netlink.linkByIndex(this.tap.ifindex).mac;
      for (const { command } of refusals) {
        log.warn('privilege', { missing: command, remedy: 'As root, once; the daemon goes on without.' });
      }
      if (kept !== null) this.#sayAdopted();
      if (options.manager.present && kept === null) options.manager.store(this.tap.device.fd);
    } catch (failure) {
      for (const step of undo.reverse()) quietly(step);
      throw failure;
    }
  }

  get name(): string {
    return this.tap.name;
  }

  /** Frames that the ring dropped; as last seen, where the device is out of reach. */
  dropped(): number {
    try {
      this.#lastDropped = this.#netlink.linkStatistics(this.tap.ifindex).txDropped;
    } catch (failure) {
      if (!isSluiceError(failure)) throw failure;
    }
    return this.#lastDropped;
  }

  #waitForNeighbours(refusals: Refusal[]): void {
    const { neighbourAnswerMs } = this.#options;
    try {
      this.#undoRetrans = raiseNeighbourRetrans(this.name, neighbourAnswerMs);
    } catch (failure) {
      if (!isSluiceError(failure, 'privilege')) throw failure;
      const command = `echo ${neighbourAnswerMs} > ${retransPath('ipv4', this.name)}`;
      refusals.push({ command, essential: false });
    }
  }

  /** The kernel forgets them when the interface goes down. */
  installNeighbours(refusals: Refusal[] = []): void {
    try {
      this.#forgetNeighbours = this.#options.installNeighbours(this.#netlink, this.tap.ifindex);
    } catch (failure) {
      if (!isSluiceError(failure, 'privilege')) throw failure;
      refusals.push({
        command: `ip neighbour add ADDRESS lladdr MAC nud permanent dev ${this.name}`,
        essential: false,
      });
    }
  }

  /** Whether the queue is to be left for the next daemon; and whether its ring goes with us, and must be read out first. */
  get stopPlan(): { readonly keep: boolean; readonly readRing: boolean } {
    const { configuration, manager } = this.#options;
    const { keepGate } = configuration.interface;
    const keep = keepGate === 'yes' || (keepGate === 'auto' && this.tap.created && manager.stores);
    return { keep, readRing: keep && !manager.stores };
  }

  /** Nothing more gets past the gate into a ring that goes with us. After it, read until nothing comes. */
  shut(): void {
    quietly(() => this.backPressure.shut());
  }

  /** Idempotent. What waits is lost, unless it is to be kept and somebody holds the device. */
  close(): QueueEnd {
    if (this.#end !== null) return this.#end;
    const waiting = this.backPressure.qdisc().backlogPackets;
    const { keep } = this.stopPlan;
    if (keep) this.backPressure.leave();
    else {
      quietly(() => this.backPressure.close());
      if (!this.tap.created) {
        quietly(this.#forgetNeighbours);
        quietly(this.#undoRetrans);
        quietly(this.#undoLink);
      }
      if (this.#options.manager.present) this.#options.manager.forgetQueue();
    }
    this.tap.close();
    const kept = keep && this.#held() ? waiting : 0;
    this.#socket.close();
    this.#end = { kept, lost: waiting - kept };
    return this.#end;
  }

  // ---- what the watch needs ---------------------------------------------------------------------------------------

  link(): Link {
    return this.#netlink.linkByIndex(this.tap.ifindex);
  }

  alive(): boolean {
    try {
      return this.tap.device.flags !== 0;
    } catch {
      return false;
    }
  }

  listen(): NotificationSource {
    return this.#there(() => {
      const source = new NetlinkSocket(NETLINK_ROUTE, WATCH_GROUPS);
      source.ignoreOwn(this.#socket.portId);
      source.setReferenced(false);
      return source;
    });
  }

  renamed(name: string): void {
    this.tap.follow(name, this.tap.ifindex);
  }

  readdressed(mac: Uint8Array): void {
    this.mac = mac;
    this.onMac?.(mac);
  }

  follow(ifindex: number): void {
    const socket = this.tap.device.withinNamespace(() => new NetlinkSocket(NETLINK_ROUTE));
    this.#socket.close();
    this.#socket = socket;
    this.#netlink.moveTo(socket);
    this.#elsewhere = true;
    this.tap.follow(this.#netlink.linkByIndex(ifindex).name, ifindex);
    const { mode } = this.backPressure;
    if (mode !== 'none') this.backPressure.take(this.#hang(mode, this.backPressure.reason));
  }

  // ---- parts of the start -----------------------------------------------------------------------------------------

  #adopt(): LinuxTap | null {
    const { manager, log } = this.#options;
    if (manager.storedQueue === null) return null;
    try {
      return new LinuxTap({ fd: manager.storedQueue });
    } catch (failure) {
      if (!isSluiceError(failure)) throw failure;
      log.warn('queue-adopted', { adopted: false, cause: failure.message, remedy: 'A new one is made.' });
      manager.forgetQueue();
      return null;
    }
  }

  #open(backPressure: boolean): LinuxTap {
    const { name } = this.#options.configuration.interface;
    const existing = existingTap(this.#netlink, name);
    return new LinuxTap({ name, backPressure, multiQueue: existing?.tun?.multiQueue ?? false });
  }

  #sayAdopted(): void {
    const { backlogPackets } = this.backPressure.qdisc();
    this.#options.log.info('queue-adopted', {
      adopted: true,
      backlogPackets,
      meaning: 'what the last process had in hand is lost if it was killed; what waited in the queue is not',
    });
  }

  #setMtu(): void {
    try {
      this.#netlink.setLink(this.tap.ifindex, { mtuBytes: this.#options.configuration.link.mtuBytes });
    } catch (failure) {
      if (!isSluiceError(failure, 'privilege')) throw failure;
    }
  }

  #attach(wantsNative: boolean): RepairingBackPressure {
    const { configuration, probe, clock, log } = this.#options;
    // A kept queue is as it was opened: it cannot be given the flag any more.
    const unflagged = wantsNative && !this.tap.nativeBackPressure;
    const native = unflagged
      ? { ...probe.native, works: false, why: 'the kept queue was opened without it' }
      : probe.native;
    const { mode, reason } = chooseMode(configuration.backPressure.mode, { native, gate: probe.gate });
    const backPressure = new RepairingBackPressure({
      hung: mode === 'none' ? null : this.#hang(mode, reason),
      reason,
      makeNone: (why) => new NoBackPressure(this.#netlink, this.tap.ifindex, why),
      nowUs: () => clock.nowUs(),
      report: (report) => this.#sayRepaired(report),
    });
    log.info('back-pressure', { mode: backPressure.mode, reason: backPressure.reason });
    if (mode === 'none' && configuration.backPressure.mode !== 'none') {
      log.warn('back-pressure', {
        mode: 'none',
        remedy: 'Packets may be dropped; "sluice check" shows what is missing.',
      });
    }
    return backPressure;
  }

  #hang(mode: Exclude<BackPressureMode, 'none'>, reason: string): HungBackPressure {
    const { ifindex } = this.tap;
    const common = { netlink: this.#netlink, ifindex, inner: this.#inner, reason };
    if (mode === 'native') return new NativeBackPressure(common);
    return new CreditGate({
      ...common,
      openKicker: () => this.#there(() => new PacketSocket(ifindex, 0, KICK_PRIORITY)),
      // What the air paces is granted frame by frame, at the moment of sending.
      credit: this.#options.configuration.air.pacing === 'line' ? 'ring' : 'frame',
    });
  }

  #sayRepaired({ done, cause, repairs, lostPackets }: RepairReport): void {
    const { log } = this.#options;
    if (done === 'repaired') {
      log.warn('back-pressure', { mode: this.backPressure.mode, done, cause, repairs, lostPackets });
      return;
    }
    log.error('back-pressure', {
      mode: 'none',
      done,
      cause,
      repairs,
      remedy: 'Another program wants the root qdisc too: packets may be dropped. End it, then restart this daemon.',
    });
  }

  /** Runs where the device is. */
  #there<Result>(open: () => Result): Result {
    return this.#elsewhere ? this.tap.device.withinNamespace(open) : open();
  }

  /** Of the addresses, those that we gave it go. */
  #putBack({ mac, mtuBytes, up }: Link, addressesBefore: readonly InterfaceAddress[]): void {
    const { ifindex } = this.tap;
    const given = this.#options.configuration.interface.addresses.map(parseInterfaceAddress);
    for (const address of given) {
      if (addressesBefore.some((each) => isSameAddress(each, address))) continue;
      quietly(() => this.#netlink.deleteAddress(ifindex, address));
    }
    this.#netlink.setLink(ifindex, { mac, mtuBytes, up });
  }

  /** Whether somebody keeps the carrier up after we closed our end: without it, the kernel throws the queue away. */
  #held(): boolean {
    try {
      return this.#netlink.linkByIndex(this.tap.ifindex).carrier;
    } catch {
      return false;
    }
  }
}

function isSameAddress(one: InterfaceAddress, other: InterfaceAddress): boolean {
  return one.prefixLength === other.prefixLength && sameOctets(one.address, other.address);
}

/** What cannot be taken back any more does not keep the rest from being taken back. */
function quietly(step: () => void): void {
  try {
    step();
  } catch (failure) {
    if (!(failure instanceof SluiceError)) throw failure;
  }
}
