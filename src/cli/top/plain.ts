/** `sluice top` without a terminal: one line of text each interval, for a file, a pipe, or a terminal that can only print. */
import type { NeighbourRow, TopFigures } from './figures.js';
import { delayWords, dropWords, duration, octets, percent, span, warnings } from './words.js';

/** One line without its end. Parts that have nothing to tell are left out. */
export function plainLine(figures: TopFigures, timeOfDay: string): string {
  const { status, now, fresh, spanMs } = figures;
  const { mac, backPressure } = status;
  const drops = figures.drops.filter((each) => each.fresh > 0);
  const parts = [
    `${timeOfDay} ${status.interface} last ${span(spanMs)}`,
    `own ${percent(now.own)}, others ${percent(now.others)}, idle ${percent(now.idle)}`,
    `window ${mac.contentionWindow}`,
    delayWords(mac.delayMs),
    `queue ${backPressure.qdisc.backlogPackets}, ${octets(backPressure.qdisc.backlogBytes)}, ${duration(backPressure.queueDelayMs)}`,
    `attempts ${fresh.attempts}, ${fresh.acked} acknowledged, ${fresh.unacked} not`,
    ...figures.neighbours.map(neighbour),
    ...(drops.length === 0 ? [] : [`drops ${drops.map(dropWords).join(', ')}`]),
    ...warnings(figures).map((warning) => `! ${warning}`),
  ];
  return parts.join('; ');
}

function neighbour({ station, lastHeardMs, share, lossRatio, rssiDbm, note }: NeighbourRow): string {
  const words = [
    lastHeardMs === null ? 'never heard' : `airtime ${percent(share)}`,
    ...(lossRatio === null ? [] : [`loss ${percent(lossRatio)}`]),
    ...(rssiDbm === undefined ? [] : [`${rssiDbm} dBm`]),
    ...(note === '' || lastHeardMs === null ? [] : [`! ${note}`]),
  ];
  return `station ${station} ${words.join(', ')}`;
}
