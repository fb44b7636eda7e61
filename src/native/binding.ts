/** The shape of what native/addon.cc exports, before addon.ts makes it fit for use. Types only. */
import type { OctetLoops } from '../base/octet-loops.js';

export interface RawReadable {
  readonly fd: number;
  arm(callback: () => void): void;
  disarm(): void;
  setReferenced(referenced: boolean): void;
  close(): void;
}

export interface RawTapDevice extends RawReadable {
  readonly name: string;
  readonly ifindex: number;
  /** Of TUNGETIFF, read at each access. */
  readonly flags: number;
  readonly features: number;
  read(buffer: Uint8Array): number;
  write(frame: Uint8Array): number;
  setPersist(persist: boolean): void;
  setOwner(uid: number): void;
  setCarrier(carrier: boolean): void;
  setSendBuffer(bytes: number): void;
  attachQueue(): void;
  detachQueue(): void;
  withinNamespace<Result>(callback: () => Result): Result;
}

export interface RawNetlinkSocket {
  readonly fd: number;
  readonly portId: number;
  ignoreOwn(portId: number): void;
  request(message: Uint8Array): Uint8Array[];
  acknowledged(message: Uint8Array): boolean;
  onNotification(callback: (errno: number, message?: Uint8Array) => void): void;
  setReferenced(referenced: boolean): void;
  close(): void;
}

export interface RawPacketSocket {
  readonly fd: number;
  send(frame: Uint8Array): number;
  setSendBuffer(bytes: number): void;
  close(): void;
}

export interface RawPacketRing extends RawReadable {
  read(buffer: Uint8Array): number;
  statistics(): readonly [packets: number, dropped: number];
  takeError(): number;
}

export interface RawPty extends RawReadable {
  readonly path: string;
  read(buffer: Uint8Array): number;
  write(octets: Uint8Array): number;
  releaseSlave(): void;
}

export interface RawUdpSocket {
  readonly fd: number;
  send(octets: Uint8Array, address: string, port: number): number;
  receive(buffer: Uint8Array): number;
  sender(): string;
  setSendBuffer(bytes: number): void;
  arm(callback: () => void): void;
  close(): void;
}

export interface RawDescriptorWatch {
  watch(events: number): void;
  close(): void;
}

/** Positions and lengths outside of the octets throw a RangeError. */
export type RawOctetLoops = Omit<OctetLoops, 'worthBytes'>;

export interface Addon extends RawOctetLoops {
  readonly TapDevice: {
    new (clonePath: string, name: string, flags: number): RawTapDevice;
    new (fd: number): RawTapDevice;
    features(clonePath: string): number;
  };
  readonly NetlinkSocket: new (protocol: number, groups: number) => RawNetlinkSocket;
  readonly PacketSocket: new (ifindex: number, protocol: number, priority: number) => RawPacketSocket;
  readonly PacketRing: new (ifindex: number, blockBytes: number, blocks: number, retireMs: number) => RawPacketRing;
  readonly Pty: new () => RawPty;
  readonly UdpSocket: new (address: string, port: number, typeOfService: number, blocking: boolean) => RawUdpSocket;
  readonly DescriptorWatch: new (fd: number, ready: (events: number) => void) => RawDescriptorWatch;
  trimMemory(): void;
  inputBytes(fd: number): number;
  readOctets(fd: number, buffer: Uint8Array): number;
  writeOctets(fd: number, octets: Uint8Array): number;
  outputBytes(fd: number): number;
  setExclusive(fd: number, exclusive: boolean): number;
  lockExclusive(fd: number): number;
  modemLines(fd: number): number;
  setModemLines(fd: number, raise: number, drop: number): number;
  awaitModemLines(fd: number, mask: number, done: (result: number) => void): () => void;
  drain(fd: number, done: (result: number) => void): () => void;
  setLowLatency(fd: number, on: boolean): number;
  setRs485(fd: number, settings: Uint8Array): number;
  setTcpUserTimeout(fd: number, ms: number): number;
  unshareNetwork(): void;
  enterNetworkNamespace(path: string): void;
  interfaceIndex(name: string): number;
  schedulingPolicy(): number;
  setRoundRobin(priority: number): number;
  notifyServiceManager(path: string, text: string, descriptors: readonly number[]): number;
}
