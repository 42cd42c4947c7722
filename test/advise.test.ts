/** `expert-router advise`, from what a gateway recorded. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { adviseCommand } from '../src/cli/advise.ts';
import { gateway } from './support/gateway.ts';

const folder = mkdtempSync(join(tmpdir(), 'advised-'));
afterAll(() => rmSync(folder, { recursive: true }));

const config = join(folder, 'experts.yaml');
const values = join(folder, 'values.yaml');
const CONFIG = `listen: 127.0.0.1:8181
records: { dir: ${join(folder, 'records')} }
experts:
  - { id: cook, kind: emulated, description: "Cooking, recipes, ingredients" }
  - { id: law, kind: emulated, description: "Contracts, courts and legal advice" }
  - { id: general, kind: emulated, fallback: true }
`;

/** Eight questions for the cook and four for everybody, one of which the cook is made to answer. */
beforeAll(async () => {
  writeFileSync(config, CONFIG);
  const router = await gateway(CONFIG);
  for (let n = 0; n < 12; n++) {
    const content = n < 8 ? `A recipe for soup with ${n} carrots` : `Who won match ${n}?`;
    const model = n === 11 ? 'cook' : 'auto';
    const body = { model, max_tokens: 8, messages: [{ role: 'user', content }] };
    await (await router.post('/v1/chat/completions', body)).text();
  }
  await router.close();
});

async function advise(...args: string[]): Promise<string> {
  const lines: string[] = [];
  const { log, error } = console;
  console.log = (line: unknown) => void lines.push(String(line));
  console.error = () => {};
  try {
    await adviseCommand()
      .exitOverride()
      .configureOutput({ writeErr: () => {} })
      .parseAsync([config, '--gpu', 'l40s', ...args], { from: 'user' });
  } finally {
    Object.assign(console, { log, error });
  }
  return lines.join('\n');
}
const MODEL = ['--model', 'llama-3.1-8b'];

