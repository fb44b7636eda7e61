/**
 * The one door to the native addon: loads it on first use, gives each of its objects a type, and turns each of its
 * errors into a SluiceError that names the call, the subject and the remedy. Nothing else may load a `.node` file.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SluiceError } from '../base/errors.js';
import type {
  Addon,
  RawNetlinkSocket,
  RawPacketRing,
  RawPacketSocket,
  RawPty,
  RawReadable,
  RawTapDevice,
  RawUdpSocket,
} from './binding.js';
import { fromNative, translated } from './errors.js';

let loaded: Addon | undefined;

/** For the files beside this one only. */
export function addon(): Addon {
  loaded ??= load();
  return loaded;
}

/** From src/ under vitest, from dist/src/ otherwise: the package's folder is the nearest one with a package.json. */
function load(): Addon {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  const path = join(folder, 'native/build/Release/sluice.node');
  try {
    return createRequire(import.meta.url)(path) as Addon;
  } catch (cause) {
    throw new SluiceError('system', `${path}: the native addon cannot be loaded`, {
      remedy: 'Build it with `npm run setup`.',
      call: 'dlopen',
      subject: path,
      cause,
    });
  }
}

/** What can be waited for on Node's event loop. While armed it keeps the process alive, unless unreferenced. */
class Readable<Raw extends RawReadable> {
  protected readonly raw: Raw;

  protected constructor(raw: Raw) {
    this.raw = raw;
  }

  /** The file descriptor; -1 once closed. */
  get fd(): number {
    return this.raw.fd;
  }

  /**
   * Calls back once, when reading would give something other than "nothing yet": data, a hang-up or a failure.
   * A second call before that replaces the callback.
   * @throws SluiceError when closed
   */
  arm(callback: () => void): void {
    translated(() => this.raw.arm(callback));
  }

  /** Takes back `arm`; does nothing when not armed. */
  disarm(): void {
    this.raw.disarm();
  }

  /** Whether being armed keeps the process alive (it does unless told otherwise). */
  setReferenced(referenced: boolean): void {
    this.raw.setReferenced(referenced);
  }

  /** Idempotent; disarms. */
  close(): void {
    this.raw.close();
  }
}

/** One queue of a TAP device. */
export class TapDevice extends Readable<RawTapDevice> {
  /** As the kernel has it: the number in place of `%d`. */
  readonly name: string;
  readonly ifindex: number;
  /** The mask of TUNGETFEATURES. */
  readonly features: number;

  /**
   * Attaches to the device, creating it where there is none.
   * @param flags of TUNSETIFF, see tun-flags.ts; the kernel ignores those it does not know without a word
   * @throws SluiceError `privilege`; `kernel-feature` when there is no driver, the device is in use or has other flags
   */
  constructor(clonePath: string, name: string, flags: number);
  /** Takes over a queue that another process opened, its descriptor included; throws `system` when it is none. */
  constructor(fd: number);
  constructor(...args: [clonePath: string, name: string, flags: number] | [fd: number]) {
    // The native constructor itself refuses other types: no defaults here that would hide them.
    const open = () => (args.length === 1 ? new (addon().TapDevice)(args[0]) : new (addon().TapDevice)(...args));
    super(translated(open, { tunFlags: args[2] ?? 0 }));
    this.name = this.raw.name;
    this.ifindex = this.raw.ifindex;
    this.features = this.raw.features;
  }

  /** The flags that the device has now (TUNGETIFF). @throws SluiceError `system` when the device is gone */
  get flags(): number {
    return translated(() => this.raw.flags);
  }

  /** The mask of TUNGETFEATURES, without a device. Throws as the constructor does. */
  static features(clonePath: string): number {
    return translated(() => addon().TapDevice.features(clonePath));
  }

  /**
   * Reads one frame. What is longer than the buffer is cut off by the kernel.
   * @returns its length in octets, or -1 when the ring is empty
   * @throws SluiceError `system` when the device is gone
   */
  read(buffer: Uint8Array): number {
    try {
      return this.raw.read(buffer);
    } catch (failure) {
      throw fromNative(failure);
    }
  }

  /** Writes one frame. @returns its length, or a negative errno: -EIO while the interface is down, -EINVAL, ... */
  write(frame: Uint8Array): number {
    return this.raw.write(frame);
  }

  /** Whether the device outlives the last descriptor. */
  setPersist(persist: boolean): void {
    translated(() => this.raw.setPersist(persist));
  }

  setOwner(uid: number): void {
    translated(() => this.raw.setOwner(uid));
  }

