/** A driver on a bench: a line that only remembers, a listener that writes down what it is told, and virtual time. */
import type { DropCause } from '../../../../src/base/drops.js';
import type { PhyListener } from '../../../../src/mac/phy.js';
import { mergeConfiguration, parseSetting } from '../../../../src/modem/configuration.js';
import type { ModemDriver } from '../../../../src/modem/driver.js';
import { createDriver } from '../../../../src/modem/drivers/registry.js';
import type { Line, LineStatistics } from '../../../../src/serial/line.js';
import { VirtualTime } from '../../../../src/sim/virtual-time.js';

export class FakeLine implements Line {
  readonly path = '/dev/fake';
  readonly statistics: LineStatistics = { bytesIn: 0, bytesOut: 0, bytesDropped: 0 };
  readonly written: Uint8Array[] = [];
  unwrittenBytes = 0;
  pending = 0;
  async open(): Promise<void> {}
  async close(): Promise<void> {}
  write(octets: Uint8Array): void {
    this.written.push(octets);
  }
  pendingInputBytes(): number {
    return this.pending;
  }
  hex(): string[] {
    return this.written.map((octets) => Buffer.from(octets).toString('hex'));
  }
}

/** What a listener was told, as text with the virtual time in front. */
export class Diary implements PhyListener {
  readonly entries: string[] = [];
  readonly #time: VirtualTime;
  /** Runs inside `received`, as the MAC does when it answers. */
  onReceived: (() => void) | undefined;
  /** What it says of the frames that it receives. */
  whole = true;
  onSent: (() => void) | undefined;

  constructor(time: VirtualTime) {
    this.#time = time;
  }
  #note(text: string): void {
    this.entries.push(`${this.#time.nowUs()} ${text}`);
  }
  carrier(busy: boolean): void {
    this.#note(busy ? 'busy' : 'idle');
  }
  received(frame: Uint8Array): boolean {
    this.#note(`received ${Buffer.from(frame).toString('hex')}`);
    this.onReceived?.();
    return this.whole;
  }
  sent(outcome: 'sent' | 'refused' | 'line-down'): void {
    this.#note(outcome);
    this.onSent?.();
  }
  discarded(cause: DropCause, octets: number): void {
    this.#note(`discarded ${cause} ${octets}`);
  }
  ready(up: boolean): void {
    this.#note(up ? 'ready' : 'not ready');
  }
}

export interface Bench {
  readonly time: VirtualTime;
  readonly line: FakeLine;
  readonly diary: Diary;
  readonly driver: ModemDriver;
}

/** A driver with an open line; the diary starts after `ready`. `settings` are those of `--set`. */
export function bench(profile: string, settings: readonly string[] = [], open = true): Bench {
  const time = new VirtualTime();
  const base = ['interface.station=1', 'interface.port=/dev/fake', 'mac.hostLatencyUs=0'];
  const configuration = mergeConfiguration({ profile, settings: [...base, ...settings].map(parseSetting) });
  const driver = createDriver(configuration, { scheduler: time });
  const diary = new Diary(time);
  const line = new FakeLine();
  driver.attach(diary);
  if (open) {
    driver.lineOpened(line);
    diary.entries.length = 0;
  }
  return { time, line, diary, driver };
}

export function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
}
