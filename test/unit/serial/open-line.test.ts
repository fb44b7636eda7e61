/** Which LINE names what, and which names nothing. */
import { describe, expect, it } from 'vitest';
import { isSluiceError } from '../../../src/base/errors.js';
import { createLine, parseLine } from '../../../src/serial/open-line.js';
import { SerialPortLine } from '../../../src/serial/serialport-line.js';
import { TcpLine } from '../../../src/serial/tcp-line.js';
import { TTY_SETTINGS } from '../../contract/pty-bench.js';
import { timerScheduler } from '../../contract/timer-scheduler.js';

describe('parseLine', () => {
  it.each([
    ['/dev/ttyUSB0', { kind: 'tty', path: '/dev/ttyUSB0' }],
    ['/dev/serial/by-id/usb-FTDI_FT232R:x', { kind: 'tty', path: '/dev/serial/by-id/usb-FTDI_FT232R:x' }],
    ['tcp://localhost:8001', { kind: 'tcp', host: 'localhost', port: 8001 }],
    ['tcp://192.0.2.7:1', { kind: 'tcp', host: '192.0.2.7', port: 1 }],
    ['tcp://[::1]:65535', { kind: 'tcp', host: '::1', port: 65_535 }],
    ['tcp://[fe80::1%eth0]:7000', { kind: 'tcp', host: 'fe80::1%eth0', port: 7000 }],
  ])('%s', (line, target) => {
    expect(parseLine(line)).toEqual(target);
  });

  it.each([
    '',
    'ttyUSB0',
    'COM3',
    '/dev/tty\0',
    'tcp://host',
    'tcp://host:',
    'tcp://:7',
    'tcp://host:0',
    'tcp://host:65536',
    'tcp://host:80x',
    'tcp://::1:80',
    'tcp://[::1]',
    'tcp://[host]:80',
    'tcp://a b:80',
    'tcp://user@host:80',
    'tcp://host:80/path',
    'udp://host:80',
  ])('refuses %j', (line) => {
    try {
      parseLine(line);
      expect.unreachable('it was accepted');
    } catch (failure) {
      if (!isSluiceError(failure, 'usage')) throw failure;
      expect(failure.exitCode).toBe(2);
      expect(failure.details.remedy).toMatch(/tcp:\/\/host:port/);
    }
  });
});

it('makes the line of the kind that the name says, with its path as given', () => {
  const parts = { scheduler: timerScheduler };
  const tty = createLine('/dev/ttyS99', TTY_SETTINGS, parts);
  expect(tty).toBeInstanceOf(SerialPortLine);
  expect(tty.path).toBe('/dev/ttyS99');
  const tcp = createLine('tcp://[::1]:7', TTY_SETTINGS, parts);
  expect(tcp).toBeInstanceOf(TcpLine);
  expect(tcp.path).toBe('tcp://[::1]:7');
});
