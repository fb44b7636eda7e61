/** Limits that leave no room for a packet are refused, not found out by dropping everything. */
import { describe, expect, it } from 'vitest';
import { isSluiceError } from '../../../src/base/errors.js';
import { macConfig } from '../../../src/daemon/mac-config.js';
import type { MacConfig } from '../../../src/mac/ports.js';
import { mergeConfiguration, parseSetting } from '../../../src/modem/configuration.js';
import { createDriver } from '../../../src/modem/drivers/registry.js';
import { VirtualTime } from '../../../src/sim/virtual-time.js';

const configFor = (...settings: string[]): MacConfig => configOf('radio-9600', ...settings);

function configOf(profile: string, ...settings: string[]): MacConfig {
  const needed = ['interface.station=1', 'interface.port=/dev/ttyUSB0'];
  const configuration = mergeConfiguration({
    profile,
    settings: [...needed, ...settings].map(parseSetting),
  });
  return macConfig(configuration, createDriver(configuration, { scheduler: new VirtualTime(0), hostLatencyUs: 0 }));
}

/** The error's cause and remedy. */
function refusal(profile: string, ...settings: string[]): string {
  try {
    configOf(profile, ...settings);
  } catch (error) {
    if (isSluiceError(error, 'configuration')) return `${error.message} | ${error.details.remedy}`;
    throw error;
  }
  return 'none';
}

describe('limits.keyDownMs', () => {
  it.each([10, 14])('%i ms, in which no frame fits that carries anything, is refused', (keyDownMs) => {
    expect(refusal('radio-9600', `limits.keyDownMs=${keyDownMs}`)).toMatch(
      /^limits\.keyDownMs: .*too short.* \| Shorten packets \(link\.mtuBytes\), or raise/,
    );
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

describe('a burst', () => {
  it('is never longer than what the duty cycle leaves, or it would never begin', () => {
    // 36 s an hour; eight frames, which make up for the slots under water, take as long.
    expect(configOf('popoto-80').burstAirtimeUs).toBe(36_000_000);
    expect(configOf('popoto-80', 'limits.dutyCyclePermille=10').burstAirtimeUs).toBe(9_000_000);
    const settings = ['limits.dutyCyclePermille=1', 'mac.burstMs=4000'];
    expect(refusal('radio-9600', ...settings)).toMatch(
      /^mac\.burstMs: at most 900.* \| Set mac\.burstMs to auto or 900\.$/,
    );
    expect(configFor(...settings, 'limits.keyDownMs=800').burstAirtimeUs).toBe(4_000_000);
  });

  it('of one frame must fit, too', () => {
    expect(refusal('popoto-80', 'limits.dutyCyclePermille=4')).toMatch(
      /^limits\.dutyCyclePermille: at least 4 frames.* \| Shorten frames .*dutyCycleWindowMs/,
    );
  });
});

describe('limits.identification', () => {
  it('is refused where its text makes a frame longer than the modem takes, or the key-down limit', () => {
    const text = `limits.identification.text=${'X'.repeat(50)}`;
    expect(refusal('popoto-80', text)).toMatch(
      /^limits\.identification\.text: at most 32 octets.* \| Shorten the text\.$/,
    );
    expect(refusal('radio-9600', text, 'limits.keyDownMs=50')).toMatch(
      /^limits\.identification\.text: at most \d+ octets.* \| Shorten the text, or raise limits\.keyDownMs\.$/,
    );
    expect(configFor(text).limits?.identification?.text).toHaveLength(50);
  });
});
