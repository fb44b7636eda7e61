/** The Tap port over a device of the kernel's tun driver. */
import { SluiceError } from '../base/errors.js';
import { copyOf } from '../base/octets.js';
import { TapDevice } from '../native/addon.js';
import { interfaceIndex } from '../native/descriptors.js';
import { describeTunFlags, TUN_FLAGS } from '../native/tun-flags.js';
import type { Tap } from './tap.js';

export const DEFAULT_CLONE_PATH = '/dev/net/tun';

export interface LinuxTapOptions {
  /** At most 15 octets; `%d` in it becomes the lowest free number. */
  readonly name: string;
  /** The clone device; another one for out-of-tree drivers such as tun_flowctl. */
  readonly clonePath?: string;
  /** Several queues, as a process that holds the device over a restart needs. Must match an existing device. */
  readonly multiQueue?: boolean;
  /** A full ring stops the queue (Linux 7.3). Asked for only where the driver has it: see `nativeBackPressure`. */
  readonly backPressure?: boolean;
}

/** A queue that a service manager kept while no process of ours ran. */
export interface KeptQueue {
  readonly fd: number;
}

/** Ethernet's header and VLAN tag, and the largest MTU of a TAP device (drivers/net/tun.c: 65535 less the header). */
const LARGEST_FRAME_BYTES = 65535 + 4;

export class LinuxTap implements Tap {
  /** Whether the device came to be by our opening it; one that was there before is to be left as found. */
  readonly created: boolean;
  /** Whether this queue has the driver's own back pressure on. */
  readonly nativeBackPressure: boolean;
  /** For what only the device can do: persistence, carrier, detaching the queue. */
  readonly device: TapDevice;
  readonly #scratch = new Uint8Array(LARGEST_FRAME_BYTES);
  #refusedWrites = 0;

  #name: string;
  #ifindex: number;

  /**
   * @throws SluiceError `privilege`; `kernel-feature`: no driver, device in use, device with other flags; `system`: the
   *   kept queue is none, or its device is gone
   */
  constructor(options: LinuxTapOptions | KeptQueue) {
    if ('fd' in options) {
      this.device = new TapDevice(options.fd);
      const { flags } = this.device;
      // What nothing but its queues keeps alive is ours; a persistent device was made by somebody else.
      this.created = (flags & TUN_FLAGS.IFF_PERSIST) === 0;
      this.nativeBackPressure = (flags & TUN_FLAGS.IFF_BACKPRESSURE) !== 0;
      this.#checkFlags(flags);
    } else {
      const clonePath = options.clonePath ?? DEFAULT_CLONE_PATH;
      const existed = !options.name.includes('%') && interfaceIndex(options.name) !== 0;
      let flags: number = TUN_FLAGS.IFF_TAP | TUN_FLAGS.IFF_NO_PI;
      if (options.multiQueue === true) flags |= TUN_FLAGS.IFF_MULTI_QUEUE;
      // Older drivers ignore the flag without a word: only the feature mask tells.
      this.nativeBackPressure = options.backPressure === true && hasNativeBackPressure(TapDevice.features(clonePath));
      if (this.nativeBackPressure) flags |= TUN_FLAGS.IFF_BACKPRESSURE;
      this.device = new TapDevice(clonePath, options.name, flags);
      this.created = !existed;
    }
    this.#name = this.device.name;
    this.#ifindex = this.device.ifindex;
  }

  get name(): string {
    return this.#name;
  }

  get ifindex(): number {
    return this.#ifindex;
  }

  /** Somebody renamed it, or moved it to where it has another index. */
  follow(name: string, ifindex: number): void {
    this.#name = name;
    this.#ifindex = ifindex;
  }

  /** Frames that `write` could not hand over. */
  get refusedWrites(): number {
    return this.#refusedWrites;
  }

  read(): Uint8Array | null {
    const length = this.device.read(this.#scratch);
    return length < 0 ? null : copyOf(this.#scratch.subarray(0, length));
  }

  write(frame: Uint8Array): boolean {
    const taken = this.device.write(frame) === frame.length;
    if (!taken) this.#refusedWrites += 1;
    return taken;
  }

  onceReadable(callback: () => void): void {
    this.device.arm(callback);
  }

  close(): void {
    this.device.close();
  }

  #checkFlags(flags: number): void {
    const wanted = TUN_FLAGS.IFF_TAP | TUN_FLAGS.IFF_NO_PI;
    if ((flags & (wanted | TUN_FLAGS.IFF_VNET_HDR)) === wanted) return;
    this.device.close();
    throw new SluiceError('system', `${this.device.name}: the kept queue has the flags ${describeTunFlags(flags)}`, {
      subject: this.device.name,
      remedy: 'It is of no use here; let the service manager forget it.',
    });
  }
}

/** Whether a mask of TUNGETFEATURES offers back pressure by the driver itself. */
export function hasNativeBackPressure(features: number): boolean {
  return (features & TUN_FLAGS.IFF_BACKPRESSURE) !== 0;
}
