/** What the kernel refused, as an error with a cause and a remedy. Pure: the addon's errors in, ours out. */
import { type ErrorCode, SluiceError } from '../base/errors.js';
import { describeTunFlags } from './tun-flags.js';

/** What an error thrown by the addon carries. */
export interface NativeFailure {
  /** The errno's name, e.g. `EPERM`. */
  readonly code: string;
  /** The errno, positive. */
  readonly errno: number;
  /** The system call, ioctl or socket option. */
  readonly call: string;
  /** The device, path or interface. */
  readonly subject: string;
  readonly message: string;
}

/** What the caller knew beyond the failing call. */
export interface FailureContext {
  /** The flags asked of TUNSETIFF. */
  readonly tunFlags?: number;
}

const NAMESPACE_CALLS: ReadonlySet<string> = new Set(['open(namespace)', 'setns', 'unshare']);

interface Verdict {
  readonly code: ErrorCode;
  readonly cause: string;
  readonly remedy?: string;
}

export function isNativeFailure(value: unknown): value is NativeFailure {
  return (
    value instanceof Error &&
    'code' in value &&
    typeof value.code === 'string' &&
    'errno' in value &&
    typeof value.errno === 'number' &&
    'call' in value &&
    typeof value.call === 'string' &&
    'subject' in value &&
    typeof value.subject === 'string'
  );
}

/** The error for the operator; anything that is not the addon's comes back as it is. */
export function fromNative(value: unknown, context: FailureContext = {}): unknown {
  if (!isNativeFailure(value)) return value;
  const verdict = judge(value, context);
  return new SluiceError(verdict.code, `${value.subject}: ${verdict.cause} (${value.call}: ${value.code})`, {
    remedy: verdict.remedy,
    call: value.call,
    errno: value.code,
    subject: value.subject,
    cause: value,
  });
}

/** Runs a call into the addon, so that what it throws is a SluiceError. */
export function translated<Result>(call: () => Result, context?: FailureContext): Result {
  try {
    return call();
  } catch (failure) {
    throw fromNative(failure, context);
  }
}

function judge(failure: NativeFailure, context: FailureContext): Verdict {
  const { code, call } = failure;
  if (code === 'EPERM' || code === 'EACCES') return missingPrivilege(failure);
  if (isCloneDeviceCall(failure) && (code === 'ENOENT' || code === 'ENODEV' || code === 'ENXIO' || code === 'ENOTTY')) {
    return {
      code: 'kernel-feature',
      cause: code === 'ENOTTY' ? 'is not a TUN/TAP clone device' : 'there is no such clone device',
      remedy:
        'Load the driver with `modprobe tun`; if /dev/net/tun is still missing, make it: ' +
        '`mkdir -p /dev/net && mknod /dev/net/tun c 10 200`.',
    };
  }
  if (call === 'TUNSETIFF') return refusedAttachment(failure, context);
  if (NAMESPACE_CALLS.has(call)) {
    return { code: 'system', cause: `no network namespace to enter: ${describe(failure)}` };
  }
  if (code === 'EAFNOSUPPORT' || code === 'EPROTONOSUPPORT') {
    return {
      code: 'kernel-feature',
      cause: 'this kernel has no such socket family',
      remedy: 'Load it (`modprobe af_packet` for packet sockets), or run a kernel that has it.',
    };
  }
  if (code === 'EBADFD') return { code: 'system', cause: 'the device was removed, or its queue is detached' };
  return { code: 'system', cause: describe(failure) };
}

function missingPrivilege(failure: NativeFailure): Verdict {
  const { call } = failure;
  if (isCloneDeviceCall(failure)) {
    return {
      code: 'privilege',
      cause: 'this user may not open it',
      remedy: 'Run as root, or let this user read and write the clone device.',
    };
  }
  if (call.startsWith('TUN')) {
    return {
      code: 'privilege',
      cause: 'this user may not attach to or change the TAP device',
      remedy: 'Run as root or with CAP_NET_ADMIN, or have the device made persistent with this user as its owner.',
    };
  }
  if (call.endsWith('(AF_PACKET)')) {
    return {
      code: 'privilege',
      cause: 'packet sockets need a privilege that is missing',
      remedy: 'Run as root or with CAP_NET_RAW.',
    };
  }
  if (NAMESPACE_CALLS.has(call)) {
    return {
      code: 'privilege',
      cause: 'changing the network namespace needs a privilege that is missing',
      remedy: 'Run as root or with CAP_SYS_ADMIN.',
    };
  }
  return { code: 'privilege', cause: describe(failure), remedy: 'Run as root or with CAP_NET_ADMIN.' };
}

function refusedAttachment(failure: NativeFailure, context: FailureContext): Verdict {
  const asked = context.tunFlags === undefined ? '' : ` ${describeTunFlags(context.tunFlags)}`;
  switch (failure.code) {
    case 'EBUSY':
      return {
        code: 'kernel-feature',
        cause: 'another process is attached to the TAP device',
        remedy: 'Stop that process, or take another interface name.',
      };
    case 'EINVAL':
      return {
        code: 'kernel-feature',
        cause: `cannot attach with the flags${asked}`,
        remedy:
          'An existing device must be asked for with the flags it was created with ' +
          '(`ip -d link show` tells them; multi_queue among them), and must be a TAP: delete it or take another name.',
      };
    case 'ENAMETOOLONG':
      return {
        code: 'configuration',
        cause: 'the interface name is too long',
        remedy: 'Take a name of at most 15 octets.',
      };
    default:
      return { code: 'kernel-feature', cause: `cannot attach with the flags${asked}: ${describe(failure)}` };
  }
}

function isCloneDeviceCall(failure: NativeFailure): boolean {
  return failure.call === 'TUNGETFEATURES' || failure.call === 'open';
}

/** The kernel's words, without what the addon puts before them. */
function describe(failure: NativeFailure): string {
  return failure.message.slice(failure.message.lastIndexOf(`${failure.code}, `)).replace(`${failure.code}, `, '');
}
