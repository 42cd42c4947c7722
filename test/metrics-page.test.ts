/** The metrics page under names that are hard to write, many keys, reloads, and a worker that dies. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { hashKey } from '../src/serving/front/auth.ts';
import { Telemetry } from '../src/serving/telemetry/metrics.ts';
import { eventually, gateway, type RunningGateway } from './support/gateway.ts';
import { type RouterProcess, routerProcess } from './support/process.ts';

let running: RunningGateway | null = null;
let router: RouterProcess | null = null;
afterEach(async () => {
  await running?.close();
  await router?.stop();
  running = null;
  router = null;
});

const EXPERTS = 'experts: [{ id: one, kind: emulated }, { id: two, kind: emulated, fallback: true }]\n';
const PROMTOOL = spawnSync('promtool', ['--version']).error === undefined;

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Prometheus' text format, strictly: a line that is none fails. */
function samplesOf(page: string): readonly Sample[] {
  return page
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const found = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
      expect(found, line).not.toBeNull();
      const [, name = '', inside = '', value] = found!;
      const pairs = [...inside.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\[n"\\])*)",?/g)];
      expect(pairs.map(([whole]) => whole).join(''), line).toBe(inside);
      const written = (text: string) => text.replaceAll(/\\(.)/g, (_, it) => (it === 'n' ? '\n' : it));
      return {
        name,
        labels: Object.fromEntries(pairs.map(([, label, text]) => [label!, written(text!)])),
        value: Number(value),
      };
    });
}

const pageOf = async (): Promise<string> => (await fetch(`${running!.url}/metrics`, { headers: KEY })).text();
const KEY = { authorization: 'Bearer mine' };
const ask = () => running!.post('/v1/chat/completions', { messages: [{ role: 'user', content: 'hi' }] }, KEY);

it('is read as it was meant, whatever a key is called, and all on it stands in the documentation', async () => {
  const name = 'a "quoted"\\ key,\nof two lines} – 鍵 🔑';
  running = await gateway(
    `keys: [{ name: ${JSON.stringify(name)}, hash: '${hashKey('mine')}', roles: [ask, observe] }]\n${EXPERTS}`,
  );
  expect((await ask()).status).toBe(200);
  const page = await pageOf();
  const samples = samplesOf(page);
  const mine = samples.filter(({ name }) => name === 'expert_router_key_requests_total');
  expect(mine.map(({ labels }) => labels.key)).toEqual([name]);
  const documented = readFileSync('docs/metrics.md', 'utf8');
  const told = [...page.matchAll(/^# TYPE (\S+) (\S+)$/gm)].filter(
    ([, one]) => !/^(?:process|nodejs)_/.test(one!),
  );
  expect(told.length).toBeGreaterThan(35);
  for (const [, one, type] of told) expect(documented).toContain(`| \`${one}\` | ${type} |`);
  if (!PROMTOOL) return;
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: page,
    encoding: 'utf8',
  });
  expect([status, stdout + stderr]).toEqual([
    expect.any(Number),
    expect.not.stringMatching(/error|invalid/i),
  ]);
});

it('has histograms whose buckets add up', async () => {
  running = await gateway(
    `keys: [{ name: me, hash: '${hashKey('mine')}', roles: [ask, observe] }]\n${EXPERTS}`,
  );
  for (let i = 0; i < 5; i++) await ask();
  const samples = samplesOf(await pageOf());
  const rows = new Map<string, Sample[]>();
  for (const sample of samples.filter(({ name }) => name.endsWith('_bucket'))) {
    const { le: _, ...labels } = sample.labels;
    const row = `${sample.name.replace(/_bucket$/, '')} ${JSON.stringify(labels)}`;
    rows.set(row, [...(rows.get(row) ?? []), sample]);
  }
  expect(rows.size).toBeGreaterThan(8);
  for (const [row, buckets] of rows) {
    const bounds = buckets.map(({ labels }) => Number(labels.le!.replace('+Inf', 'Infinity')));
    expect([row, bounds]).toEqual([row, [...bounds].sort((a, b) => a - b)]);
    expect(bounds.at(-1)).toBe(Number.POSITIVE_INFINITY);
    const counts = buckets.map(({ value }) => value);
    expect([row, counts]).toEqual([row, [...counts].sort((a, b) => a - b)]);
    const [name, labels] = row.split(/ (.*)/);
    const count = samples.find(
      (one) => one.name === `${name}_count` && JSON.stringify(one.labels) === labels,
    );
    expect([row, count?.value]).toEqual([row, counts.at(-1)]);
  }
});

