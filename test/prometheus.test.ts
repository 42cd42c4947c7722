/** The alert rules by promtool, and every panel of the Grafana dashboard by a real Prometheus that scrapes a real run. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { command } from './support/command.ts';
import { eventually } from './support/gateway.ts';
import { routerProcess } from './support/process.ts';

const DEPLOY = join(import.meta.dirname, '..', 'deploy');
const has = (tool: string): boolean => spawnSync(tool, ['--version']).error === undefined;
const PROMTOOL = has('promtool');
const PROMETHEUS = has('prometheus');
if (!PROMTOOL || !PROMETHEUS)
  console.warn(
    'Alert rules and panels are not checked by Prometheus: it is not installed (Debian: prometheus).',
  );

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly targets?: readonly { readonly expr: string }[];
}
const dashboard = JSON.parse(readFileSync(join(DEPLOY, 'grafana', 'expert-router.json'), 'utf8')) as {
  uid: string;
  panels: readonly Panel[];
};
const QUERIES = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => [title, expr] as const),
);
/** As Grafana fills a query in. */
const filled = (expr: string): string =>
  expr.replaceAll('$__rate_interval', '20s').replaceAll('$expert', '.*').replaceAll('$job', '.*');

it('every panel asks something, in words that only the metrics page has', () => {
  const page = readFileSync(join(import.meta.dirname, '..', 'docs', 'metrics.md'), 'utf8');
  const known = new Set([...page.matchAll(/^\| `(expert_router_\w+)`/gm)].map(([, name]) => name!));
  expect(QUERIES.length).toBeGreaterThan(25);
  const alerts = readFileSync(join(DEPLOY, 'prometheus', 'alerts.yaml'), 'utf8');
  const names = [...QUERIES.map(([, expr]) => expr), alerts].flatMap(
    (text) => text.match(/\bexpert_router_\w+/g) ?? [],
  );
  const unknown = names.filter(
    (name) => !known.has(name) && !known.has(name.replace(/_(bucket|sum|count)$/, '')),
  );
  expect(unknown).toEqual([]);
});

describe.skipIf(!PROMTOOL)('the alert rules', () => {
  it.each([
    ['check', 'rules', 'alerts.yaml'],
    ['check', 'config', 'prometheus.yaml'],
    ['test', 'rules', 'alerts.test.yaml'],
  ])(
    'pass promtool %s %s %s',
    (...args) => {
      const { status, stdout, stderr } = spawnSync('promtool', args, {
        cwd: join(DEPLOY, 'prometheus'),
        encoding: 'utf8',
      });
      expect([status, status === 0 ? '' : stdout + stderr]).toEqual([0, '']);
    },
    180_000,
  ); // testing the rules takes 15 s of processor time
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe.skipIf(!PROMETHEUS)('every panel', () => {
  it('shows data of a run that Prometheus has scraped', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'expert-router-prometheus-'));
    const pace = ['--ttft', '20ms', '--tpot', '2ms', '--output-tokens', '8'];
    const emulator = command('emulate', '--port', '0', '--experts', '2', ...pace);
    const [, first, second] = await emulator.said(/(http:\S+)\/v1\n.*(http:\S+)\/v1\n[\s\S]*are ready/);
    const config = join(folder, 'config.yaml');
    writeFileSync(
      config,
      `experts:
  - { id: code, kind: openai, url: '${first}', max_concurrent: 2, description: Writes programs, price: { input: 1, output: 2 } }
  - { id: cooking, kind: openai, url: '${second}', fallback: true }
`,
    );
    const router = await routerProcess(['--config', config, '--workers', '2']);
    const port = await freePort();
    writeFileSync(
      join(folder, 'prometheus.yaml'),
      `global: { scrape_interval: 1s }
scrape_configs:
  - { job_name: expert-router, static_configs: [{ targets: ['${new URL(router.url).host}'] }] }
`,
    );
    const prometheus = spawn(
      'prometheus',
      [
        `--config.file=${join(folder, 'prometheus.yaml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: 'ignore' },
    );
    const ask = (content: string) =>
      fetch(`${router.url}/v1/chat/completions`, {
        method: 'POST',
        body: JSON.stringify({
          messages: [{ role: 'user', content }],
          stream: true,
          stream_options: { include_usage: true },
        }),
      }).then((response) => response.arrayBuffer());
    const query = async (expr: string): Promise<readonly { value: [number, string] }[]> => {
      const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expr)}`;
      const { status, data, error } = (await (await fetch(url)).json()) as {
        status: string;
        error?: string;
        data: { result: { value: [number, string] }[] };
      };
      if (status !== 'success') throw new Error(`${expr}: ${error}`);
      return data.result;
    };
    try {
      await eventually('Prometheus is there', () =>
        fetch(`http://127.0.0.1:${port}/-/ready`).then(
          (r) => r.ok,
          () => false,
        ),
      );
      await eventually('it has seen requests more than once', async () => {
        await Promise.all(['Write a Python loop', 'How do I cook rice?', 'Sort a list in C'].map(ask));
        const [seen] = await query(
          'count_over_time(expert_router_requests_total{outcome="ok",expert="code"}[1m])',
        );
        return Number(seen?.value[1] ?? 0) >= 4;
      });
      const empty: string[] = [];
      for (const [title, expr] of QUERIES) {
        const result = await query(filled(expr));
        if (!result.some(({ value }) => Number.isFinite(Number(value[1])))) empty.push(`${title}: ${expr}`);
      }
      expect(empty).toEqual([]);
    } finally {
      prometheus.kill();
      await router.stop();
      emulator.process.kill();
    }
  });
});
