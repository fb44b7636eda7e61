/** What the kernel refused must reach the operator as cause and remedy, by class. */
import { describe, expect, it } from 'vitest';
import { SluiceError } from '../../../src/base/errors.js';
import { fromNative, isNativeFailure, translated } from '../../../src/native/errors.js';
import { describeTunFlags } from '../../../src/native/tun-flags.js';

function failure(code: string, call: string, subject = 'sl0'): Error {
  return Object.assign(new Error(`${call} ${subject}: ${code}, in the kernel's words`), {
    code,
    errno: 1,
    call,
    subject,
  });
}

function mapped(code: string, call: string, subject?: string, tunFlags?: number): SluiceError {
  const result = fromNative(failure(code, call, subject), tunFlags === undefined ? {} : { tunFlags });
  if (!(result instanceof SluiceError)) throw new Error(`not mapped: ${String(result)}`);
  return result;
}

describe('errors of the addon', () => {
  it.each([
    ['EPERM', 'TUNSETIFF', 'privilege', /CAP_NET_ADMIN/],
    ['EPERM', 'TUNSETPERSIST', 'privilege', /CAP_NET_ADMIN/],
    ['EACCES', 'open', 'privilege', /root/],
    ['EPERM', 'socket(AF_PACKET)', 'privilege', /CAP_NET_RAW/],
    ['EPERM', 'SO_PRIORITY', 'privilege', /CAP_NET_ADMIN/],
    ['EPERM', 'unshare', 'privilege', /CAP_SYS_ADMIN/],
    ['EPERM', 'setns', 'privilege', /CAP_SYS_ADMIN/],
    ['ENOENT', 'open', 'kernel-feature', /modprobe tun/],
    ['ENODEV', 'open', 'kernel-feature', /mknod/],
    ['ENOTTY', 'TUNGETFEATURES', 'kernel-feature', /modprobe tun/],
    ['EBUSY', 'TUNSETIFF', 'kernel-feature', /Stop that process/],
    ['EINVAL', 'TUNSETIFF', 'kernel-feature', /flags it was created with/],
    ['ENAMETOOLONG', 'TUNSETIFF', 'configuration', /15/],
    ['EAFNOSUPPORT', 'socket(AF_PACKET)', 'kernel-feature', /modprobe/],
  ])('%s of %s is of the class %s, with its remedy', (code, call, expected, remedy) => {
    const error = mapped(code, call);
    expect(error.code).toBe(expected);
    expect(error.details.remedy).toMatch(remedy);
    expect(error.details).toMatchObject({ errno: code, call, subject: 'sl0' });
    for (const part of [code, call, 'sl0']) expect(error.message).toContain(part);
  });

  it('names the flags that an existing device refused', () => {
    expect(mapped('EINVAL', 'TUNSETIFF', 'sl0', 0x1102).message).toContain('IFF_TAP IFF_MULTI_QUEUE IFF_NO_PI');
  });

  it('keeps the words of the kernel where it has no class of its own', () => {
    const error = mapped('EIO', 'read');
    expect(error.code).toBe('system');
    expect(error.message).toContain("in the kernel's words");
  });

  it('does not take a missing namespace for a missing clone device', () => {
    const error = mapped('ENOENT', 'open(namespace)', '/run/netns/none');
    expect(error.code).toBe('system');
    expect(error.message).toContain('/run/netns/none');
  });

  it('leaves alone what is not its own', () => {
    const other = new TypeError('argument 1 must be a number');
    expect(isNativeFailure(other)).toBe(false);
    expect(fromNative(other)).toBe(other);
  });

  it('translates what a call throws, and gives what it returns', () => {
    expect(translated(() => 7)).toBe(7);
    const throwing = () => {
      throw failure('EBUSY', 'TUNSETIFF');
    };
    expect(() => translated(throwing)).toThrow(SluiceError);
  });
});

describe('names of TUNSETIFF flags', () => {
  it.each([
    [0x1002, 'IFF_TAP IFF_NO_PI'],
    [0x1182, 'IFF_TAP IFF_BACKPRESSURE IFF_MULTI_QUEUE IFF_NO_PI'],
    [0x0802, 'IFF_TAP IFF_PERSIST'],
    [0x0042, 'IFF_TAP 0x40'],
    [0, '0x0'],
  ])('0x%s', (mask, expected) => {
    expect(describeTunFlags(mask)).toBe(expected);
  });
});
