/** From the LINE of a command or configuration to the line that it names. */
import { SluiceError } from '../base/errors.js';
import type { Line } from './line.js';
import { SerialPortLine, type SerialPortLineParts } from './serialport-line.js';
import { TcpLine, type TcpLineParts } from './tcp-line.js';
import type { TtySettings } from './tty-settings.js';

export type LineTarget =
  | { readonly kind: 'tty'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/**
 * Reads a LINE: the absolute path of a tty, or `tcp://host:port` with an IPv6 address in brackets.
 * @throws SluiceError `usage`
 */
export function parseLine(line: string): LineTarget {
  if (line.startsWith('/') && !line.includes('\0')) return { kind: 'tty', path: line };
  const match = /^tcp:\/\/(?:\[([0-9a-fA-F:.]+(?:%[^\]\s]+)?)\]|([^\s:/[\]@?#]+)):(\d{1,5})$/.exec(line);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host !== undefined && port >= 1 && port <= 65_535) return { kind: 'tcp', host, port };
  throw new SluiceError('usage', `not a line: ${JSON.stringify(line)}`, {
    subject: line,
    remedy: 'Give the absolute path of a serial device, such as /dev/ttyUSB0, or tcp://host:port (port 1 to 65535).',
  });
}

/**
 * The line that `line` names, not yet open. `settings` are for ttys; a TCP connection has none.
 * @throws SluiceError `usage`
 */
export function createLine(line: string, settings: TtySettings, parts: SerialPortLineParts & TcpLineParts): Line {
  const target = parseLine(line);
  switch (target.kind) {
    case 'tty':
      return new SerialPortLine(target.path, settings, parts);
    case 'tcp':
      return new TcpLine(target.host, target.port, parts);
  }
}
