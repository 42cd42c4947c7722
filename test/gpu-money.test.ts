/** Experts whose price is that of their GPUs' time: shared by the requests that are there, the rest told as idle. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { usageCommand } from '../src/cli/usage.ts';
import { hashKey } from '../src/serving/front/auth.ts';
import type { RequestNote } from '../src/serving/front/request-note.ts';
import { command } from './support/command.ts';
import { eventually, gateway } from './support/gateway.ts';
import { upstream } from './support/upstream.ts';

const dir = mkdtempSync(join(tmpdir(), 'gpu-money-'));
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const one of opened.splice(0)) await one.close();
  rmSync(dir, { recursive: true, force: true });
});

/** Answers when it is told to, without word of tokens. */
async function silentExpert() {
  const waiting: (() => void)[] = [];
  const server = await upstream((response, request) => {
    if (request.method !== 'POST') return void response.end('{"object":"list","data":[]}');
    waiting.push(() =>
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end('{"choices":[{"message":{"role":"assistant","content":"Yes."},"finish_reason":"stop"}]}'),
    );
  });
  opened.push(server);
  return { url: server.url, waiting };
}

async function usage(...flags: string[]): Promise<Record<string, unknown>[]> {
  const said: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((text: string) => void said.push(text));
  await usageCommand().parseAsync([dir, '--json', ...flags], { from: 'user' });
  return JSON.parse(said.join('\n')) as Record<string, unknown>[];
}

describe('a price for GPU hours', () => {
  it('is shared by requests at the same time, whatever they report; what nobody took is idle', async () => {
    const expert = await silentExpert();
    const notes: RequestNote[] = [];
    const router = await gateway(
      `audit: { dir: '${dir}' }
experts: [{ id: own, kind: openai, url: '${expert.url}', price: { per_gpu_hour: 3600, gpus: 2 } }]`,
      { onRequest: (note) => notes.push(note) },
    );
    const ask = async () =>
      (await router.post('/v1/chat/completions', { messages: [{ role: 'user', content: 'Hi' }] })).text();
    const answers = [ask(), ask()];
    await eventually('both are there', () => expert.waiting.length === 2);
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (const answer of expert.waiting) answer();
    await Promise.all(answers);
    await eventually('both have ended', () => notes.length === 2);
    const sum = notes.reduce((total, { gpuSeconds }) => total + gpuSeconds!, 0);
    const together = notes.reduce((total, { totalMs }) => total + totalMs, 0) / 1000;
    // Two GPUs; had each request been charged all of its time, it would be twice `together`.
    expect(sum).toBeLessThan(1.5 * together);
    expect(sum).toBeGreaterThanOrEqual(0.2 * 0.9);
    for (const note of notes) {
      expect(note.completionTokens).toBe(null);
      expect(note.usd).toBeCloseTo(note.gpuSeconds!, 9);
    }
    const cluster = notes[0]!.cluster;
    expect(
      await router.metric(`expert_router_cost_dollars_total{expert="own",cluster="${cluster}"}`),
    ).toBeCloseTo(sum, 6);
    await router.close();
    const byExpert = await usage('--by', 'expert');
    expect(byExpert.map(({ expert: name }) => name)).toEqual(['own', 'own (idle)']);
    expect(byExpert[0]).toMatchObject({ requests: 2, unpriced: 0 });
    expect(byExpert[0]!.usd).toBeCloseTo(sum, 6);
    expect(byExpert[1]).toMatchObject({ requests: 0 });
    expect(byExpert[1]!.gpu_seconds).toBeGreaterThan(0);
    expect((await usage('--by', 'key')).map(({ key }) => key)).toContain('(idle)');
    expect(
      readdirSync(dir)
        .flatMap((name) => readFileSync(join(dir, name), 'utf8'))
        .join(),
    ).not.toContain('"Hi"');
  });

  it('holds keys to their budgets, tokens told or not', async () => {
    const expert = await silentExpert();
    const router = await gateway(
      `experts: [{ id: own, kind: openai, url: '${expert.url}', price: { per_gpu_hour: 3600000 } }]
keys: [{ name: a, hash: '${hashKey('a')}', limits: { usd_per_day: 40 } }]`,
    );
    opened.push(router);
    const ask = () =>
      router.post(
        '/v1/chat/completions',
        { max_tokens: 1, messages: [{ role: 'user', content: 'Hi' }] },
        { authorization: 'Bearer a' },
      );
    const first = ask();
    await eventually('it is there', () => expert.waiting.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expert.waiting[0]!();
    expect((await first).status).toBe(200);
    // More than the 40 dollars, at a thousand a second.
    await eventually('what it took is charged', async () => {
      const next = ask();
      setTimeout(() => {
        for (const answer of expert.waiting.splice(1)) answer();
      }, 100);
      return (await next).status === 429;
    });
  });
});

it.each([
  ['{ }', /price.input: a price for tokens .* or for GPUs/],
  ['{ input: 1 }', /price.output: tokens have a price for prompts and one for answers/],
  ['{ per_gpu_hour: 1, cached_input: 1 }', /price.cached_input: goes with `input`/],
  ['{ input: 1, output: 1, gpus: 2 }', /price.gpus: goes with `per_gpu_hour`/],
])('check refuses the price %s', async (price, why) => {
  mkdirSync(dir, { recursive: true });
  const file = join(dir, 'experts.yaml');
  writeFileSync(file, `experts: [{ id: own, kind: emulated, price: ${price} }]`);
  const check = command('check', '--config', file);
  expect(await check.ended).not.toBe(0);
  expect(check.output()).toMatch(why);
});
