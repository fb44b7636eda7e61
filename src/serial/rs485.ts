/** RS-485 driver-enable as the kernel does it: struct serial_rs485 (include/uapi/linux/serial.h), in octets and back. */
import { SluiceError } from '../base/errors.js';

export interface Rs485Settings {
  /** Level of RTS while sending; the other one otherwise. */
  readonly rtsOnSend: 'high' | 'low';
  readonly delayBeforeSendMs: number;
  readonly delayAfterSendMs: number;
  /** Whether own octets are heard too. */
  readonly receiveDuringSend: boolean;
}

/** Flags, two delays, and padding for unions of newer kernels. */
export const RS485_BYTES = 32;
const ENABLED = 1 << 0;
const RTS_ON_SEND = 1 << 1;
const RTS_AFTER_SEND = 1 << 2;
const RX_DURING_TX = 1 << 4;

export function encodeRs485(settings: Rs485Settings): Uint8Array {
  const octets = new Uint8Array(RS485_BYTES);
  const fields = new Uint32Array(octets.buffer);
  const level = settings.rtsOnSend === 'high' ? RTS_ON_SEND : RTS_AFTER_SEND;
  fields[0] = ENABLED | level | (settings.receiveDuringSend ? RX_DURING_TX : 0);
  fields[1] = settings.delayBeforeSendMs;
  fields[2] = settings.delayAfterSendMs;
  return octets;
}

/** Null when it is off. @param octets `RS485_BYTES` of them */
export function decodeRs485(octets: Uint8Array): Rs485Settings | null {
  const view = new Uint32Array(octets.slice().buffer);
  const flags = view[0] ?? 0;
  if ((flags & ENABLED) === 0) return null;
  return {
    rtsOnSend: (flags & RTS_ON_SEND) === 0 ? 'low' : 'high',
    delayBeforeSendMs: view[1] ?? 0,
    delayAfterSendMs: view[2] ?? 0,
    receiveDuringSend: (flags & RX_DURING_TX) !== 0,
  };
}

/** The keys in which the driver did not do what was asked. */
export function differingRs485(asked: Rs485Settings, accepted: Rs485Settings | null): string[] {
  if (accepted === null) return ['rs485'];
  return (Object.keys(asked) as (keyof Rs485Settings)[]).filter((key) => asked[key] !== accepted[key]);
}

/**
 * Switches it on.
 * @param call TIOCSRS485; none where the platform offers it not
 * @throws SluiceError `line`: a port that does it not as asked would let two stations drive the wires at once
 */
export function applyRs485(
  path: string,
  fd: number,
  asked: Rs485Settings,
  call: ((fd: number, settings: Uint8Array) => number) | undefined,
): void {
  const octets = encodeRs485(asked);
  const result = call?.(fd, octets) ?? 0;
  const differing = result < 0 ? ['rs485'] : differingRs485(asked, decodeRs485(octets));
  if (differing.length === 0) return;
  throw new SluiceError('line', `cannot open ${path}: its driver does not do RS-485 as set (${differing.join(', ')})`, {
    subject: path,
    remedy:
      'Leave line.rs485 out for adapters that switch direction by themselves; otherwise use a port whose driver does it.',
  });
}
