/** Messages as iproute2 6.1 sends them, caught with strace; what varies from run to run (sequence) is set to 0. */

function octets(text: string): Uint8Array {
  return Uint8Array.from(text.trim().split(/\s+/), (pair) => Number.parseInt(pair, 16));
}

/** tc qdisc replace dev t0 root handle 1: tbf rate 64bit burst 1514 limit 1000; without the last 1024 octets. */
export const TBF_REPLACE_HEAD = octets(`
  64 04 00 00 24 00 05 05  00 00 00 00 00 00 00 00  00 00 00 00 02 00 00 00  00 00 01 00 ff ff ff ff
  00 00 00 00 08 00 01 00  74 62 66 00 38 04 02 00  28 00 01 00 03 01 00 00  ff ff 00 00 08 00 00 00
  00 00 00 00 00 00 00 00  00 00 00 00 e8 03 00 00  52 b7 40 b0 00 00 00 00  08 00 06 00 ea 05 00 00
  04 04 02 00 28 6b ee 00  50 d6 dc 01 78 41 cb 02`);

/** tc qdisc replace dev t0 root handle 10: pfifo limit 500 */
export const PFIFO_REPLACE = octets(`
  38 00 00 00 24 00 05 05  00 00 00 00 00 00 00 00  00 00 00 00 02 00 00 00  00 00 10 00 ff ff ff ff
  00 00 00 00 0a 00 01 00  70 66 69 66 6f 00 00 00  08 00 02 00 f4 01 00 00`);

/** tc qdisc replace dev t0 parent 1:1 pfifo_fast */
export const PFIFO_FAST_REPLACE = octets(`
  34 00 00 00 24 00 05 05  00 00 00 00 00 00 00 00  00 00 00 00 02 00 00 00  00 00 00 00 01 00 01 00
  00 00 00 00 0f 00 01 00  70 66 69 66 6f 5f 66 61  73 74 00 00`);

/** tc qdisc replace dev t0 root handle 20: prio; tc appends an empty nested attribute, 04 00 02 00, which we do not. */
export const PRIO_REPLACE = octets(`
  48 00 00 00 24 00 05 05  00 00 00 00 00 00 00 00  00 00 00 00 02 00 00 00  00 00 20 00 ff ff ff ff
  00 00 00 00 09 00 01 00  70 72 69 6f 00 00 00 00  18 00 02 00 03 00 00 00  01 02 02 02 01 02 00 00
  01 01 01 01 01 01 01 01`);

/** tc qdisc replace dev t0 root handle 30: fq_codel limit 1000 target 500ms interval 5000ms ecn */
export const FQ_CODEL_REPLACE = octets(`
  58 00 00 00 24 00 05 05  00 00 00 00 00 00 00 00  00 00 00 00 02 00 00 00  00 00 30 00 ff ff ff ff
  00 00 00 00 0d 00 01 00  66 71 5f 63 6f 64 65 6c  00 00 00 00 24 00 02 00  08 00 02 00 e8 03 00 00
  08 00 03 00 40 4b 4c 00  08 00 01 00 20 a1 07 00  08 00 04 00 01 00 00 00`);

/** tc qdisc replace dev t0 root handle 40: cake rtt 5000ms, without the diffserv mode that the capture also named. */
export const CAKE_REPLACE = octets(`
  44 00 00 00 24 00 05 05  00 00 00 00 00 00 00 00  00 00 00 00 02 00 00 00  00 00 40 00 ff ff ff ff
  00 00 00 00 09 00 01 00  63 61 6b 65 00 00 00 00  14 00 02 00 08 00 07 00  40 4b 4c 00 08 00 08 00
  90 d0 03 00`);

/** tc qdisc del dev t0 root */
export const QDISC_DELETE_ROOT = octets(`
  24 00 00 00 25 00 05 00  00 00 00 00 00 00 00 00  00 00 00 00 02 00 00 00  00 00 00 00 ff ff ff ff
  00 00 00 00`);

/** ip link set t0 up */
export const LINK_UP = octets(`
  20 00 00 00 10 00 05 00  00 00 00 00 00 00 00 00  00 00 00 00 02 00 00 00  01 00 00 00 01 00 00 00`);

/** ip link set t0 down */
export const LINK_DOWN = octets(`
  20 00 00 00 10 00 05 00  00 00 00 00 00 00 00 00  00 00 00 00 02 00 00 00  00 00 00 00 01 00 00 00`);

/** ip link set t0 mtu 576 */
export const LINK_MTU = octets(`
  28 00 00 00 10 00 05 00  00 00 00 00 00 00 00 00  00 00 00 00 02 00 00 00  00 00 00 00 00 00 00 00
  08 00 04 00 40 02 00 00`);

/** ip link set t0 txqueuelen 1000 */
export const LINK_TXQUEUELEN = octets(`
  28 00 00 00 10 00 05 00  00 00 00 00 00 00 00 00  00 00 00 00 02 00 00 00  00 00 00 00 00 00 00 00
  08 00 0d 00 e8 03 00 00`);

/** ip link set t0 address 02:00:00:00:00:05 */
export const LINK_MAC = octets(`
  2c 00 00 00 10 00 05 00  00 00 00 00 00 00 00 00  00 00 00 00 02 00 00 00  00 00 00 00 00 00 00 00
  0a 00 01 00 02 00 00 00  00 05 00 00`);

/** ip addr add 10.0.0.1/24 broadcast 10.0.0.255 dev t0; the flags are those of `ip addr replace`. */
export const ADDRESS_IPV4 = octets(`
  30 00 00 00 14 00 05 05  00 00 00 00 00 00 00 00  02 18 00 00 02 00 00 00  08 00 02 00 0a 00 00 01
  08 00 04 00 0a 00 00 ff  08 00 01 00 0a 00 00 01`);

/** ip addr add fd00::1/64 nodad dev t0; nodad as the eight bits of ifa_flags and the flags of `replace`. */
export const ADDRESS_IPV6 = octets(`
  40 00 00 00 14 00 05 05  00 00 00 00 00 00 00 00  0a 40 02 00 02 00 00 00  14 00 02 00 fd 00 00 00
  00 00 00 00 00 00 00 00  00 00 00 01 14 00 01 00  fd 00 00 00 00 00 00 00  00 00 00 00 00 00 00 01`);

/** ip neigh replace 10.0.0.2 lladdr 02:00:00:00:00:02 dev t0 nud permanent */
export const NEIGHBOUR = octets(`
  30 00 00 00 1c 00 05 05  00 00 00 00 00 00 00 00  02 00 00 00 02 00 00 00  80 00 00 00 08 00 01 00
  0a 00 00 02 0a 00 02 00  02 00 00 00 00 02 00 00`);
