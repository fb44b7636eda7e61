/** What the daemon writes to a KISS TNC for one small packet: read at the other end of the line, octet by octet. */
import { openPtyPort } from '../../src/daemon/pty-port.js';
import { addressOf, Neighbourhood } from '../../src/daemon/stations.js';

/** The KISS TNC (Chepponis, Karn, 1987) */
const FEND = 0xc0;
const FESC = 0xdb;
const DATA_FRAME = 0;
const PATIENCE_MS = 15_000;

export interface KissOctets {
  /** From FEND to FEND, both included. */
  readonly lineOctets: number;
  /** What the TNC puts on the air, its own framing aside: without FENDs, command octet and escapes. */
  readonly airOctets: number;
  readonly escapes: number;
}

/** The first data frame of a run of octets; undefined as long as it is not whole. */
function firstDataFrame(octets: readonly number[]): readonly number[] | undefined {
  let start = octets.indexOf(FEND);
  while (start >= 0) {
    const end = octets.indexOf(FEND, start + 1);
    if (end < 0) return undefined;
    const command = octets[start + 1] ?? FEND;
    if (end > start + 1 && (command & 0x0f) === DATA_FRAME) return octets.slice(start, end + 1);
    start = end;
  }
  return undefined;
}

/** @param payloadBytes of UDP over IPv4, from station 1 to station 2 */
export async function kissOctets(payloadBytes: number): Promise<KissOctets> {
  const place = new Neighbourhood();
  const modem = openPtyPort();
  const heard: number[] = [];
  modem.onData((octets) => heard.push(...octets));
  try {
    const station = await place.open();
    await station.up({ number: 1, profile: 'kiss-9600', port: modem.slavePath });
    await station.call('pace', {
      to: { address: addressOf(2), port: 9 },
      streams: [{ stream: 1, typeOfService: 0 }],
      payloadBytes,
      intervalUs: 0,
      ticks: 1,
    });
    const deadlineMs = Date.now() + PATIENCE_MS;
    let frame = firstDataFrame(heard);
    while (frame === undefined) {
      if (Date.now() > deadlineMs) throw new Error('no data frame came to the line');
      await new Promise((resolve) => setTimeout(resolve, 20));
      frame = firstDataFrame(heard);
    }
    const escapes = frame.filter((octet) => octet === FESC).length;
    return { lineOctets: frame.length, airOctets: frame.length - 3 - escapes, escapes };
  } finally {
    await place.close();
    modem.close();
  }
}
