/** What an operator wrote, an operator can mend: the compiler wants the remedy of such an error. */
import { expect, it } from 'vitest';
import { type ErrorCode, SluiceError } from '../../../src/base/errors.js';

it('an error of usage or configuration names its remedy, or passes on that there is none', () => {
  const code = 'usage' as ErrorCode;
  const errors = [
    // @ts-expect-error no remedy
    new SluiceError('usage', 'unknown option'),
    // @ts-expect-error no remedy
    new SluiceError('configuration', 'too short', { subject: 'limits.keyDownMs' }),
    // @ts-expect-error perhaps one of these two
    new SluiceError(code, 'as another process said it', { subject: 'a' }),
    new SluiceError(code, 'as another process said it', { remedy: undefined }),
    new SluiceError('system', 'the disk is full'),
  ];
  expect(errors.map(({ exitCode }) => exitCode)).toEqual([2, 2, 2, 2, 1]);
});
