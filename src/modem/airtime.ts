/** How long a frame is on the air: the models that profiles choose from, as pure functions. All times in microseconds. */
import { SluiceError } from '../base/errors.js';

export interface FixedRate {
  readonly rateBps: number;
  /** Bits on the air for each octet: 8, or 10 where the modem keys the start and stop bits of the line too. */
  readonly bitsPerOctet: number;
  /** From the start of the signal to the first bit of the frame: key-up, training, TXDELAY. */
  readonly preambleUs: number;
  /** From the last bit of the frame to the end of the signal. */
  readonly tailUs: number;
}

/** Airtime of so many octets (framing included) at a fixed rate; rounded up to the microsecond. */
export function fixedRateAirtimeUs(rate: FixedRate, octets: number): number {
  return rate.preambleUs + Math.ceil((octets * rate.bitsPerOctet * 1_000_000) / rate.rateBps) + rate.tailUs;
}

export interface LoraModulation {
  /** 7 to 12. */
  readonly spreadingFactor: number;
  readonly bandwidthHz: number;
  /** The denominator of the coding rate: 5 for 4/5 up to 8 for 4/8. */
  readonly codingRate: number;
  readonly preambleSymbols: number;
  readonly explicitHeader: boolean;
  readonly crc: boolean;
}

/** Low data rate optimisation is due above this symbol time (Semtech SX1276 datasheet, 4.1.1.6). */
const LDRO_ABOVE_SYMBOL_US = 16_000;

/** One LoRa symbol: 2^SF / bandwidth. */
export function loraSymbolUs(modulation: Pick<LoraModulation, 'spreadingFactor' | 'bandwidthHz'>): number {
  return (2 ** modulation.spreadingFactor * 1_000_000) / modulation.bandwidthHz;
}

/**
 * Airtime of a LoRa packet, by the symbol formula of the Semtech SX1276 datasheet (4.1.1.7). Rounded up.
 * @throws SluiceError `internal` for a spreading factor that the formula does not cover.
 */
export function loraAirtimeUs(modulation: LoraModulation, payloadBytes: number): number {
  const { spreadingFactor, codingRate, preambleSymbols } = modulation;
  if (spreadingFactor < 7 || spreadingFactor > 12) {
    throw new SluiceError('internal', `LoRa spreading factor ${spreadingFactor} is not allowed; expected 7 to 12`);
  }
  const symbolUs = loraSymbolUs(modulation);
  const ldro = symbolUs > LDRO_ABOVE_SYMBOL_US ? 1 : 0;
  const bits =
    8 * payloadBytes - 4 * spreadingFactor + 28 + (modulation.crc ? 16 : 0) - (modulation.explicitHeader ? 0 : 20);
  const codedSymbols = Math.max(Math.ceil(bits / (4 * (spreadingFactor - 2 * ldro))) * codingRate, 0);
  return Math.ceil((preambleSymbols + 4.25 + 8 + codedSymbols) * symbolUs);
}

/** A measured point: so many octets take so long. */
export interface AirtimePoint {
  readonly octets: number;
  readonly airtimeUs: number;
}

/**
 * Airtime by a table of measured points, in ascending order of octets: linear between two points, the last slope
 * beyond the last, the first point's time below the first. Rounded up.
 * @throws SluiceError `internal` for an empty or unordered table.
 */
export function tableAirtimeUs(points: readonly AirtimePoint[], octets: number): number {
  const [first] = points;
  if (first === undefined) throw new SluiceError('internal', 'an airtime table needs at least one point');
  if (points.some((point, i) => i > 0 && point.octets <= (points[i - 1]?.octets ?? 0))) {
    throw new SluiceError('internal', 'the points of an airtime table must be in ascending order of octets');
  }
  if (octets <= first.octets || points.length === 1) return Math.ceil(first.airtimeUs);
  const found = points.findIndex((point) => point.octets >= octets);
  const upper = found === -1 ? points.length - 1 : found;
  const a = points[upper - 1] ?? first;
  const b = points[upper] ?? first;
  return Math.ceil(a.airtimeUs + ((octets - a.octets) * (b.airtimeUs - a.airtimeUs)) / (b.octets - a.octets));
}
