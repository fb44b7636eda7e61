/**
 * `node ethernet-peer.js LINE ADDRESS/LEN`: a peer that is no sluice, made from a description of what others put on the
 * line: bare Ethernet frames without FCS, each a KISS data frame. Its KISS is its own. Prints "ready".
 */
import { NetlinkSocket } from '../../src/native/addon.js';
import { RouteNetlink } from '../../src/netlink/route-netlink.js';
import { setUpLink } from '../../src/tap/link-setup.js';
import { LinuxTap } from '../../src/tap/linux-tap.js';
import { ttyLine } from '../contract/pty-bench.js';

const [FEND, FESC, TFEND, TFESC] = [0xc0, 0xdb, 0xdc, 0xdd];
const LEAST_BYTES = 14;
const MTU_BYTES = 1280;

const [path = '', address = ''] = process.argv.slice(2);
const tap = new LinuxTap({ name: 'peer0' });
const netlink = new RouteNetlink(new NetlinkSocket(0));
setUpLink(netlink, tap, { mtuBytes: MTU_BYTES, mac: Uint8Array.of(2, 0, 0, 0xbe, 0xef, 1), addresses: [address] });

const line = ttyLine(path);
let frame: number[] = [];
let escaped = false;
await line.open({
  data: (octets) => {
    for (const octet of octets) {
      if (octet === FEND) {
        // Any port will do; other commands than data are not for us.
        if (frame.length > LEAST_BYTES && ((frame[0] ?? 0) & 0x0f) === 0) tap.write(Uint8Array.from(frame.slice(1)));
        frame = [];
        escaped = false;
      } else if (escaped) {
        frame.push(octet === TFEND ? FEND : octet === TFESC ? FESC : octet);
        escaped = false;
      } else if (octet === FESC) escaped = true;
      else frame.push(octet);
    }
  },
  lost: () => process.exit(1),
});

function send(): void {
  for (let out = tap.read(); out !== null; out = tap.read()) {
    const octets = [FEND, 0x00];
    for (const octet of out) {
      if (octet === FEND) octets.push(FESC, TFEND);
      else if (octet === FESC) octets.push(FESC, TFESC);
      else octets.push(octet);
    }
    line.write(Uint8Array.from([...octets, FEND]));
  }
  tap.onceReadable(send);
}
send();
process.stdout.write('ready\n');
