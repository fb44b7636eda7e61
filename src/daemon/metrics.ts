/** Serves the metrics of one bridge by HTTP. */
import { createServer } from 'node:http';
import { SluiceError } from '../base/errors.js';
import { bridgeMetrics, type Figures } from './metric-registry.js';

export interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

/** `[HOST:]PORT`; without a host, this machine only. */
export function parseListenAddress(text: string): { host: string; port: number } {
  const match = /^(?:\[?([^\]]+?)\]?:)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port > 65_535) {
    throw new SluiceError('usage', `--metrics "${text}" is not allowed; expected [HOST:]PORT`, {
      subject: text,
      remedy: 'Give a port up to 65535, such as 9100, with the address to listen on before it if others shall read.',
    });
  }
  return { host: match[1] ?? '127.0.0.1', port };
}

/** @throws SluiceError `system` when the address cannot be listened on */
export async function serveMetrics(listen: string, look: () => Figures): Promise<MetricsServer> {
  const { host, port } = parseListenAddress(listen);
  const metrics = bridgeMetrics(look);
  const server = createServer((request, response) => {
    if (request.url?.split('?')[0] !== '/metrics') {
      response.writeHead(404).end('see /metrics\n');
      return;
    }
    metrics.text().then(
      (text) => response.writeHead(200, { 'content-type': metrics.contentType }).end(text),
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
