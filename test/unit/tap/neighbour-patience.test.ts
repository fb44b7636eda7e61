/** The kernel's patience with neighbours, as files in memory. */
import { describe, expect, it } from 'vitest';
import { raiseNeighbourRetrans, retransPath } from '../../../src/tap/neighbour-patience.js';

function filesWith(values: Record<string, string>, refused?: string) {
  const fail = (code: string): never => {
    throw Object.assign(new Error(code), { code });
  };
  return {
    values,
    read: (path: string) => values[path] ?? fail('ENOENT'),
    write: (path: string, text: string) => {
      if (refused !== undefined) fail(refused);
      values[path] = text;
    },
  };
}

const IPV4 = retransPath('ipv4', 'sluice0');
const IPV6 = retransPath('ipv6', 'sluice0');

describe('the patience with neighbours', () => {
  it('is raised for both families, and put back', () => {
    const files = filesWith({ [IPV4]: '1000\n', [IPV6]: '1000\n' });
    const putBack = raiseNeighbourRetrans('sluice0', 9500, files);
    expect(files.values).toEqual({ [IPV4]: '9500', [IPV6]: '9500' });
    putBack();
    expect(files.values).toEqual({ [IPV4]: '1000', [IPV6]: '1000' });
  });

  it('is not lowered, and needs no IPv6', () => {
    const files = filesWith({ [IPV4]: '20000' });
    raiseNeighbourRetrans('sluice0', 9500, files)();
    expect(files.values).toEqual({ [IPV4]: '20000' });
  });

  it.each(['EACCES', 'EROFS'])('that cannot be set (%s) says what to write where', (errno) => {
    const files = filesWith({ [IPV4]: '1000' }, errno);
    expect(() => raiseNeighbourRetrans('sluice0', 9500, files)).toThrow(
      expect.objectContaining({ code: 'privilege', message: `${IPV4}: ${errno}` }),
    );
  });
});
