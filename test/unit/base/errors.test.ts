/** What an operator wrote or plugged in, an operator can mend: the compiler wants the remedy of such an error. */
import { expect, it } from 'vitest';
import { type ErrorCode, SluiceError } from '../../../src/base/errors.js';

it('an error of usage, configuration or a line names its remedy, or passes on that there is none', () => {
  const code = 'usage' as ErrorCode;
  const errors = [
    // @ts-expect-error no remedy
    new SluiceError('usage', 'unknown option'),
    // @ts-expect-error no remedy
    new SluiceError('configuration', 'too short', { subject: 'limits.keyDownMs' }),
    // @ts-expect-error no remedy
    new SluiceError('line', 'cannot open', { subject: '/dev/ttyUSB0' }),
    // @ts-expect-error perhaps one of these
    new SluiceError(code, 'as another process said it', { subject: 'a' }),
    new SluiceError(code, 'as another process said it', { remedy: undefined }),
    new SluiceError('system', 'the disk is full'),
  ];
  expect(errors.map(({ exitCode }) => exitCode)).toEqual([2, 2, 4, 2, 2, 1]);
});
