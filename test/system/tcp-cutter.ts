/**
 * `node tcp-cutter.js PORT CYCLES MS`: a serial server that takes what comes, says something itself, and cuts each
 * connection after a while, by a reset and by an orderly end in turn. The last one stays. Prints each cut. Ends with
 * its parent, whose end of the pipe to its standard input closes then.
 */
import net from 'node:net';

const [port = 0, cycles = 0, ms = 100] = process.argv.slice(2).map(Number);
const CHATTER_MS = 10;
let cuts = 0;
let bytes = 0;

net
  .createServer((socket) => {
    const chatter = setInterval(() => socket.write(Uint8Array.of(0xc0, 1, 2, 3, 0xc0)), CHATTER_MS);
    socket.on('error', () => undefined);
    socket.on('close', () => clearInterval(chatter));
    socket.on('data', (octets) => {
      bytes += octets.length;
    });
    if (cuts >= cycles) return;
    setTimeout(() => {
      cuts++;
      if (cuts % 2 === 0) socket.destroy();
      else socket.resetAndDestroy();
      process.stdout.write(`${cuts} ${bytes}\n`);
    }, ms);
  })
  .listen(port, '127.0.0.1', () => process.stdout.write('listening\n'));

process.stdin.resume().on('close', () => process.exit());