  setCarrier(carrier: boolean): void {
    translated(() => this.raw.setCarrier(carrier));
  }

  setSendBuffer(bytes: number): void {
    translated(() => this.raw.setSendBuffer(bytes));
  }

  /** Multi-queue devices only: takes part in the traffic again. */
  attachQueue(): void {
    translated(() => this.raw.attachQueue());
  }

  /** Multi-queue devices only: keeps the device and its carrier up without taking part in the traffic. */
  detachQueue(): void {
    translated(() => this.raw.detachQueue());
  }

  /**
   * Runs `callback` in the network namespace in which the device is now: sockets opened there stay there.
   * @throws SluiceError `privilege` without CAP_NET_ADMIN there and CAP_SYS_ADMIN here; `system` when the device is gone
   */
  withinNamespace<Result>(callback: () => Result): Result {
    return translated(() => this.raw.withinNamespace(callback));
  }
}

export interface NotificationListener {
  /** One message, its header included. */
  message(message: Uint8Array): void;
  /** Some were lost because they were not read in time: look at the whole state again. */
  overrun(): void;
  /** The socket failed; nothing more will come. `errno` is positive. */
  failed?(errno: number): void;
}

/** errno of "no buffer space available" (include/uapi/asm-generic/errno.h): a netlink socket's overrun. */
const ENOBUFS = 105;

/** A netlink socket: for requests when it listens to no group, for notifications when it does. */
export class NetlinkSocket {
  readonly #raw: RawNetlinkSocket;

  /** @param groups bit mask of the multicast groups 1 to 32 to listen to; 0 for a socket that makes requests */
  constructor(protocol: number, groups = 0) {
    this.#raw = translated(() => new (addon().NetlinkSocket)(protocol, groups));
  }

  /** The file descriptor; -1 once closed. */
  get fd(): number {
    return this.#raw.fd;
  }

  /** The address by which the kernel names this socket in what it tells others of its requests. */
  get portId(): number {
    return translated(() => this.#raw.portId);
  }

  /** Does not listen to what that socket brought about; the kernel throws it away without waking us. */
  ignoreOwn(portId: number): void {
    translated(() => this.#raw.ignoreOwn(portId));
  }

  /**
   * Sends one message and waits for the whole answer. Ask for NLM_F_ACK, unless one message or a dump is the answer.
   * @returns the messages of the answer, one element each, header included, the closing acknowledgement (NLMSG_ERROR
   *   with error 0), error (NLMSG_ERROR, its text in the attributes, the request not echoed) or NLMSG_DONE included
   * @throws SluiceError `system` when nothing comes within 2 s
   */
  request(message: Uint8Array): Uint8Array[] {
    try {
      return this.#raw.request(message);
    } catch (failure) {
      throw fromNative(failure);
    }
  }

  /** Sends one that asks for NLM_F_ACK. @returns whether that came at once; anything else is not kept. Throws likewise. */
  acknowledged(message: Uint8Array): boolean {
    return translated(() => this.#raw.acknowledged(message));
  }

  /** Listens to the groups given to the constructor. A second call replaces the listener. */
  onNotification(listener: NotificationListener): void {
    translated(() =>
      this.#raw.onNotification((errno, message) => {
        if (message !== undefined) listener.message(message);
        else if (errno === ENOBUFS) listener.overrun();
        else listener.failed?.(errno);
      }),
    );
  }

  /** Whether listening keeps the process alive (it does unless told otherwise). */
  setReferenced(referenced: boolean): void {
    this.#raw.setReferenced(referenced);
  }

  /** Idempotent. */
  close(): void {
    this.#raw.close();
  }
}

/** A packet socket that sends whole Ethernet frames through one interface. */
export class PacketSocket {
  readonly #raw: RawPacketSocket;

  /**
   * @param protocol EtherType to receive; 0 for none
   * @param priority SO_PRIORITY: the qdisc's band; 0 to 6 need no further privilege
   * @throws SluiceError `privilege` without CAP_NET_RAW
   */
  constructor(ifindex: number, protocol = 0, priority = 0) {
    this.#raw = translated(() => new (addon().PacketSocket)(ifindex, protocol, priority));
  }

  /** The file descriptor; -1 once closed. */
  get fd(): number {
    return this.#raw.fd;
  }

  /** Sends one frame. @returns its length, or a negative errno: -EAGAIN, -ENOBUFS, -ENETDOWN, ... */
  send(frame: Uint8Array): number {
    return this.#raw.send(frame);
  }