const ENDED = {
  key: null,
  status: 200,
  promptTokens: 1,
  completionTokens: 1,
  usd: null,
  cluster: null,
  cachedTokens: null,
  error: null,
  expert: null,
  livedAt: null,
  dialect: null,
  outside: false,
  asked: [],
  decidedMs: null,
  expectedMs: null,
  firstMs: null,
  totalMs: 1,
};

it('names a thousand keys of ten thousand, and has the rest as other', async () => {
  const telemetry = new Telemetry({ processMetrics: false });
  for (let i = 0; i < 10_000; i++) telemetry.ended({ ...ENDED, key: `key ${i}` });
  telemetry.ended({ ...ENDED, key: 'key 3' });
  const samples = samplesOf(await telemetry.registry.metrics());
  const asked = samples.filter(({ name }) => name === 'expert_router_key_requests_total');
  expect(asked).toHaveLength(1_001);
  expect(asked.find(({ labels }) => labels.key === 'other')!.value).toBe(9_000);
  expect(asked.find(({ labels }) => labels.key === 'key 3')!.value).toBe(2);
  expect(samples.filter(({ name }) => name === 'expert_router_key_tokens_total')).toHaveLength(2_002);
});

it('grows with the experts, not with their square, whoever answers for whom', async () => {
  const telemetry = new Telemetry({ processMetrics: false });
  const experts = Array.from({ length: 40 }, (_, at) => `expert ${at}`);
  const pairs = experts.flatMap((from) =>
    experts.filter((to) => to !== from).map((to) => [from, to] as const),
  );
  for (const [from, to] of pairs) {
    telemetry.begin({ expert: from, cluster: 0, reason: 'spilled', dialect: 'openai-chat' }).served(to, 1);
    telemetry.ended({ ...ENDED, expert: to, livedAt: from, firstMs: 1 });
  }
  const samples = samplesOf(await telemetry.registry.metrics());
  for (const metric of ['expert_router_spillover_total', 'expert_router_moves_total']) {
    const rows = samples.filter(({ name }) => name === metric);
    expect(rows).toHaveLength(experts.length * 17);
    const first = rows.filter(({ labels }) => labels.from === experts[0]);
    expect(first.find(({ labels }) => labels.to === experts[1])!.value).toBe(1);
    expect(first.find(({ labels }) => labels.to === 'other')!.value).toBe(experts.length - 1 - 16);
  }
});

it('forgets how an expert is that a reload has taken away, but not what it did', async () => {
  running = await gateway(EXPERTS);
  for (const expert of ['one', 'two'])
    await running.post('/v1/chat/completions', {
      model: expert,
      messages: [{ role: 'user', content: 'hi' }],
    });
  expect(await running.metric('expert_router_available{expert="one"}')).toBe(1);
  await running.reload('experts: [{ id: two, kind: emulated }]');
  expect(await running.metric('expert_router_available{expert="one"}')).toBeUndefined();
  expect(await running.metric('expert_router_inflight{expert="one"}')).toBeUndefined();
  expect(await running.metric('expert_router_available{expert="two"}')).toBe(1);
  const done = 'expert_router_requests_total{expert="one",reason="named",outcome="ok"}';
  expect(await running.metric(done)).toBe(1);
});

it('does not fall when a worker dies', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'expert-router-')), 'config.yaml');
  writeFileSync(file, EXPERTS);
  router = await routerProcess(['--config', file, '--workers', '2']);
  const { url } = router;
  const total = async (): Promise<number> => {
    const response = await fetch(`${url}/metrics`, { headers: { connection: 'close' } });
    if (!response.ok) return Number.NaN;
    return samplesOf(await response.text())
      .filter(({ name }) => name === 'expert_router_requests_total')
      .reduce((sum, { value }) => sum + value, 0);
  };
  for (let i = 0; i < 20; i++)
    await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { connection: 'close' },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'hi' }] }),
    }).then((response) => response.text());
  await eventually('all are counted', async () => (await total()) === 20);
  const [worker] = router.children();
  process.kill(worker!, 'SIGKILL');
  await eventually('another has taken its place', () => {
    const now = router!.children();
    return now.length === 2 && !now.includes(worker!);
  });
  await eventually('the page is there', async () => !Number.isNaN(await total()));
  expect(await total()).toBe(20);
});
