/** A modem for MAC tests: takes frames, reports what the test tells it to; and a MAC on it. */

import { seededRandom } from '../../../src/base/random.js';
import { Mac } from '../../../src/mac/mac.js';
import type { Phy, PhyCapabilities, PhyListener, PhyTiming } from '../../../src/mac/phy.js';
import type { MacConfig, MacObserver, MacOptions } from '../../../src/mac/ports.js';
import type { VirtualTime } from '../../../src/sim/virtual-time.js';
import type { OutboundPacket } from '../../../src/wire/packet.js';

export class FakePhy implements Phy {
  capabilities: PhyCapabilities = {
    channelAccess: 'host',
    duplex: 'half',
    carrierSense: 'activity',
    sentReport: 'modelled',
    checksIntegrity: false,
    maxFrameBytes: 600,
  };
  timing: PhyTiming = {
    airtimeUs: (frameBytes) => frameBytes * 1000,
    turnaroundUs: 1000,
    carrierDetectUs: 1000,
    propagationUs: 0,
    hostLatencyUs: 2000,
  };
  readonly transmitted: { octets: Uint8Array; atUs: number }[] = [];
  sensed = false;
  /** Report `sent` by itself after the airtime. */
  automatic = true;
  #listener: PhyListener | undefined;
  readonly #time: VirtualTime;

  constructor(
    time: VirtualTime,
    overrides: Partial<{ capabilities: Partial<PhyCapabilities>; timing: Partial<PhyTiming> }> = {},
  ) {
    this.#time = time;
    this.capabilities = { ...this.capabilities, ...overrides.capabilities };
    this.timing = { ...this.timing, ...overrides.timing };
  }

  get listener(): PhyListener {
    if (this.#listener === undefined) throw new Error('nobody attached');
    return this.#listener;
  }

  attach(listener: PhyListener): void {
    this.#listener = listener;
  }

  transmit(octets: Uint8Array): void {
    this.transmitted.push({ octets, atUs: this.#time.nowUs() });
    if (!this.automatic) return;
    this.#time.at(this.#time.nowUs() + this.timing.airtimeUs(octets.length), () => this.listener.sent('sent'));
  }

  senseBusy(): boolean {
    return this.sensed;
  }

  /** One frame arrives from the air: carrier, octets, frame, silence. */
  hear(octets: Uint8Array): void {
    this.listener.carrier(true);
    this.#time.runFor(this.timing.airtimeUs(octets.length));
    this.listener.received(octets, {});
    this.listener.carrier(false);
  }
}

/** Writes down, in words, what a MAC tells its observer beside packets and drops. */
export function observed(events: string[]): Omit<MacObserver, 'deliver' | 'drop'> {
  return {
    neighbour: (neighbour) => void events.push(`neighbour ${neighbour.station}`),
    addressConflict: ({ type, destination, sequence }, { rssiDbm }) =>
      void events.push(`conflict ${type} to ${destination}, ${sequence}, ${rssiDbm} dBm`),
    stuckBusy: () => void events.push('stuck'),
    stuckBusyEnded: (busyForUs) => void events.push(`unstuck ${busyForUs}`),
    sentOverdue: (afterUs) => void events.push(`overdue ${afterUs}`),
    finished: () => void events.push('finished'),
  };
}

export interface MacParts {
  readonly config?: Partial<MacConfig>;
  readonly observer?: Partial<MacObserver>;
  readonly contention?: NonNullable<MacOptions['contention']>;
  idle?(): void;
}

/** Station 1, which takes its packets from `waiting`. */
export function macOn(time: VirtualTime, phy: FakePhy, waiting: OutboundPacket[], parts: MacParts = {}): Mac {
  const { config, observer, contention, idle = () => undefined } = parts;
  return new Mac({
    station: 1,
    phy,
    scheduler: time,
    random: seededRandom(1),
    source: { pull: () => waiting.shift() ?? null, idle },
    observer: { deliver: () => undefined, drop: () => undefined, ...observer },
    config: { linkFrames: true, fcsBytes: 4, arq: true, maxRetries: 3, deadlineUs: 60_000_000, ...config },
    ...(contention === undefined ? {} : { contention }),
  });
}
