/** Limits that leave no room for a packet are refused, not found out by dropping everything. */
import { describe, expect, it } from 'vitest';
import { macConfig } from '../../../src/daemon/mac-config.js';
import type { MacConfig } from '../../../src/mac/ports.js';
import { mergeConfiguration, parseSetting } from '../../../src/modem/configuration.js';
import { createDriver } from '../../../src/modem/drivers/registry.js';
import { VirtualTime } from '../../../src/sim/virtual-time.js';

function configFor(...settings: string[]): MacConfig {
  const needed = ['interface.station=1', 'interface.port=/dev/ttyUSB0'];
  const configuration = mergeConfiguration({
    profile: 'radio-9600',
    settings: [...needed, ...settings].map(parseSetting),
  });
  return macConfig(configuration, createDriver(configuration, { scheduler: new VirtualTime(0), hostLatencyUs: 0 }));
}

describe('limits.keyDownMs', () => {
  it.each([10, 14])('%i ms, in which no frame fits that carries anything, is refused', (keyDownMs) => {
    expect(() => configFor(`limits.keyDownMs=${keyDownMs}`)).toThrow(/limits\.keyDownMs: .*too short/);
  });

  it('is refused where a packet would take too many fragments', () => {
    const settings = ['link.mtuBytes=2000', 'limits.keyDownMs=20'];
    expect(() => configFor(...settings)).toThrow(/limits\.keyDownMs: .*128 fragments/);
  });

  it('may be shorter than a frame of full size where packets can be fragmented', () => {
    expect(configFor('limits.keyDownMs=100').limits?.keyDownUs).toBe(100_000);
    expect(() => configFor('limits.keyDownMs=100', 'link.encapsulation=ethernet')).toThrow(/limits\.keyDownMs/);
  });
});
