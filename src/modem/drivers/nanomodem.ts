/**
 * The Nanomodem v3 of Newcastle University (user guide and nm3-python-driver): commands begin with `$` and have no end,
 * so that each must come in one piece; broadcasts of 2 to 64 octets, reported as `#B`. It tells neither when a packet
 * has left nor when one arrives, and it gives no source with unicast: everything goes by broadcast, which has one.
 */
import type { Decoder } from '../../framing/codec.js';
import { countedLineSplitter } from '../../framing/counted-lines.js';
import type { PhyCapabilities, PhyTiming } from '../../mac/phy.js';
import { type AirtimePoint, tableAirtimeUs } from '../airtime.js';
import type { DriverOptions } from '../driver.js';
import { defineDriver } from '../driver-definition.js';
import { maxFrameBytes } from '../link-timing.js';
import type { Profile } from '../profile-schema.js';
import { type NanomodemSettings, nanomodemDriver } from '../settings/acoustic.js';
import { AcousticDriver, addressOf, type Exchange, judgeBy, octetsOf, textOf } from './acoustic-driver.js';

/** The least payload of a packet (user guide: 02 to 64). */
const MIN_PAYLOAD_BYTES = 2;
const MAX_PAYLOAD_BYTES = 64;
/** 0.105 + (n + 16) * 0.0125 s (nm3-python-driver). */
const AIRTIMES: readonly AirtimePoint[] = [MIN_PAYLOAD_BYTES, MAX_PAYLOAD_BYTES].map((octets) => ({
  octets,
  airtimeUs: 105_000 + (octets + 16) * 12_500,
}));
/** `$B` and two digits. */
const COMMAND_BYTES = 4;
/** `#B`, three digits of source, two of length; quality Q2, Doppler D5, time T14 with their letters, CR LF. */
const REPORT_BYTES = 7 + 3 + 6 + 15 + 2;
/** A command that stalls for 2 ms is answered with `E`; whatever a former user left is dead after this. */
const GUARD_US = 20_000;
const UNICAST_HEAD_BYTES = 4;
const BROADCAST_HEAD_BYTES = 7;

export class NanomodemDriver extends AcousticDriver {
  readonly capabilities: PhyCapabilities;
  readonly timing: PhyTiming;
  protected readonly decoder: Decoder;
  readonly #address: number | undefined;

  constructor(profile: Profile, settings: NanomodemSettings, options: DriverOptions) {
    super(profile, settings, options);
    const { air } = profile;
    this.#address = addressOf(profile, settings.address);
    this.capabilities = {
      channelAccess: profile.mac.channelAccess,
      duplex: air.duplex,
      carrierSense: 'none',
      sentReport: 'modelled',
      // Nothing is written about a check of its own.
      checksIntegrity: false,
      maxFrameBytes: maxFrameBytes(profile),
    };
    const longest = this.capabilities.maxFrameBytes;
    this.timing = {
      airtimeUs: (frameBytes) => tableAirtimeUs(AIRTIMES, frameBytes),
      turnaroundUs: Math.ceil((COMMAND_BYTES + longest) * this.lineOctetUs + air.turnaroundUs),
      // A packet is told when it has arrived whole, and a frame in progress is heard by nobody.
      carrierDetectUs:
        air.carrierDetectUs === 'auto'
          ? tableAirtimeUs(AIRTIMES, longest) + Math.ceil((REPORT_BYTES + longest) * this.lineOctetUs)
          : air.carrierDetectUs,
      propagationUs: air.propagationUs,
      hostLatencyUs: this.hostLatencyUs,
    };
    this.decoder = countedLineSplitter(
      { maxLineBytes: REPORT_BYTES + MAX_PAYLOAD_BYTES, dataEnd },
      {
        line: (octets) => this.message(textOf(octets)),
        discard: (cause, octets) => this.discard(cause, octets),
      },
    );
  }

  protected override fits(frame: Uint8Array): boolean {
    return frame.length >= MIN_PAYLOAD_BYTES && super.fits(frame);
  }

  protected preparation(): readonly Exchange[] {
    const query: Exchange = {
      send: octetsOf('$?'),
      // An `E` is the answer to what a former user left.
      judge: judgeBy([/^#A\d{3}V\d{5}/, 'ok'], [/^E$/, 'busy']),
      guardUs: GUARD_US,
    };
    if (this.#address === undefined) return [query];
    const digits = String(this.#address).padStart(3, '0');
    return [
      query,
      { send: octetsOf(`$A${digits}`), judge: judgeBy([new RegExp(`^#A${digits}$`), 'ok'], [/^E$/, 'busy']) },
    ];
  }

  protected begin(frame: Uint8Array): void {
    const count = String(frame.length).padStart(2, '0');
    const command = octetsOf(`$B${count}${textOf(frame)}`);
    const judge = judgeBy([new RegExp(`^\\$B${count}$`), 'ok'], [/^E$/, 'busy']);
    // Given once: a reply that was lost does not mean that nothing was sent.
    this.exchange({ send: command, judge, tries: 1 }, (verdict) => {
      if (verdict === 'silent') this.restart();
      else if (verdict !== 'ok') this.over('refused');
      // The reply's own line time is in it: the packet may start while the reply is under way.
      else this.reportAt(this.scheduler.nowUs() + this.timing.airtimeUs(frame.length), () => this.over('sent'));
    });
  }

  protected report(message: string): void {
    const broadcast = /^#B\d{3}(\d{2})/.exec(message);
    const unicast = /^#U(\d{2})/.exec(message);
    const count = Number(broadcast?.[1] ?? unicast?.[1] ?? 0);
    const head = broadcast === null ? UNICAST_HEAD_BYTES : BROADCAST_HEAD_BYTES;
    if (count < MIN_PAYLOAD_BYTES || message.length < head + count) {
      this.listener.discarded('rx-other', message.length);
      return;
    }
    this.deliver(octetsOf(message.slice(head, head + count)), {});
  }
}

export const driver = defineDriver({
  settings: nanomodemDriver,
  create: (profile, settings, options) => new NanomodemDriver(profile, settings, options),
});

/** Where the data of `#B` and `#U` ends. */
function dataEnd(beginning: Uint8Array): number | undefined {
  if (beginning.length !== BROADCAST_HEAD_BYTES && beginning.length !== UNICAST_HEAD_BYTES) return undefined;
  const head = textOf(beginning);
  const count = /^#B\d{3}(\d{2})$/.exec(head) ?? /^#U(\d{2})$/.exec(head);
  return count === null ? undefined : head.length + Number(count[1]);
}
