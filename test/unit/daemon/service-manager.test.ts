/** What a service manager is told, and what its environment means (sd_notify(3), sd_listen_fds(3), sd_watchdog_enabled(3)). */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ServiceManager, storedQueue, watchdogIntervalMs } from '../../../src/daemon/service-manager.js';

const PID = 77;

afterEach(() => void vi.useRealTimers());

describe('the environment', () => {
  it.each([
    [{ LISTEN_PID: '77', LISTEN_FDS: '1', LISTEN_FDNAMES: 'tap' }, 3],
    [{ LISTEN_PID: '77', LISTEN_FDS: '2', LISTEN_FDNAMES: 'stored:tap' }, 4],
    [{ LISTEN_PID: '77', LISTEN_FDS: '1', LISTEN_FDNAMES: 'stored:tap' }, null],
    [{ LISTEN_PID: '77', LISTEN_FDS: '1', LISTEN_FDNAMES: 'stored' }, null],
    [{ LISTEN_PID: '78', LISTEN_FDS: '1', LISTEN_FDNAMES: 'tap' }, null],
    [{ LISTEN_FDS: '1', LISTEN_FDNAMES: 'tap' }, null],
    [{}, null],
  ])('%j: the queue is descriptor %j', (environment, fd) => {
    expect(storedQueue(environment, PID)).toBe(fd);
  });

  it.each([
    [{ WATCHDOG_USEC: '3000000' }, 1500],
    [{ WATCHDOG_USEC: '3000000', WATCHDOG_PID: '77' }, 1500],
    [{ WATCHDOG_USEC: '3000000', WATCHDOG_PID: '78' }, null],
    [{ WATCHDOG_USEC: 'x' }, null],
    [{ WATCHDOG_USEC: '0' }, null],
    [{}, null],
  ])('%j: a sign of life every %j ms', (environment, ms) => {
    expect(watchdogIntervalMs(environment, PID)).toBe(ms);
  });

  it.each([
    [{}, false],
    [{ NOTIFY_SOCKET: '/run/n' }, true],
    [{ NOTIFY_SOCKET: '/run/n', FDSTORE: '0' }, false],
    [{ NOTIFY_SOCKET: '/run/n', FDSTORE: '2' }, true],
  ])('%j: descriptors are stored: %j', (environment, stores) => {
    expect(new ServiceManager(environment, PID, () => 0).stores).toBe(stores);
  });
});

describe('ServiceManager', () => {
  it('tells what happens, the queue with its descriptor, and that it lives until it is closed', () => {
    vi.useFakeTimers();
    const told: [string, string, readonly number[] | undefined][] = [];
    const environment = { NOTIFY_SOCKET: '@manager', WATCHDOG_USEC: '2000000' };
    const manager = new ServiceManager(environment, PID, (path, text, descriptors) => {
      told.push([path, text, descriptors]);
      return 0;
    });
    manager.store(9);
    vi.advanceTimersByTime(5000);
    manager.ready('on a line');
    vi.advanceTimersByTime(2100);
    manager.stopping();
    manager.forgetQueue();
    manager.close();
    vi.advanceTimersByTime(5000);
    expect(told).toEqual([
      ['@manager', 'FDSTORE=1\nFDNAME=tap', [9]],
      ['@manager', 'READY=1\nSTATUS=on a line', []],
      ['@manager', 'WATCHDOG=1', []],
      ['@manager', 'WATCHDOG=1', []],
      ['@manager', 'STOPPING=1', []],
      ['@manager', 'FDSTOREREMOVE=1\nFDNAME=tap', []],
    ]);
  });

  it('says nothing where there is none', () => {
    const manager = new ServiceManager({}, PID, () => {
      throw new Error('told');
    });
    manager.store(9);
    manager.ready('');
    manager.stopping();
    manager.close();
  });
});
