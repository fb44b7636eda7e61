/** Errors of lines: cause and remedy by errno. */
import { expect, it } from 'vitest';
import { errnoOf, lostError, openError } from '../../../src/serial/line-errors.js';

const failure = (code: string): Error => Object.assign(new Error(`${code}: something`), { code });

it.each([
  ['ENOENT', /no such device/, /by-id/],
  ['EBUSY', /another program/, /fuser/],
  ['EAGAIN', /another program/, /fuser/],
  ['EACCES', /permission/, /dialout/],
  ['ENOTTY', /not a serial port/, /ttyUSB0/],
  ['EIO', /does not answer/, /hardware/],
  ['ECONNREFUSED', /nothing listens/, /server/],
  ['EHOSTUNREACH', /cannot be reached/, /route/],
  ['ETIMEDOUT', /no answer in time/, /host is up/],
])('%s names its cause and remedy', (errno, cause, remedy) => {
  const error = openError('/dev/x', failure(errno));
  expect(error).toMatchObject({ code: 'line', exitCode: 4, details: { errno, subject: '/dev/x' } });
  expect(error.message).toMatch(cause);
  expect(error.message).toContain('/dev/x');
  expect(error.details.remedy).toMatch(remedy);
});

it('keeps what it cannot explain', () => {
  expect(openError('/dev/x', failure('EWEIRD')).message).toBe('cannot open /dev/x: EWEIRD: something');
  expect(openError('/dev/x', failure('EWEIRD')).details.remedy).toMatch(/dmesg/);
  expect(openError('/dev/x', 'odd').message).toBe('cannot open /dev/x: odd');
  expect(lostError('/dev/x', failure('EIO'))).toMatchObject({ code: 'line', details: { errno: 'EIO' } });
});

it('finds the errno of a connection tried on several addresses', () => {
  expect(errnoOf(new AggregateError([failure('ECONNREFUSED'), failure('ENETUNREACH')]))).toBe('ECONNREFUSED');
  expect(errnoOf(new Error('none'))).toBeUndefined();
});
