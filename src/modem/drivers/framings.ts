/** The framings that mark frames on a transparent line. */
import { cobsCodec } from '../../framing/cobs.js';
import type { Codec } from '../../framing/codec.js';
import { hdlcCodec } from '../../framing/hdlc.js';
import { slipCodec } from '../../framing/slip.js';
import type { TransparentSettings } from '../settings/transparent.js';

export interface Framing {
  readonly codec: Codec;
  /** Octets added by escaping, for each octet of random data. */
  readonly escapeShare: number;
  /** Whether broken frames are found by the framing itself, so that link frames need no FCS. */
  readonly checksIntegrity: boolean;
}

/** XON (0x11) and XOFF (0x13) as bits of an async control character map (RFC 1662, section 7.1). */
const XON_XOFF_MAP = 0x000a_0000;

/** @param xonXoff whether the line takes XON and XOFF for itself; only HDLC can keep them out of its frames */
export function framingOf(
  name: TransparentSettings['framing'],
  maxFrameBytes: number,
  xonXoff: boolean,
  alsoEscape: readonly number[] = [],
): Framing {
  switch (name) {
    case 'slip':
      // END and ESC are escaped (RFC 1055).
      return { codec: slipCodec({ maxFrameBytes }), escapeShare: 2 / 256, checksIntegrity: false };
    case 'hdlc': {
      // Flag and escape are escaped (RFC 1662, section 4.2). FCS-16 is PPP's own default.
      const codec = hdlcCodec({ maxFrameBytes, fcsBits: 16, accm: xonXoff ? XON_XOFF_MAP : 0, alsoEscape });
      return { codec, escapeShare: ((xonXoff ? 4 : 2) + alsoEscape.length) / 256, checksIntegrity: true };
    }
    case 'cobs':
      // A zero is replaced by a code octet, so nothing is added for it. The delimiter in front keeps noise that was
      // heard before a frame out of it.
      return { codec: cobsCodec({ maxFrameBytes, leadingDelimiter: true }), escapeShare: 0, checksIntegrity: false };
  }
}
