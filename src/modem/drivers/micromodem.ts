/**
 * The WHOI Micro-Modem 1 and 2 (facts from goby3 and pyacomms): NMEA sentences; packets of a rate's frames by cycle
 * (CCCYC, then data as the modem asks for it), or the Micro-Modem 2's flexible data packets (CCTDP). CARXP and CACST
 * frame what it hears, CATXF ends what it sends. Everything goes to the broadcast address, without the modem's own
 * acknowledgement.
 *
 * The modem may hand over frames padded to the rate's length, and old firmware wants an even number of octets: a link
 * frame goes behind a count of its octets.
 */
import type { Decoder } from '../../framing/codec.js';
import { encodeNmea, nmeaDecoder } from '../../framing/nmea.js';
import type { PhyCapabilities, PhyTiming } from '../../mac/phy.js';
import { type AirtimePoint, tableAirtimeUs } from '../airtime.js';
import type { DriverOptions } from '../driver.js';
import { defineDriver } from '../driver-definition.js';
import { maxFrameBytes, rateBps } from '../link-timing.js';
import type { Profile } from '../profile-schema.js';
import { type MicromodemSettings, micromodemDriver } from '../settings/acoustic.js';
import { AcousticDriver, addressOf, type Exchange, judgeBy, octetsOf } from './acoustic-driver.js';
import { chunksOf, countedFrame, countOctets, flexibleData, fromHex, Reassembly, toHex } from './micromodem-data.js';

/** Frames of each rate (goby3, doc103 and mm_driver). */
export const MICROMODEM_RATES: readonly { readonly frames: number; readonly bytes: number }[] = [
  { frames: 1, bytes: 32 },
  { frames: 3, bytes: 64 },
  { frames: 3, bytes: 64 },
  { frames: 2, bytes: 256 },
  { frames: 2, bytes: 256 },
  { frames: 8, bytes: 256 },
  { frames: 6, bytes: 32 },
];
/** FSK: a packet of its own announces the cycle. */
const FSK_RATE = 0;
const MAX_SENTENCE_BYTES = 5000;
/** `$CCCYC,0,127,127,0,0,8*hh` and the modem's echo, with their ends. */
const CYCLE_BYTES = 28;
/** `$CADRQ,hhmmss,127,127,0,256,8*hh` and `$CCTXD,127,127,0,*hh`. */
const REQUEST_BYTES = 36;
const DATA_BYTES = 22;
/** `$CARXP,0*hh`. */
const RXP_BYTES = 13;
/** What the modem may take for a report beyond the airtime. */
const REPORT_MARGIN_US = 5_000_000;
/** From the end of a cycle's announcement to its data packet, at most: own estimate. */
const ANNOUNCED_US = 3_000_000;
/** Packet type of a CACST: an FSK minipacket, which announces a cycle. */
const MINIPACKET = '2';
/** Where CACST has its packet type; version 6 has version and date in front. */
const CST_TYPE_FIELD = 17;
const CST_6_FIELDS = 2;

interface Sending {
  readonly chunks: readonly Uint8Array[];
  /** How many chunks the modem has. */
  given: number;
}

function rateOf({ rate }: MicromodemSettings): { readonly frames: number; readonly bytes: number } {
  return MICROMODEM_RATES[rate] ?? { frames: 1, bytes: 32 };
}

export class MicromodemDriver extends AcousticDriver {
  readonly capabilities: PhyCapabilities;
  readonly timing: PhyTiming;
  protected readonly decoder: Decoder;
  readonly #settings: MicromodemSettings;
  readonly #address: number;
  readonly #chunkBytes: number;
  readonly #countBytes: number;
  readonly #reassembly: Reassembly;
  #sending: Sending | undefined;

