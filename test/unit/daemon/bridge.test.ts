/** A whole bridge in virtual time, on an interface and a line that only pretend. */
import { expect, it } from 'vitest';
import { SluiceError } from '../../../src/base/errors.js';
import { seededRandom } from '../../../src/base/random.js';
import { Bridge } from '../../../src/daemon/bridge.js';
import { macConfig } from '../../../src/daemon/mac-config.js';
import type { HungBackPressure } from '../../../src/flow/back-pressure.js';
import { RepairingBackPressure } from '../../../src/flow/repair.js';
import { mergeConfiguration, parseSetting } from '../../../src/modem/configuration.js';
import { createDriver } from '../../../src/modem/drivers/registry.js';
import { createLog } from '../../../src/observe/log.js';
import type { Line, LineListener } from '../../../src/serial/line.js';
import { VirtualTime } from '../../../src/sim/virtual-time.js';
import { NeighbourTable } from '../../../src/wire/address.js';
import { ALL_FILTERS } from '../../../src/wire/chatter.js';
import { IpEncapsulation } from '../../../src/wire/encapsulation.js';
import { HomeFilter } from '../../../src/wire/local-answers.js';
import { FakeLine } from '../modem/drivers/bench.js';

const SECOND_US = 1_000_000;

/** Open once; afterwards it is gone. */
class UnpluggedLine extends FakeLine {
  #listener: LineListener | undefined;
  override async open(listener?: LineListener): Promise<void> {
    if (this.#listener !== undefined) throw this.#gone();
    this.#listener = listener;
  }
  unplug(): void {
    this.#listener?.lost(this.#gone());
  }
  #gone(): SluiceError {
    return new SluiceError('line', 'it is gone', { remedy: 'Plug it in.' });
  }
}

function bridgeOn(time: VirtualTime, ring: Uint8Array[], createLine: () => Line): Bridge {
  const gate: HungBackPressure = {
    ...{ mode: 'gate', reason: 'a test', grants: 0 },
    ...{ grant: () => undefined, isKick: () => false, close: () => undefined },
    ...{
      fault: () => null,
      rehang: () => 0,
      followMtu: () => undefined,
      shut: () => undefined,
      leave: () => undefined,
    },
    qdisc: () => ({ kind: 'pfifo', backlogPackets: 0, backlogBytes: 0, dropped: 0 }),
  };
  const configuration = mergeConfiguration({
    profile: 'radio-9600',
    settings: ['interface.station=1', 'interface.port=/dev/fake', 'link.deadlineMs=20000'].map(parseSetting),
  });
  const neighbours = new NeighbourTable({ station: 1, addresses: ['10.0.0.1/24'], table: {} });
  const driver = createDriver(configuration, { scheduler: time, hostLatencyUs: 0 });
  return new Bridge({
    ...{ profile: configuration.id, station: 1, scheduler: time, random: seededRandom(1), driver },
    interface: {
      tap: {
        ...{ name: 'sluice0', ifindex: 1, write: () => true, close: () => undefined },
        read: () => ring.shift() ?? null,
        onceReadable: () => undefined,
      },
      backPressure: new RepairingBackPressure({
        ...{ hung: gate, reason: 'a test', makeNone: () => gate, report: () => undefined },
        nowUs: () => time.nowUs(),
      }),
      ...{ dropped: () => 0, made: true, stopPlan: { keep: false, readRing: false } },
      ...{ shut: () => undefined, close: () => ({ kept: 0, lost: 0 }) },
    },
    ...{ verifyInterface: () => undefined, createLine, encapsulation: new IpEncapsulation(neighbours) },
    homeFilter: new HomeFilter({ neighbours, filters: ALL_FILTERS, unknownNeighbour: 'peer' }),
    macConfig: macConfig(configuration, driver),
    log: createLog({
      level: 'error',
      format: 'json',
      base: { interface: 'sluice0', station: 1 },
      output: { write: () => undefined },
    }),
    channelIntervalUs: 10 * SECOND_US,
  });
}

it('forgets by the deadline what leaks past the gate while its line is gone', async () => {
  const time = new VirtualTime(0);
  const ring: Uint8Array[] = [];
  const line = new UnpluggedLine();
  const bridge = bridgeOn(time, ring, () => line);
  await bridge.start();
  line.unplug();
  let leaked = 0;
  const leak = (): void => {
    const frame = new Uint8Array(14 + 28);
    frame.set([0x02, 0x73, 0x6c, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0x08, 0x00, 0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17]);
    frame.set([10, 0, 0, 1, 10, 0, 0, 2], 26);
    ring.push(frame);
    leaked++;
    time.at(time.nowUs() + SECOND_US, leak);
  };
  leak();
  time.runUntil(3600 * SECOND_US);
  expect(leaked).toBeGreaterThan(3000);
  expect(ring.length).toBeLessThan(100);
  expect(bridge.drops.get('deadline')).toBeGreaterThan(3000);
  expect(bridge.drops.toJSON()).toEqual({ deadline: bridge.drops.get('deadline') });
});

it('leaves no timer behind when it cannot be made, or is not started', () => {
  const time = new VirtualTime(0);
  const noLine = (): Line => {
    throw new SluiceError('usage', 'not a line: ttyUSB0', { remedy: 'Give an absolute path.' });
  };
  expect(() => bridgeOn(time, [], noLine)).toThrow('not a line');
  bridgeOn(time, [], () => new UnpluggedLine());
  expect(time.nextDueUs).toBeUndefined();
});
