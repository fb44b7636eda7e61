/**
 * Who tells a line that its tty can be read or written: the addon where there is one, else serialport's poller, which watches
 * for one event at a time and is told again after each; that is two system calls and another turn of the event loop each time.
 */
import type { SerialPortHandle } from './serialport-handle.js';
import type { TtyExtras } from './tty-settings.js';

// libuv's uv_poll_event.
export const READABLE = 1;
export const WRITABLE = 2;

export interface PortWatch {
  /** READABLE, WRITABLE or both, from now on. @throws when the device is gone */
  watch(events: number): void;
  /** To be called before the port is closed. Idempotent. */
  close(): void;
}

/** @param ready hears of the events that have come, of both where it is not known: the calls that follow tell */
export function watchPort(
  port: SerialPortHandle,
  fd: number,
  extras: TtyExtras | undefined,
  ready: (events: number) => void,
): PortWatch {
  return extras?.watch === undefined ? pollerWatch(port, ready) : extrasWatch(extras.watch, fd, ready);
}

function extrasWatch(open: NonNullable<TtyExtras['watch']>, fd: number, ready: (events: number) => void): PortWatch {
  let watched = 0;
  const handle = open(fd, (events) => {
    // Without events the watch has failed, and goes on only when it is told to.
    if (events === 0) watched = 0;
    ready(events === 0 ? READABLE | WRITABLE : events);
  });
  return {
    watch: (events) => {
      if (events === watched) return;
      handle.watch(events);
      watched = events;
    },
    close: () => handle.close(),
  };
}

/**
 * serialport's poller calls from outside of Node's own callbacks: the work waits for the check phase, right after, where
 * thrown errors and promises are treated as everywhere.
 */
function pollerWatch(port: SerialPortHandle, ready: (events: number) => void): PortWatch {
  const { poller } = port;
  let pending = false;
  const wake = (): void => {
    if (pending) return;
    pending = true;
    setImmediate(() => {
      pending = false;
      ready(READABLE | WRITABLE);
    });
  };
  poller.on('readable', wake);
  poller.on('writable', wake);
  return {
    watch: (events) => poller.poll(events),
    close: () => {
      poller.removeAllListeners();
      poller.stop();
    },
  };
}