  constructor(profile: Profile, settings: MicromodemSettings, options: DriverOptions) {
    super(profile, settings, options);
    const { air } = profile;
    this.#settings = settings;
    this.#address = addressOf(profile, settings.address) ?? 1;
    const isFlexible = settings.protocol === 'fdp';
    const rate = rateOf(settings);
    this.#chunkBytes = isFlexible ? settings.maxFrameBytes + 2 : rate.bytes;
    const roomBytes = isFlexible ? this.#chunkBytes : rate.frames * rate.bytes;
    this.#countBytes = countOctets(roomBytes);
    this.capabilities = {
      channelAccess: profile.mac.channelAccess,
      duplex: air.duplex,
      carrierSense: 'reported',
      sentReport: 'on-air',
      checksIntegrity: true,
      maxFrameBytes: maxFrameBytes(profile),
    };
    const announceUs = !isFlexible && settings.rate === FSK_RATE ? settings.announceMs * 1000 : 0;
    const headUs = announceUs + settings.overheadMs * 1000;
    const octetUs = 8e6 / rateBps(profile);
    const frameUs = settings.frameMs === 'auto' ? this.#chunkBytes * octetUs : settings.frameMs * 1000;
    // Cycles send whole frames of the rate, flexible packets what they have.
    const points: readonly AirtimePoint[] = isFlexible
      ? [0, roomBytes].map((octets) => ({ octets, airtimeUs: headUs + octets * octetUs }))
      : Array.from({ length: rate.frames }, (_, i) => ({
          octets: (i + 1) * rate.bytes,
          airtimeUs: headUs + (i + 1) * frameUs,
        }));
    const wholeBytes = (frameBytes: number): number => {
      const bytes = frameBytes + this.#countBytes;
      return isFlexible ? bytes : Math.ceil(bytes / rate.bytes) * rate.bytes;
    };
    // With PSK the modem has all its data before the signal starts.
    const longest = wholeBytes(this.capabilities.maxFrameBytes);
    const dialogueBytes = isFlexible
      ? CYCLE_BYTES + 2 * longest
      : 2 * CYCLE_BYTES + rate.frames * (REQUEST_BYTES + DATA_BYTES + 2 * rate.bytes);
    this.timing = {
      airtimeUs: (frameBytes) => tableAirtimeUs(points, wholeBytes(frameBytes)),
      turnaroundUs: Math.ceil(dialogueBytes * this.lineOctetUs + air.turnaroundUs),
      carrierDetectUs:
        air.carrierDetectUs === 'auto'
          ? Math.ceil(settings.detectMs * 1000 + RXP_BYTES * this.lineOctetUs)
          : air.carrierDetectUs,
      propagationUs: air.propagationUs,
      hostLatencyUs: this.hostLatencyUs,
    };
    this.decoder = nmeaDecoder(
      { maxTextBytes: MAX_SENTENCE_BYTES },
      {
        sentence: (text) => this.message(text),
        discard: (cause, octets) => this.discard(cause, octets),
      },
    );
    this.#reassembly = new Reassembly(this.#countBytes, (frame) => this.deliver(frame, {}));
  }

