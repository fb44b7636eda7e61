/** Prometheus metrics of one bridge, read from its status at each scrape. */
import { createServer } from 'node:http';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { DROP_CAUSES } from '../base/drops.js';
import { SluiceError } from '../base/errors.js';
import type { BridgeStatus } from './status.js';

export interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

/** `[HOST:]PORT`; without a host, this machine only. */
export function parseListenAddress(text: string): { host: string; port: number } {
  const match = /^(?:\[?([^\]]+?)\]?:)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port > 65_535) {
    throw new SluiceError('usage', `--metrics "${text}" is not allowed; expected [HOST:]PORT`, { subject: text });
  }
  return { host: match[1] ?? '127.0.0.1', port };
}

export function bridgeRegistry(status: () => BridgeStatus): Registry {
  const register = new Registry();
  register.setDefaultLabels({ interface: status().interface });
  collectDefaultMetrics({ register });
  const gauge = (name: string, help: string, read: (now: BridgeStatus) => number): void => {
    new Gauge({
      name,
      help,
      registers: [register],
      collect() {
        this.set(read(status()));
      },
    });
  };
  const counter = (name: string, help: string, read: (now: BridgeStatus) => number): void => {
    new Counter({
      name,
      help,
      registers: [register],
      collect() {
        this.reset();
        this.inc(read(status()));
      },
    });
  };
  gauge('sluice_line_up', '1 while the line to the modem is open.', (now) => (now.line.state === 'open' ? 1 : 0));
  gauge('sluice_channel_busy_ratio', 'Share of time in which others were heard.', (now) => now.mac.busyRatio);
  gauge('sluice_channel_tx_ratio', 'Share of time in which we transmitted.', (now) => now.mac.txRatio);
  gauge('sluice_contention_window_slots', 'Present contention window.', (now) => now.mac.contentionWindow);
  gauge('sluice_queue_packets', 'Packets in the queueing discipline.', (now) => now.backPressure.qdisc.backlogPackets);
  gauge('sluice_queue_bytes', 'Octets in the queueing discipline.', (now) => now.backPressure.qdisc.backlogBytes);
  gauge(
    'sluice_access_delay_p99_seconds',
    '99th percentile of the time from contending to done.',
    (now) => now.mac.delayMs.p99 / 1000,
  );
  counter('sluice_attempts_total', 'Data transmissions, retries included.', (now) => now.mac.attempts);
  counter('sluice_acked_total', 'Unicast frames acknowledged.', (now) => now.mac.acked);
  counter('sluice_unacked_total', 'Attempts without acknowledgement.', (now) => now.mac.unacked);
  counter('sluice_delivered_total', 'Frames received and handed up.', (now) => now.mac.delivered);
  counter('sluice_airtime_seconds_total', 'Own airtime.', (now) => now.mac.airtimeUs / 1e6);
  counter('sluice_grants_total', 'Credits granted to the queueing discipline.', (now) => now.backPressure.grants);
  counter('sluice_tap_dropped_total', 'Packets dropped by the TAP ring.', (now) => now.backPressure.tapDropped);
  counter('sluice_line_received_bytes_total', 'Octets from the line.', (now) => now.line.bytesIn);
  counter('sluice_line_sent_bytes_total', 'Octets to the line.', (now) => now.line.bytesOut);
  counter('sluice_line_reopens_total', 'Times that the line came back.', (now) => now.line.reopens);
  counter('sluice_line_stalls_total', 'Times that the line took nothing for too long.', (now) => now.line.stalls);
  counter('sluice_line_dropped_bytes_total', 'Octets written that never left.', (now) => now.line.bytesDropped);
  new Counter({
    name: 'sluice_drops_total',
    help: 'Frames dropped, by cause.',
    labelNames: ['cause'],
    registers: [register],
    collect() {
      this.reset();
      const { drops } = status();
      for (const cause of Object.keys(DROP_CAUSES) as (keyof typeof DROP_CAUSES)[])
        this.inc({ cause }, drops[cause] ?? 0);
    },
  });
  return register;
}

/** @throws SluiceError `system` when the address cannot be listened on */
export async function serveMetrics(listen: string, status: () => BridgeStatus): Promise<MetricsServer> {
  const { host, port } = parseListenAddress(listen);
  const register = bridgeRegistry(status);
  const server = createServer((request, response) => {
    if (request.url?.split('?')[0] !== '/metrics') {
      response.writeHead(404).end('see /metrics\n');
      return;
    }
    // The interface may have been renamed.
    register.setDefaultLabels({ interface: status().interface });
    register.metrics().then(
      (text) => response.writeHead(200, { 'content-type': register.contentType }).end(text),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new SluiceError('system', `cannot serve metrics on ${host}:${port}`, {
          subject: listen,
          remedy: 'Choose another port with --metrics.',
          cause,
        }),
      ),
    );
    server.listen(port, host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