describe('advise', () => {
  it('counts the prompts that suit an expert, whoever answered, and finds what serves their peak', async () => {
    const { experts, replayed, recorded } = JSON.parse(await advise(...MODEL, '--price', '2', '--json'));
    expect(experts.map((one: { requests: number }) => one.requests)).toEqual([8, 0, 4]);
    const [cook, law, general] = experts;
    expect(cook).toMatchObject({ model: 'llama-3.1-8b', elsewhere: 0, replicas_now: 1, min: 1 });
    expect(general.elsewhere).toBe(1);
    const { replicas, gpu, gpus, tensor_parallel: degree, usd_per_hour: usd } = cook.placement;
    expect({ gpu, gpus }).toEqual({ gpu: 'l40s', gpus: replicas * degree });
    expect(usd).toBe(2 * gpus);
    expect(cook.max).toBe(replicas);
    expect(cook.placement.holds_per_second).toBeGreaterThanOrEqual(cook.peak_per_second);
    expect(cook.placement.ttft_ms_p95).toBeLessThanOrEqual(2_000);
    expect(law).toMatchObject({
      placement: null,
      min: 0,
      max: 0,
      change: expect.stringMatching(/nobody asked/),
    });
    expect(replayed.requests).toBe(12);
    expect(recorded.requests).toBe(12);
  });

  it('takes another model for each expert, and a dearer level costs no less', async () => {
    const models = 'cook=llama-3.1-70b,llama-3.1-8b';
    const { experts } = JSON.parse(await advise('--model', models, '--gpus', '16', '--json'));
    expect(experts.map((one: { model: string }) => one.model)).toEqual([
      'llama-3.1-70b',
      'llama-3.1-8b',
      'llama-3.1-8b',
    ]);
    const lax = JSON.parse(await advise(...MODEL, '--slo', 'ttft.p95=10s', '--json'));
    const strict = JSON.parse(await advise(...MODEL, '--slo', 'tpot=9ms', '--json'));
    const cost = ({ experts: [cook] }: { experts: { placement: { usd_per_hour: number } | null }[] }) =>
      cook!.placement?.usd_per_hour ?? Number.POSITIVE_INFINITY;
    expect(cost(strict)).toBeGreaterThanOrEqual(cost(lax));
  });

  it('says where nothing keeps the level, and replays nothing then', async () => {
    const { experts, replayed } = JSON.parse(await advise(...MODEL, '--slo', 'tpot=1ms', '--json'));
    expect(experts[0]).toMatchObject({ placement: null, change: expect.stringMatching(/allow more GPUs/) });
    expect(replayed).toBeNull();
  });

  it('is a table for people', async () => {
    const text = await advise(...MODEL);
    expect(text).toMatch(/^expert +requests +elsewhere +peak\/s/m);
    expect(text).toMatch(/^cook +8 +0 % /m);
    expect(text).toMatch(/^law +0 +– /m);
    expect(text).toMatch(/^replayed on this/m);
  });

  it('writes values for the chart, and keeps what else is in them', async () => {
    await advise(...MODEL, '--apply', values);
    const fresh = parse(readFileSync(values, 'utf8'));
    expect(fresh.config.experts).toEqual(parse(CONFIG).experts);
    expect(fresh.config.listen).toBeUndefined();
    expect(fresh.replicas).toBe(1);
    expect(fresh.experts.map(({ id }: { id: string }) => id)).toEqual(['cook', 'law', 'general']);
    expect(fresh.experts[1].scale).toEqual({ target: { name: 'law' }, min: 0, max: 1 });
    writeFileSync(
      values,
      `# ours
terminationGracePeriodSeconds: 99
experts:
  # the kitchen
  - id: cook
    route: true
    scale: { target: { name: vllm-cook }, max: 99, cooldown: 60 } # KEDA
`,
    );
    await advise(...MODEL, '--apply', values);
    await advise(...MODEL, '--apply', values);
    const text = readFileSync(values, 'utf8');
    expect(text).toMatch(/^# ours\n/);
    expect(text).toContain('# the kitchen');
    expect(text.match(/# Advised: llama-3\.1-8b in /g)).toHaveLength(2);
    const kept = parse(text);
    expect(kept).toMatchObject({
      terminationGracePeriodSeconds: 99,
      replicas: 1,
      experts: [{ id: 'cook', route: true }, {}, {}],
    });
    expect(kept.config).toBeUndefined();
    expect(kept.experts[0].scale).toMatchObject({ target: { name: 'vllm-cook' }, cooldown: 60, min: 1 });
    expect(kept.experts[0].scale.max).toBeLessThan(99);
    const shared = 'replicas: 3\nconfig: { limits: { redis: "redis://r" } }\n';
    writeFileSync(values, shared);
    await advise(...MODEL, '--apply', values);
    expect(parse(readFileSync(values, 'utf8')).replicas).toBe(3);
  });

  it.each<[string, string[], RegExp]>([
    ['an expert whose model nobody knows', [], /--model: say what 'cook' is, as in --model cook=/],
    ['a stranger', ['--model', 'cok=llama-3.1-8b'], /no expert is called 'cok'/],
    ['a folder without records', [...MODEL, '--records', folder], /There are no records in/],
    ['a bad level', [...MODEL, '--slo', 'fast'], /--slo/],
    ['a bad time', [...MODEL, '--last', 'yesterday'], /--last: must be a time/],
    ['a GPU that is none', [...MODEL, '--gpu', 'h1000'], /h1000/],
    ['no GPU', [...MODEL, '--gpus', '0'], /--gpus/],
  ])('refuses %s', async (_, args, why) => {
    await expect(advise(...args)).rejects.toThrow(why);
  });

  it('leaves a values file alone that it does not understand', async () => {
    const odd = join(folder, 'odd.yaml');
    for (const text of ['- a\n- b\n', 'experts: none\n', 'a: [\n', 'replicas: 3\n']) {
      writeFileSync(odd, text);
      await expect(advise(...MODEL, '--apply', odd)).rejects.toThrow(
        /--apply: .*odd\.yaml is left as it was/,
      );
      expect(readFileSync(odd, 'utf8')).toBe(text);
    }
    expect(existsSync(`${odd}.tmp`)).toBe(false);
  });
});
