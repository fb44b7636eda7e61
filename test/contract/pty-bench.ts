/** A tty line on a real pty, whose master the test holds. */
import { Pty } from '../../src/native/addon.js';
import {
  inputBytes,
  lockExclusive,
  outputBytes,
  readOctets,
  setExclusive,
  watchDescriptor,
  writeOctets,
} from '../../src/native/descriptors.js';
import { SerialPortLine } from '../../src/serial/serialport-line.js';
import type { TtyExtras, TtySettings } from '../../src/serial/tty-settings.js';
import type { LineBench } from './line-contract.js';
import { timerScheduler } from './timer-scheduler.js';

export const ttyExtras: TtyExtras = {
  inputBytes,
  outputBytes,
  setExclusive,
  lockExclusive,
  read: readOctets,
  write: writeOctets,
  watch: watchDescriptor,
};

export const TTY_SETTINGS: TtySettings = {
  baudRate: 115_200,
  dataBits: 8,
  parity: 'none',
  stopBits: 1,
  flowControl: 'none',
  settleUs: 0,
};

export const ttyLine = (path: string, settings: Partial<TtySettings> = {}, extras: TtyExtras | undefined = ttyExtras) =>
  new SerialPortLine(
    path,
    { ...TTY_SETTINGS, ...settings },
    { scheduler: timerScheduler, ...(extras === undefined ? {} : { extras }) },
  );

export async function ptyBench(): Promise<LineBench & { readonly pty: Pty }> {
  const pty = new Pty();
  const chunks: Uint8Array[] = [];
  const buffer = new Uint8Array(65_536);
  let outgoing = new Uint8Array();
  let reading = true;
  let hungUp = false;

  const read = (): void => {
    if (hungUp || !reading) return;
    for (let bytes = pty.read(buffer); bytes > 0; bytes = pty.read(buffer)) chunks.push(buffer.slice(0, bytes));
    pty.arm(read);
  };
  const write = (): void => {
    if (hungUp || outgoing.length === 0) return;
    outgoing = outgoing.subarray(Math.max(0, pty.write(outgoing)));
    if (outgoing.length > 0) setTimeout(write, 1);
  };
  read();
  return {
    pty,
    line: ttyLine(pty.path),
    send: (octets) => {
      outgoing = Uint8Array.from([...outgoing, ...octets]);
      write();
    },
    received: () => Buffer.concat(chunks),
    receivedBytes: () => chunks.reduce((sum, chunk) => sum + chunk.length, 0),
    setReading: (value) => {
      reading = value;
      if (reading) read();
      else if (!hungUp) pty.disarm();
    },
    hangUp: () => {
      hungUp = true;
      pty.close();
    },
    dispose: async () => {
      hungUp = true;
      pty.close();
    },
  };
}
