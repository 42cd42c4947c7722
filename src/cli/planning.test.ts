import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { printed } from '../../test/support/printed.ts';
import { UserError } from '../core/errors.ts';
import { loadConfig } from '../serving/config/load.ts';
import { UNMODELLED } from '../simulating/unmodelled.ts';
import { planCommand } from './plan.ts';
import { composeLoad } from './simulate/compose.ts';
import { parseScenario } from './simulate/scenario-file.ts';
import { simulateCommand } from './simulate.ts';

const folder = mkdtempSync(join(tmpdir(), 'planning-'));

const plan = (...args: string[]) => printed(planCommand(), args);

describe('plan', () => {
  it("answers the paper's question in JSON with the promised fields", async () => {
    const f = JSON.parse(
      await plan('--model', 'llama-2-13b', '--gpu', 'h100', '--precision', 'fp8', '--json'),
    );
    expect(f.kv_cache_gb).toBeGreaterThan(62);
    expect(f.kv_cache_gb).toBeLessThan(67);
    for (const field of ['weights_gb', 'max_tokens_in_kv', 'max_concurrent', 'tokens_per_second'])
      expect(f[field]).toBeGreaterThan(0);
  });

  it('refuses what no measurement lets it model, and says what would do', async () => {
    await expect(plan('--model', 'llama-3.1-8b', '--pipeline-parallel', '2')).rejects.toThrow(
      /--pipeline-parallel: pipeline parallelism is not modelled.*tensor_parallel/,
    );
    await expect(plan('--model', 'llama-3.1-8b', '--speculative')).rejects.toThrow(/calibrated/);
    const scenario = (more: string) => `users: 1\nplacements: [{ model: llama-3.1-8b, ${more} }]`;
    for (const key of Object.keys(UNMODELLED))
      expect(() => parseScenario(scenario(`${key}: 2`), 'x.yaml')).toThrow(`x.yaml: ${key}: `);
  });

  it('takes the smallest degree that fits when none is given', async () => {
    expect(JSON.parse(await plan('--model', 'llama-3.1-70b', '--precision', 'fp16', '--json')).gpus).toBe(2);
  });

  it("reads a model's own config.json", async () => {
    const path = join(folder, 'config.json');
    writeFileSync(
      path,
      JSON.stringify({
        num_hidden_layers: 2,
        hidden_size: 256,
        num_attention_heads: 4,
        intermediate_size: 512,
        vocab_size: 1000,
        max_position_embeddings: 4096,
      }),
    );
    expect(JSON.parse(await plan('--model', path, '--json')).weights_gb).toBeLessThan(0.1);
    expect(await plan('--model', folder)).toBe(await plan('--model', path));
    const other = join(folder, 'small-one.json');
    copyFileSync(path, other);
    expect(await plan('--model', other)).toMatch(/^small-one fp8, 1 x h100/);
  });

  it('says what it assumed of users, what it proposes, how far that holds, and what it rejected', async () => {
    const args = [
      '--model',
      'llama-3.1-8b,llama-3.1-70b',
      '--users',
      '100',
      '--slo',
      'ttft.p95=2s,tpot=20ms',
    ];
    const text = await plan(...args);
    expect(text).toMatch(/Assumed: every user asks again as soon as they are answered/);
    expect(text).toMatch(/ok +1 x \(llama-3.1-8b fp8, 1 x h100\).*breaks at|ok .*beyond \d+ users/);
    expect(text).toMatch(/Rejected\nno /);
    expect(await plan(...args, '--think', '20s')).not.toMatch(/Assumed/);
  });

  it('searches only what was given: a degree, a format of the cache, how experts are shared out', async () => {
    const found = async (...args: string[]) =>
      JSON.parse(await plan('--users', '20', '--think', '20s', '--json', ...args));
    const { proposed, rejected, unexamined } = await found('--model', 'llama-3.1-8b', '--tp', '2');
    expect(new Set([...proposed, ...rejected, ...unexamined].map((p) => p.gpus / p.copies))).toEqual(
      new Set([2]),
    );
    const wide = await found('--model', 'llama-3.1-8b', '--kv-cache', '16bit', '--precision', 'fp8');
    const narrow = await found('--model', 'llama-3.1-8b', '--precision', 'fp8');
    expect(wide.proposed[0].max_concurrent).toBeLessThan(0.6 * narrow.proposed[0].max_concurrent);
    const dealt = await found('--model', 'qwen3-30b-a3b', '--expert-parallel', '--tp', '2');
    expect(dealt.proposed[0].name).toMatch(/experts dealt out/);
  });

  it('says where the longest requests are cut to what a model was trained for', async () => {
    const text = await plan('--model', 'llama-2-7b', '--users', '5', '--lengths', 'chat');
    expect(text).toMatch(/Assumed: llama-2-7b gets no request longer than the 4096 tokens/);
  });

  it('draws what waiting less costs', async () => {
    const html = join(folder, 'plan.html');
    const load = ['--users', '50', '--think', '10s', '--gpus', '2', '--slo', 'ttft=200ms'];
    await plan('--model', 'llama-3.1-8b', ...load, '--html', html);
    const text = readFileSync(html, 'utf8');
    expect(text.match(/<svg/g)).toHaveLength(2);
    expect(text).toMatch(/\* 1 x \(llama-3.1-8b/);
    // What is to be kept is drawn, and every point says what it is.
    expect(text).toMatch(/<line class="axis" stroke-dasharray[^>]*><text[^>]*>TTFT mean ≤ 200 ms/);
    expect(text).toMatch(/<title>1 x \(llama-3.1-8b [^<]*an hour, TTFT mean/);
    expect(text).not.toMatch(/https?:|NaN/);
  });

  it('takes a price for each GPU, and prices the others by its table', async () => {
    const cost = async (...price: string[]): Promise<number> =>
      JSON.parse(await plan('--model', 'llama-3.1-8b', '--gpu', 'h200', '--json', ...price))
        .usd_per_million_output_tokens;
    expect(await cost('--price', 'h100=1,h200=6.8')).toBeCloseTo(2 * (await cost('--price', 'h200=3.4')), 3);
    expect(await cost('--price', 'h100=9')).toBe(await cost());
  });

  it('rents whole machines of the clouds that are named, each copy within one', async () => {
    const args = ['--model', 'llama-3.1-70b', '--gpu', 'h100,h200', '--rate', '10', '--json'];
    const { proposed } = JSON.parse(await plan(...args, '--cloud', 'oci,nebius'));
    for (const { gpus, copies, usd_per_hour, rent } of proposed) {
      expect(Math.floor(rent.instance.gpus / (gpus / copies)) * rent.count).toBeGreaterThanOrEqual(copies);
      expect(usd_per_hour).toBeCloseTo(rent.count * rent.instance.usdPerHour, 1);
      expect(['oci', 'nebius']).toContain(rent.instance.cloud);
    }
    const one = ['--model', 'llama-3.1-8b', '--gpu', 'h100', '--json'];
    const share = async (...by: string[]): Promise<number> =>
      JSON.parse(await plan(...one, ...by)).usd_per_million_output_tokens;
    expect(await share('--cloud', 'lambda')).toBeCloseTo(await share('--price', String(23.92 / 8)), 3);
  });

  it('prints a config that the router accepts', async () => {
    const text = await plan('--model', 'llama-3.1-8b', '--users', '1000', '--experts', '8', '--recipe');
    const path = join(folder, 'router.yaml');
    writeFileSync(path, text);
    expect((await loadConfig(path, {})).experts).toHaveLength(8);
  });

  it('says what would do where nothing does: a longer wait, or so many GPUs', async () => {
    const model = ['--model', 'llama-3.1-8b'];
    const wait =
      /Nothing keeps TTFT mean ≤ 1 ms, however many GPUs: of one user alone it is \d+ ms at the least/;
    expect(await plan(...model, '--users', '100', '--slo', 'ttft=1ms,tpot=1s')).toMatch(wait);
    const text = await plan(...model, '--rate', '300', '--gpus', '4');
    const gpus = /Nothing carries this load: by arithmetic it takes (\d+) GPUs or more/.exec(text)?.[1];
    expect(Number(gpus)).toBeGreaterThan(4);
    const enough = await plan(...model, '--rate', '300', '--gpus', String(1 + Number(gpus)), '--json');
    expect(JSON.parse(enough).proposed.length).toBeGreaterThan(0);
  });

  it('says how many long prompts a second it can read, if they are few', async () => {
    const asked = [
      '--model',
      'llama-3.1-70b',
      '--gpu',
      'l40s',
      '--rate',
      '2',
      '--input',
      '30000',
      '--output',
      '1',
    ];
    expect(await plan(...asked)).toMatch(/answers 0\.\d+ requests\/s at most/);
  });

  it('takes a model or a GPU that is named twice once', async () => {
    const names = ['--model', 'llama-3.1-8b,meta-llama/Llama-3.1-8B-Instruct', '--gpu', 'h100,H100'];
    const { proposed } = JSON.parse(await plan(...names, '--users', '5', '--json'));
    expect(new Set(proposed.map(({ name }: { name: string }) => name)).size).toBe(proposed.length);
  });

  it.each([
    [['--model', 'llama-3.1-8b', '--input', '-5'], /--input: must be a whole number above 0/],
    [['--model', 'llama-3.1-8b', '--slo', 'ttft=fast', '--users', '5'], /--slo: "ttft=fast"/],
    [['--model', 'llama-3.1-8b', '--tp', '3'], /tensor-parallel.*possible/],
    [['--model', 'llama-3.1-405b', '--gpu', 'l4'], /does not fit.*GB too little/],
    [
      ['--model', 'llama-3.1-405b', '--gpus', '1', '--users', '5'],
      /nothing fits on 1 x h100; the least that does is llama-3.1-405b fp8, 8 x h100: --gpus 8/,
    ],
    [
      ['--model', 'deepseek-v3', '--gpu', 'h100', '--gpus', '1', '--users', '5'],
      /deepseek-v3 fp8, 8 x h100 does not fit.*The nearest that fits: deepseek-v3 fp8, 8 x h/,
    ],
    [['--model', 'llama-3.1-8b', '--users', '5', '--tp', '3'], /32 heads.*The nearest that works is 2/],
    [['--model', 'llama-3.1-8b', '--users', '5', '--attention-dp'], /no mixture of experts/],
    [['--model', 'llama-3.1-8b,llama-3.1-70b'], /--model: .* are several; name one, or add --users/],
    [['--model', 'llama-3.1-8b', '--gpu', 'h100,h200'], /--gpu: .* are several/],
    [['--model', 'llama-3.1-8b', '--lengths', 'chat', '--input', '9'], /--lengths: .*leave out --input/],
    [['--model', 'llama-3.1-8b', '--precision', 'nvfp4'], /H100 .* no FP4 units.*The nearest is int4/],
    [['--model', 'llama-2-7b', '--input', '5000'], /trained for/],
    [['--model', 'llama-2-7b', '--input', '5000', '--users', '5'], /trained for/],
    [['--model', 'llama-3.1-8b', '--users', '0'], /--users: must be a whole number above 0/],
    [['--model', 'llama-3.1-8b', '--users', '5', '--rate', '2'], /--users, --rate/],
    [['--model', 'llama-3.1-8b', '--users', '1000000000'], /--users: at most 2,000,000/],
    [['--model', 'llama-3.1-8b', '--users', '5', '--slo', 'ttft=1s,ttft.mean=2s'], /ttft.mean is said twice/],
    [['--model', 'llama3'], /Did you mean "llama-3-8b" or "llama-3-70b"/],
    [['--model', 'llama-3.1-8b', '--gpu', 'v100'], /"v100" is not known.*Known: h100.*l40s/],
    [['--model', 'llama-3.1-8b', '--rate', '2', '--think', '3s'], /--think: goes with --users/],
    [['--model', 'llama-3.1-8b', '--users', '5', '--think', 'long'], /--think: must be a time such as 20s/],
    [['--model', 'llama-3.1-8b', '--price', 'h100=free'], /--price: "free"/],
    [['--model', 'llama-3.1-8b', '--price', 'h1000=2'], /gpu: "h1000".*Did you mean "h100"/],
    [['--model', 'llama-3.1-8b', '--gpu', 'a100', '--precision', 'fp8'], /no FP8 units; it can run/],
    [['--model', 'llama-3.1-8b', '--gpu', 'a100', '--precision', 'fp8', '--users', '5'], /no FP8 units/],
    [['--model', 'llama-3.1-8b', '--expert-parallel'], /no mixture of experts/],
    [['--model', 'deepseek-v3', '--gpu', 'h100', '--tp', '1'], /does not fit.*GB too little/],
    [['--model', 'deepseek-v3', '--gpu', 'h100'], /does not fit.*GB too little/],
    [['--model', 'llama-3.1-8b', '--html', 'page.html'], /--html: .*add --users or --rate/],
    [['--model', 'llama-3.1-8b', '--slo', 'ttft=1s'], /--slo: .*add --users or --rate/],
    [['--model', 'llama-3.1-8b', '--rate', '2', '--cloud', 'azur'], /--cloud: "azur" is not known/],
    [['--model', 'llama-3.1-8b', '--rate', '2', '--cloud', 'aws'], /these clouds have one: lambda, nebius/],
    [['--model', 'llama-3.1-8b', '--cloud', 'oci', '--price', '2'], /--cloud, --price: .*keep one/],
    [
      ['--model', 'llama-3.1-8b', '--gpu', 'h100,h20', '--rate', '2'],
      /--price: .*none for h20.*--price h20=/,
    ],
    [['--model', 'llama-3.1-8b', '--gpu', 'mi300x'], /NVIDIA's GPUs alone.*vllm does/],
    [['--model', 'nothing.json'], /cannot read nothing.json/],
    [['--model', 'llama-3.1-8b', '--kv-fraction', '1.5'], /--kv-fraction/],
  ])('%j is refused by name', async (args, message) => {
    await expect(plan(...args)).rejects.toThrow(message);
    await expect(plan(...args)).rejects.toThrow(UserError);
  });
});

const SCENARIO = `
users: [2, 20]
seconds: 5
warmup: 1
lengths: { prompt: 200, output: { median: 40, p95: 80, max: 100 } }
placements:
  - { name: small, model: llama-3.1-8b, experts: 2 }
  - { name: large, model: llama-3.1-70b, tensor_parallel: 2 }
`;

describe('simulate', () => {
  const path = join(folder, 'scenario.yaml');
  writeFileSync(path, SCENARIO);
  const run = (...args: string[]) => printed(simulateCommand(), [path, ...args]);

  it('writes the figures with the load test’s fields, and a report that needs nothing else', async () => {
    const [json, html] = [join(folder, 'out.json'), join(folder, 'out.html')];
    await run('--compare', 'placements', '--out', json, '--html', html);
    const { runs } = JSON.parse(readFileSync(json, 'utf8'));
    expect(runs.map((r: { name: string }) => r.name)).toEqual(['small', 'large']);
    const stage = runs[0].stages[1];
    expect(stage.users).toBe(20);
    for (const field of ['requests', 'errors', 'tokens_per_second'])
      expect(typeof stage[field]).toBe('number');
    for (const field of ['ttft_ms', 'tpot_ms', 'e2e_ms']) expect(stage[field].p95).toBeGreaterThan(0);
    expect(readFileSync(html, 'utf8')).not.toMatch(/https?:/);
  });

  it('prints a table', async () => {
    expect(await run()).toMatch(/small +20/);
    expect(await run()).toMatch(/Assumed: every user asks again as soon as they are answered/);
  });

  it('runs fleets of different experts on different GPUs, conversations, and front ends with a limit', async () => {
    const mixed = join(folder, 'mixed.yaml');
    const fleet = `
  - name: mixed
    fleet:
      - { model: llama-3.1-8b, gpu: l40s, experts: 2 }
      - { model: llama-3.1-70b, gpu: h100, tensor_parallel: 2, engine: vllm }
      - { model: deepseek-v3, gpu: h200, tensor_parallel: 8, expert_parallel: true, attention_data_parallel: true }
`;
    writeFileSync(
      mixed,
      `${SCENARIO.slice(0, SCENARIO.indexOf('placements:'))}turns: 3\nplacements:${fleet}`,
    );
    const json = join(folder, 'mixed.json');
    await printed(simulateCommand(), [mixed, '--out', json]);
    const [run] = JSON.parse(readFileSync(json, 'utf8')).runs;
    expect(run.gpus).toBe(2 + 2 + 8);
    expect(run.stages[1].experts.map((e: { gpus: number }) => e.gpus)).toEqual([1, 1, 2, 8]);
    for (const expert of run.stages[1].experts) expect(expert.tokens_per_second).toBeGreaterThan(0);

    const limited = join(folder, 'limited.yaml');
    writeFileSync(limited, SCENARIO.replace('experts: 2 }', 'experts: 2, front_end: 100 }'));
    await printed(simulateCommand(), [limited, '--out', json]);
    expect(JSON.parse(readFileSync(json, 'utf8')).runs[0].stages[1].tokens_per_second).toBeLessThan(
      1.2 * 200,
    );
  });

  it('shows what saturation hides as lower bounds, and says so', async () => {
    const open = join(folder, 'open.yaml');
    writeFileSync(open, SCENARIO.replace('users: [2, 20]', 'arrivals: { poisson: { rate: 5000 } }'));
    const text = await printed(simulateCommand(), [open]);
    expect(text).toMatch(/small +– +[\d,]+ +> [\d,]+ m?s +> [\d,]+ m?s/);
    expect(text).toMatch(/small: it is saturated: \d+ % of the requests/);
    expect(text).not.toMatch(/ 0 ms/);
  });

  it('says when nobody asked, instead of a table of zeros', async () => {
    const rare = join(folder, 'rare.yaml');
    writeFileSync(rare, SCENARIO.replace('users: [2, 20]', 'arrivals: { poisson: { rate: 0.001 } }'));
    const text = await printed(simulateCommand(), [rare]);
    expect(text).toMatch(/small +– +0 +– +–/);
    expect(text).toMatch(/nobody asked within the 5 measured seconds/);
  });

  it.each([
    ['user: 5', /s\.yaml:1:1: user: unknown key; did you mean 'users'\?/],
    ['users: 5\narrivals: { poisson: { rate: 1 } }', /both "users" and "arrivals"/],
    ['seconds: 5', /needs "users"/],
    ['users: 5\nlengths: long', /lengths: "long" is not known/],
    ['users: 5\nseconds: [', /not valid YAML/],
    ['turns: 3\narrivals: { poisson: { rate: 1 } }', /turns: only users have conversations/],
    ['users: 0', /users: must be a whole number above 0, is 0; the nearest that works is 1/],
    ['users: 5\nseconds: "ten"', /seconds/],
  ])('%j is refused by name', async (head, message) => {
    const bad = `${head}\nplacements: [{ model: llama-3.1-8b }]\n`;
    await expect((async () => composeLoad(parseScenario(bad, 's.yaml')))()).rejects.toThrow(message);
  });
});

describe('the scenarios that come with the project', () => {
  it('are valid', () => {
    const scenarios = execFileSync('ls', ['evaluation/scenarios'], { encoding: 'utf8' }).trim().split('\n');
    for (const name of scenarios) {
      const path = join('evaluation/scenarios', name);
      expect(parseScenario(readFileSync(path, 'utf8'), path).placements.length).toBeGreaterThan(0);
    }
  });
});
