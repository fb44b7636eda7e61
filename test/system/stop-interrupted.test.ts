/** Who interrupts a bridge that is stopping, in the middle of a long transmission, is obeyed at once. */
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { unshareNetwork } from '../../src/native/descriptors.js';
import { Daemon, Modem, Sender } from './daemon-support.js';
import { nextTurns } from './native-support.js';

/** A packet of 1000 octets takes 33 s. */
const SLOW = ['line.baudRate=300'];
const SECOND_INTERRUPT_MS = 800;

let modem: Modem;
let daemon: Daemon;

beforeAll(() => unshareNetwork());
beforeEach(async () => {
  modem = new Modem();
  daemon = await Daemon.start({ modem, name: 'stop0', settings: SLOW });
  const sender = new Sender();
  sender.sendMany(1, 1000);
  await daemon.until(({ mac }) => mac.state === 'transmitting', 'a transmission');
  sender.close();
});
afterEach(async () => {
  await daemon.kill();
  modem.close();
});

it('ends with exit code 130, and says what that costs', async () => {
  daemon.signal('SIGINT');
  await nextTurns(SECOND_INTERRUPT_MS);
  expect(daemon.process.exitCode).toBeNull();
  daemon.signal('SIGINT');
  expect(await daemon.exit()).toBe(130);
  expect(daemon.stderr).toContain('what was in hand is lost');
});

it('takes an interrupt that comes twice at once, as npx passes it on, and a SIGTERM after it, for one', async () => {
  daemon.signal('SIGINT');
  daemon.signal('SIGINT');
  await nextTurns(SECOND_INTERRUPT_MS);
  daemon.signal('SIGTERM');
  await nextTurns(SECOND_INTERRUPT_MS);
  expect(daemon.process.exitCode).toBeNull();
});