  setSendBuffer(bytes: number): void {
    translated(() => this.#raw.setSendBuffer(bytes));
  }

  /** Idempotent. */
  close(): void {
    this.#raw.close();
  }
}

/** What passes an interface, both ways, in blocks of a ring shared with the kernel: see observe/packet-blocks.ts. */
export class PacketRing extends Readable<RawPacketRing> {
  readonly blockBytes: number;

  /**
   * @param blockBytes whole pages; no packet longer than that is whole
   * @param retireMs a block that is not full is given out after so long
   * @throws SluiceError `privilege` without CAP_NET_RAW
   */
  constructor(ifindex: number, { blockBytes, blocks, retireMs }: PacketRingSize) {
    super(translated(() => new (addon().PacketRing)(ifindex, blockBytes, blocks, retireMs)));
    this.blockBytes = blockBytes;
  }

  /** Copies the next block into the buffer, which has room for one. @returns its octets, or -1 when there is none yet */
  read(buffer: Uint8Array): number {
    return translated(() => this.raw.read(buffer));
  }

  /** Packets that passed since the last call, and those among them that found no room in the ring. */
  statistics(): { readonly packets: number; readonly dropped: number } {
    const [packets, dropped] = translated(() => this.raw.statistics());
    return { packets, dropped };
  }

  /** The errno (positive) that the socket has had since the last call, or 0. Not taken, it wakes `arm` again and again. */
  takeError(): number {
    return this.raw.takeError();
  }
}

/** The master of a raw pty pair. Its slave is held open too, so that programs may come and go without a hang-up. */
export class Pty extends Readable<RawPty> {
  /** The slave's path, for others to open. */
  readonly path: string;

  constructor() {
    super(translated(() => new (addon().Pty)()));
    this.path = this.raw.path;
  }

  /** @returns octets read; -1 when there are none yet; 0 when nobody has the slave open any more */
  read(buffer: Uint8Array): number {
    try {
      return this.raw.read(buffer);
    } catch (failure) {
      throw fromNative(failure);
    }
  }

  /** @returns how many octets were taken, fewer than given when the slave's queue fills, or a negative errno (-EAGAIN) */
  write(octets: Uint8Array): number {
    return this.raw.write(octets);
  }

  /** From now on the master sees a hang-up while nobody else has the slave open. Idempotent. */
  releaseSlave(): void {
    this.raw.releaseSlave();
  }
}

export interface PacketRingSize {
  readonly blockBytes: number;
  readonly blocks: number;
  readonly retireMs: number;
}

export interface UdpSocketOptions {
  /** To bind to; any, unless given. */
  readonly address?: string;
  readonly port?: number;
  /** IP_TOS: what the queueing discipline sorts by. */
  readonly typeOfService?: number;
  /** `send` then blocks the whole thread, as a plain program's would. */
  readonly blocking?: boolean;
  /** SO_SNDBUF; the kernel takes the double. The system's default unless given. */
  readonly sendBufferBytes?: number;
}

/** An IPv4 UDP socket as a measuring instrument: unlike Node's it has a type of service, can block, and shows each errno. */
export class UdpSocket {
  readonly #raw: RawUdpSocket;

  /** @throws SluiceError `system` when the address or port cannot be bound */
  constructor(options: UdpSocketOptions = {}) {
    const { address = '0.0.0.0', port = 0, typeOfService = 0, blocking = false, sendBufferBytes } = options;
    this.#raw = translated(() => new (addon().UdpSocket)(address, port, typeOfService, blocking));
    if (sendBufferBytes !== undefined) translated(() => this.#raw.setSendBuffer(sendBufferBytes));
  }

  /** @returns octets sent, or a negative errno: -EAGAIN when the socket's send buffer is full, -ENOBUFS for a drop */
  send(octets: Uint8Array, address: string, port: number): number {
    return this.#raw.send(octets, address, port);
  }

  /** @returns octets received, or a negative errno: -EAGAIN when nothing waits */
  receive(buffer: Uint8Array): number {
    return this.#raw.receive(buffer);
  }

  /** Of the datagram received last. */
  get sender(): { readonly address: string; readonly port: number } {
    const [address = '', port = '0'] = this.#raw.sender().split(':');
    return { address, port: Number(port) };
  }

  /** Calls back once, when a datagram can be received. */
  arm(callback: () => void): void {
    translated(() => this.#raw.arm(callback));
  }

  /** Idempotent. */
  close(): void {
    this.#raw.close();
  }
}
