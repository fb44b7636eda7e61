/** The example dashboard: what an import asks for is there, and each query is PromQL over metrics that the bridge has. */
import { readFileSync } from 'node:fs';
import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import parseMetrics from 'parse-prometheus-text-format';
import { describe, expect, it } from 'vitest';
import { bridgeMetrics } from '../../../src/daemon/metric-registry.js';
import { DurationHistogram } from '../../../src/mac/statistics.js';
import { neighbour, statusOf } from '../cli/top/statuses.js';

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description: string;
  readonly datasource: { readonly type: string; readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig: { readonly defaults: { readonly unit: string } };
  readonly targets: readonly { readonly refId: string; readonly expr: string; readonly legendFormat: string }[];
}

const text = readFileSync(new URL('../../../hardware/grafana-dashboard.json', import.meta.url), 'utf8');
const dashboard = JSON.parse(text) as {
  readonly __inputs: readonly { readonly name: string; readonly type: string; readonly pluginId: string }[];
  readonly __requires: readonly { readonly type: string; readonly id: string }[];
  readonly id: null;
  readonly title: string;
  readonly schemaVersion: number;
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition: string }[] };
  readonly panels: readonly Panel[];
};

/** Names of all series that a bridge shows, and the labels of each; Prometheus itself adds instance and job. */
async function shown(): Promise<Map<string, ReadonlySet<string>>> {
  const status = {
    ...statusOf({ neighbours: [neighbour(2, { rssiDbm: -80 })] }),
    capture: { readers: 0, frames: 0, dropped: 0 },
  };
  const mac = { delays: new DurationHistogram(), retries: [0], budgetLeft: 1 };
  const names = new Map<string, ReadonlySet<string>>();
  for (const { name, type, metrics } of parseMetrics(await bridgeMetrics(() => ({ status, mac })).text())) {
    const labels = new Set([
      'instance',
      'job',
      ...metrics.flatMap(({ labels = {} }) => Object.keys(labels)),
      'interface',
    ]);
    if (type !== 'HISTOGRAM') names.set(name, labels);
    else for (const part of ['bucket', 'sum', 'count']) names.set(`${name}_${part}`, new Set([...labels, 'le']));
  }
  return names;
}

/** Metrics and labels that a query names. Throws where it is no PromQL. */
function used(query: string): { metric: string; labels: string[] }[] {
  // Grafana puts a duration there.
  const promql = query.replaceAll('$__rate_interval', '1m');
  const found: { metric: string; labels: string[] }[] = [];
  const textOf = ({ from, to }: { from: number; to: number }): string => promql.slice(from, to);
  parser.parse(promql).iterate({
    enter: ({ type, from, to, node }) => {
      if (type.isError) throw new Error(`${query}: no PromQL at ${textOf({ from, to }) || from}`);
      if (type.name !== 'VectorSelector') return;
      const name: SyntaxNode | null = node.getChild('Identifier');
      const labels: string[] = [];
      node.cursor().iterate((inner) => void (inner.type.name === 'LabelName' && labels.push(textOf(inner))));
      found.push({ metric: name === null ? '' : textOf(name), labels });
    },
  });
  return found;
}

describe('the dashboard', () => {
  const { panels } = dashboard;

  it('asks for its data source, and everything uses that one', () => {
    expect(dashboard.__inputs).toMatchObject([{ name: 'DS_PROMETHEUS', type: 'datasource', pluginId: 'prometheus' }]);
    expect(dashboard.id).toBeNull();
    expect(dashboard.schemaVersion).toBeGreaterThan(30);
    const sources = [...text.matchAll(/"type": ?"prometheus",\s*"uid": ?"([^"]+)"/g)].map(([, uid]) => uid);
    expect(sources.length).toBeGreaterThan(panels.length);
    expect(new Set(sources)).toEqual(new Set([`\${${dashboard.__inputs[0]?.name}}`]));
  });

  it('names every kind of panel that it has, and panels do not overlap', () => {
    const required = dashboard.__requires.filter(({ type }) => type === 'panel').map(({ id }) => id);
    expect(new Set(panels.map(({ type }) => type))).toEqual(new Set(required));
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    for (const { gridPos, title, description } of panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      expect(description.length, title).toBeGreaterThan(10);
    }
  });

  it('queries only metrics and labels that a bridge has', async () => {
    const names = await shown();
    const queries = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    expect(queries.length).toBeGreaterThan(20);
    for (const query of queries) {
      const selectors = used(query);
      expect(selectors.length, query).toBeGreaterThan(0);
      for (const { metric, labels } of selectors) {
        expect([...names.keys()], query).toContain(metric);
        for (const label of labels) expect([...(names.get(metric) ?? [])], query).toContain(label);
      }
    }
    for (const { definition } of dashboard.templating.list) {
      const [, selector = '', label = ''] = /^label_values\((.+), (\w+)\)$/.exec(definition) ?? [];
      const [{ metric } = { metric: '' }] = used(selector);
      expect([...(names.get(metric) ?? [])]).toContain(label);
    }
  });

  it('names in each legend only labels that its series have', async () => {
    const names = await shown();
    for (const { expr, legendFormat } of panels.flatMap(({ targets }) => targets)) {
      const labels = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label ?? '');
      const [{ metric } = { metric: '' }] = used(expr);
      for (const label of labels) expect([...(names.get(metric) ?? [])], expr).toContain(label);
    }
  });

  it('would be caught with a metric, a label or a query that is wrong', async () => {
    const names = await shown();
    expect(used('rate(sluice_gone_total{state="tx"}[5m])')).toEqual([
      { metric: 'sluice_gone_total', labels: ['state'] },
    ]);
    expect(names.has('sluice_gone_total')).toBe(false);
    expect(names.has('sluice_access_delay_seconds_bucket')).toBe(true);
    expect(() => used('rate(sluice_attempts_total[5m]')).toThrow('no PromQL');
  });
});
