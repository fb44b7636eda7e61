/** Which mode to run in: what the operator wants, as far as the kernel has proven that it can. */

import { SluiceError } from '../base/errors.js';
import type { BackPressureMode } from './back-pressure.js';
import type { ProbeResult } from './probe.js';

export interface ChosenMode {
  readonly mode: BackPressureMode;
  /** One sentence for the log. */
  readonly reason: string;
}

/**
 * `auto` takes the native mode, else the gate, else none. A mode that is asked for by name must have been proven: throws
 * SluiceError `kernel-feature` otherwise.
 */
export function chooseMode(
  wanted: 'auto' | BackPressureMode,
  { native, gate }: Pick<ProbeResult, 'native' | 'gate'>,
): ChosenMode {
  if (wanted === 'none') {
    return { mode: 'none', reason: 'the configuration turned back pressure off: a full ring drops packets' };
  }
  if (wanted !== 'auto') {
    const proof = wanted === 'native' ? native : gate;
    if (proof.works) return { mode: wanted, reason: `the configuration asks for it; self-test: ${proof.why}` };
    throw new SluiceError('kernel-feature', `back pressure by ${wanted} does not work here: ${proof.why}`, {
      subject: 'backPressure.mode',
      remedy: 'Set backPressure.mode to auto; `sluice check` shows what works here.',
    });
  }
  if (native.works) return { mode: 'native', reason: `the kernel has IFF_BACKPRESSURE; self-test: ${native.why}` };
  if (gate.works) return { mode: 'gate', reason: `no native mode (${native.why}); gate self-test: ${gate.why}` };
  return {
    mode: 'none',
    reason: `no back pressure, a full ring drops packets. Native mode: ${native.why}. Gate: ${gate.why}`,
  };
}
