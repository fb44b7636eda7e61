/**
 * Priority at the last moment, end to end: real sockets, real TAPs, a busy channel, and a modem beside that hears what
 * goes on the air, and in which order.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { readDatagram } from '../../src/daemon/station-datagrams.js';
import { addressOf, Neighbourhood, type Station } from '../../src/daemon/stations.js';
import { slipCodec } from '../../src/framing/slip.js';
import { decodeLinkFrame } from '../../src/wire/link-frame.js';

const SINK = 9;
const RATE_BPS = 9600;
/** One frame of the occupier is on the air for 1.2 s, in which everything else must happen. */
const MTU_BYTES = 1500;
const OCCUPYING_BYTES = 1400;
/** No two of these fit into one frame. */
const WAITING_BYTES = 800;
const FCS_BYTES = 4;
const IP_UDP_HEADERS_BYTES = 28;
const LOW_DELAY = 0x10;
const OCCUPYING = 7;
const LOW = 1;
const HIGH = 2;
const LOW_PACKETS = 3;
const PATIENCE_MS = 20_000;
const STEP_MS = 5;

/** What the modem beside hears: the streams of the packets, retries left out, in the order of the air. */
class AirListener {
  readonly streams: number[] = [];
  octets = 0;
  /** By station: the number of its last frame. A repetition bears the same one. */
  readonly #latest = new Map<number, number>();
  readonly #child: ChildProcess;

  constructor(port: string) {
    const decoder = slipCodec({ maxFrameBytes: 2 * MTU_BYTES }).decoder({
      frame: (octets) => this.#frame(octets),
      discard: () => undefined,
    });
    this.#child = spawn('sh', ['-c', 'stty raw -echo < "$0" && exec cat "$0"', port], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child.stdout?.on('data', (octets: Buffer) => {
      this.octets += octets.length;
      decoder.push(octets);
    });
  }

  close(): void {
    this.#child.kill();
  }

  #frame(octets: Uint8Array): void {
    const frame = decodeLinkFrame(octets, FCS_BYTES);
    if (typeof frame === 'string' || frame.type !== 'ip') return;
    if (this.#latest.get(frame.source) === frame.sequence) return;
    this.#latest.set(frame.source, frame.sequence);
    const datagram = readDatagram(frame.body.subarray(IP_UDP_HEADERS_BYTES), 0);
    if (datagram !== undefined) this.streams.push(datagram.stream);
  }
}

async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`timed out: ${what}`);
    await sleep(STEP_MS);
  }
}

async function send(from: Station, to: number, stream: number, payloadBytes: number, count = 1): Promise<void> {
  await from.call('pace', {
    to: { address: addressOf(to), port: SINK },
    streams: [{ stream, typeOfService: stream === HIGH ? LOW_DELAY : 0 }],
    payloadBytes,
    intervalUs: 1000,
    ticks: count,
  });
}

/**
 * While another station occupies the channel, three packets without hurry are sent on an idle bridge, then an urgent one.
 * The first of the three takes the credit that stands on an idle bridge: it is the one in hand.
 * @returns for each time how many of the three were on the air before the urgent one
 */
export async function urgentPackets(times: number): Promise<number[]> {
  const place = new Neighbourhood();
  let listener: AirListener | undefined;
  try {
    await place.startMedium(
      `rateBps: ${RATE_BPS}\nlineBaud: ${2 * RATE_BPS}\nstations:\n  - { id: 1 }\n  - { id: 2 }\n  - { id: 3 }\n`,
      1,
    );
    const [sender, occupier] = [await place.open(), await place.open()];
    for (const [index, station] of [sender, occupier].entries()) {
      await station.up({
        number: index + 1,
        profile: 'radio-9600',
        port: place.medium.port(index + 1),
        settings: [`link.mtuBytes=${MTU_BYTES}`],
      });
      await station.call('receive', { port: SINK });
    }
    const heard = new AirListener(place.medium.port(3));
    listener = heard;
    const before: number[] = [];
    while (before.length < times) {
      const from = heard.streams.length;
      const ofThisTime = (): number[] => heard.streams.slice(from);
      const octets = heard.octets;
      await send(occupier, 1, OCCUPYING, OCCUPYING_BYTES);
      await until(() => heard.octets > octets, 'the occupying frame on the air');
      await send(sender, 2, LOW, WAITING_BYTES, LOW_PACKETS);
      await send(sender, 2, HIGH, WAITING_BYTES);
      const inTime = ofThisTime().length === 0;
      await until(() => ofThisTime().length === LOW_PACKETS + 2, 'all packets on the air');
      // On a machine so busy that the channel was free before the urgent packet came, nothing was seen.
      if (inTime) before.push(ofThisTime().indexOf(HIGH) - 1);
      await sleep(300);
    }
    return before;
  } finally {
    listener?.close();
    await place.close();
  }
}