  protected preparation(): readonly Exchange[] {
    const set = (key: string, value: number): Exchange => ({
      send: encodeNmea(`CCCFG,${key},${value}`),
      judge: judgeBy([new RegExp(`^CACFG,${key},${value}$`), 'ok']),
    });
    return [
      // What a former user left unfinished ends with its line.
      {
        send: octetsOf(`\r\n${String.fromCharCode(...encodeNmea('CCCFQ,SRC'))}`),
        judge: judgeBy([/^CACFG,SRC,/, 'ok']),
      },
      set('SRC', this.#address),
      set('CST', 1),
      set('RXP', 1),
      set('TXP', 1),
      set('TXF', 1),
      set('REV', 1),
    ];
  }

  protected begin(frame: Uint8Array): void {
    const { protocol, rate, broadcast } = this.#settings;
    const counted = countedFrame(frame, this.#countBytes, protocol === 'fdp');
    const chunks = chunksOf(counted, this.#chunkBytes);
    const [command, judge] =
      protocol === 'fdp'
        ? [`CCTDP,${broadcast},${rate},0,0,${toHex(counted)}`, judgeFlexible]
        : [`CCCYC,0,${this.#address},${broadcast},${rate},0,${chunks.length}`, this.#judgeCycle];
    this.#sending = { chunks, given: protocol === 'fdp' ? chunks.length : 0 };
    this.exchange({ send: encodeNmea(command), judge, tries: 1 }, (verdict) => {
      if (verdict === 'silent') this.restart();
      else if (verdict !== 'ok') this.#over('refused');
      else {
        const { airtimeUs, turnaroundUs } = this.timing;
        const latestUs = this.scheduler.nowUs() + turnaroundUs + airtimeUs(frame.length) + REPORT_MARGIN_US;
        this.reportAt(latestUs, () => this.restart());
      }
    });
  }

  protected override stopped(): void {
    this.#sending = undefined;
    this.#reassembly.reset();
  }

  protected report(message: string): void {
    const fields = message.split(',');
    switch (fields[0]) {
      case 'CADRQ':
        this.#dataRequest(fields);
        return;
      case 'CATXF':
        // The announcement of a cycle ends in one too, before any data was given.
        if (this.#sending !== undefined && this.#sending.given >= this.#sending.chunks.length) this.#over('sent');
        return;
      case 'CAERR':
        if (fields.at(-1)?.includes('TIMEOUT') === true) this.#over('refused');
        return;
      case 'CAREV':
        if (fields[2] === 'INIT') this.restart();
        return;
      case 'CARXP':
        this.carrierStarts(this.timing.airtimeUs(this.capabilities.maxFrameBytes) + REPORT_MARGIN_US);
        return;
      case 'CARXD':
        this.#reassembly.add(Number(fields[4]), fromHex(fields[5] ?? ''));
        return;
      case 'CARDP':
        this.#flexibleReceived(fields[6] ?? '', fields[7] ?? '');
        return;
      case 'CAMSG':
        if (this.#reassembly.reset() || fields[1] === 'BAD_CRC') this.discard('check', message.length);
        return;
      case 'CACST':
        this.#packetEnded(fields);
        return;
      // Heartbeats, echoes, statistics, ranging.
      default:
    }
  }

  /** The modem asks for data; what it asks for a cycle of others, or a forgotten one, is nothing. */
  #dataRequest([, , source = '', destination = '', , , frame = '']: readonly string[]): void {
    const sending = this.#sending;
    const index = Number(frame) - 1;
    const chunk = sending?.chunks[index];
    if (sending !== undefined && chunk !== undefined) sending.given = Math.max(sending.given, index + 1);
    this.write(encodeNmea(`CCTXD,${source},${destination},0,${chunk === undefined ? '' : toHex(chunk)}`));
  }

  #packetEnded(fields: readonly string[]): void {
    const type = fields[(fields[1] === '6' ? CST_6_FIELDS : 0) + CST_TYPE_FIELD];
    if (type === MINIPACKET) {
      // The data packet that it announced comes next, and belongs to the same signal.
      if (this.senseBusy()) this.carrierStarts(ANNOUNCED_US);
      return;
    }
    const lost = this.#reassembly.reset();
    if (lost) this.discard('aborted', this.#chunkBytes);
    this.carrierEnds();
  }

  #flexibleReceived(mini: string, data: string): void {
    const octets = flexibleData(mini, data);
    if (octets === undefined) this.discard('check', mini.length + data.length);
    else {
      this.#reassembly.reset();
      this.#reassembly.add(1, octets);
      if (this.#reassembly.reset()) this.discard('malformed', octets.length);
    }
  }

  readonly #judgeCycle: Exchange['judge'] = (message) => {
    if (message.startsWith(`CACYC,0,${this.#address},`)) return 'ok';
    return message.startsWith('CAERR,') ? 'busy' : undefined;
  };

  #over(outcome: 'sent' | 'refused'): void {
    if (this.#sending === undefined) return;
    this.#sending = undefined;
    this.over(outcome);
  }
}

export const driver = defineDriver({
  settings: micromodemDriver,
  maxFrameBytes: (settings) => {
    if (settings.protocol === 'fdp') return settings.maxFrameBytes;
    const { frames, bytes } = rateOf(settings);
    return frames * bytes - countOctets(frames * bytes);
  },
  create: (profile, settings, options) => new MicromodemDriver(profile, settings, options),
});

/** `CATDP,error,...`: anything but 0 is taken for busy, which is tried again. */
const judgeFlexible = judgeBy([/^CATDP,0\b/, 'ok'], [/^CATDP,/, 'busy'], [/^CAERR,/, 'busy']);
