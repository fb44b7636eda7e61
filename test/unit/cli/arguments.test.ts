/** Arguments that are refused, with what is allowed. */
import { Command, InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { between } from '../../../src/cli/arguments.js';
import { addStatus } from '../../../src/cli/status.js';
import { addTop } from '../../../src/cli/top.js';

function silent(): Command {
  return new Command('sluice').exitOverride().configureOutput({ writeErr: () => undefined });
}

describe('a number between two others', () => {
  it('is one of them or between them', () => {
    expect([between(5, 7)('5'), between(5, 7)('7')]).toEqual([5, 7]);
    for (const text of ['4', '8', '-5', '5.5', '']) expect(() => between(5, 7)(text)).toThrow(InvalidArgumentError);
  });
});

describe('looking without a pause is refused', () => {
  it.each([
    ['top', addTop, ['top', '--interval', '0']],
    ['top, too rarely', addTop, ['top', '--interval', '3601']],
    ['status', addStatus, ['status', '--watch', '0']],
  ] as const)('%s', async (_what, add, args) => {
    const root = silent();
    add(root);
    for (const command of root.commands) command.exitOverride().configureOutput({ writeErr: () => undefined });
    await expect(root.parseAsync(args, { from: 'user' })).rejects.toThrow(/expected 1 to 3600, got "\d+"/);
  });
});
