/** `learn`, `evaluate` and `calibrate-cost` as a person runs them, and the config that uses what they made. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../src/core/random.ts';

const BIN = join(import.meta.dirname, '..', 'bin', 'expert-router.js');
const CODE = 'python function loop error list string compile class test bug'.split(' ');
const FOOD = 'bread soup oven salt butter dough cake sugar recipe pan'.split(' ');

let folder: string;
const file = (name: string): string => join(folder, name);

function outcomes(count: number, seed: number): string {
  const random = seededRandom(seed);
  const lines = Array.from({ length: count }, (_, row) => {
    const code = row % 2 === 0;
    const words = code ? CODE : FOOD;
    const prompt = Array.from({ length: 7 }, () => words[random.below(words.length)]).join(' ');
    const score = (chance: number): number => Number(random.next() < chance);
    return JSON.stringify({
      prompt,
      task: code ? 'code' : 'food',
      scores: { coder: score(code ? 0.9 : 0.2), writer: score(code ? 0.4 : 0.8) },
      costs: { coder: 0.004, writer: 0.001 },
    });
  });
  return lines.join('\n');
}

function run(...args: readonly string[]): {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
} {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, ...args], {
    encoding: 'utf8',
    cwd: folder,
  });
  return { status, out: stdout, err: stderr };
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'learn-'));
  writeFileSync(file('outcomes.jsonl'), outcomes(600, 1));
  writeFileSync(file('held-out.jsonl'), outcomes(300, 2));
  writeFileSync(
    file('experts.yaml'),
    [
      `router: ${file('learned.safetensors')}`,
      'experts:',
      '  - { id: coder, kind: emulated }',
      '  - { id: writer, kind: emulated, samples: ["Write a poem"] }',
      '  - { id: spare, kind: emulated }',
    ].join('\n'),
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Milliseconds: each test starts processes, which a busy machine makes wait. */
const PATIENCE = 240_000;

describe('learning from outcomes', { timeout: PATIENCE }, () => {
  it('reports what it found and writes a model', () => {
    const { status, out, err } = run(
      'learn',
      'outcomes.jsonl',
      '--out',
      'learned.safetensors',
      '--threads',
      '1',
      '--json',
    );
    expect(status, err).toBe(0);
    expect(err).toMatch(/600 prompts|59\d prompts/);
    expect(err).toMatch(/In cross-validation choosing by prompt scores/);
    expect(JSON.parse(out)).toMatchObject({ experts: [{ expert: 'coder' }, { expert: 'writer' }] });
    expect(run('inspect', 'learned.safetensors').out).toMatch(/coder 0\.\d\d ± 0\.\d\d/);
  });

  it('is judged on prompts it has not seen, with exactly the promised figures', () => {
    const { status, out, err } = run(
      ...['evaluate', 'held-out.jsonl', '--model', 'learned.safetensors', '--train', 'outcomes.jsonl'],
      ...['--report', 'page.html', '--json'],
    );
    expect(status, err).toBe(0);
    const figures = JSON.parse(out);
    expect(Object.keys(figures)).toEqual(
      'n score_micro score_macro cost best_single task_oracle oracle random delta_vs_best_single standard_error models_used'.split(
        ' ',
      ),
    );
    expect(figures.n).toBe(300);
    expect(figures.delta_vs_best_single).toBeGreaterThan(2 * figures.standard_error);
    expect(readFileSync(file('page.html'), 'utf8')).toContain('<svg');
  });

  it('decides in a config: by scores, with the reason', () => {
    const ask = (prompt: string): object =>
      JSON.parse(run('route', '-c', 'experts.yaml', '--json', prompt).out);
    expect(ask('python loop error in a list')).toMatchObject({ expert: 'coder', reason: 'learned' });
    expect(ask('bread dough in the oven')).toMatchObject({ expert: 'writer', reason: 'learned' });
    const judged = run('evaluate', 'held-out.jsonl', '--config', 'experts.yaml', '--json');
    expect(JSON.parse(judged.out).score_micro, judged.err).toBeGreaterThan(0.75);
    expect(judged.err).toMatch(/in the config, but not scored: spare/);
  });

  it('weighs what the config says of the experts, and says where it could not', () => {
    const check = (): string => run('check', '--config', 'experts.yaml').out;
    expect(check()).toContain('descriptions and samples do not count');
    const learned = run(
      'learn',
      'outcomes.jsonl',
      '--config',
      'experts.yaml',
      '--out',
      'learned.safetensors',
    );
    expect(learned.err).toMatch(/descriptions and samples (count too|say nothing beyond the scores)/);
    expect(check()).not.toContain('descriptions and samples do not count');
    const alone = run('train', 'outcomes.jsonl', '--config', 'experts.yaml');
    expect(alone).toMatchObject({ status: 2, err: expect.stringContaining('--label') });
  });

  it('weighs score against cost, and the config obeys', () => {
    const { status, out, err } = run(
      'calibrate-cost',
      'outcomes.jsonl',
      '-m',
      'learned.safetensors',
      '--threads',
      '1',
      '--per-thousand',
      '1.5',
      '--report',
      'curve.html',
    );
    expect(status, err).toBe(0);
    expect(readFileSync(file('curve.html'), 'utf8')).toContain('<svg');
    const knob = Number(/score_per_cost: ([\d.]+)/.exec(out)?.[1]);
    expect(knob).toBeGreaterThan(0);
    const config = readFileSync(file('experts.yaml'), 'utf8');
    writeFileSync(file('frugal.yaml'), `${config}\nworth: { score_per_cost: 1000 }\n`);
    const decided = JSON.parse(
      run('route', '-c', 'frugal.yaml', '--json', 'python loop error in a list').out,
    );
    expect(decided.expert).toBe('writer');
  });

  it('judges the samples of a config, each without itself', () => {
    const { status, err, out } = run('evaluate', '--config', 'experts.yaml', '--json');
    expect(status).toBe(1);
    expect(err).toMatch(/fewer than two samples/);
    expect(out).toBe('');
    const samples = (words: readonly string[]): string =>
      JSON.stringify(
        Array.from({ length: 5 }, (_, i) => [...words.slice(i), ...words.slice(0, i)].slice(0, 6).join(' ')),
      );
    writeFileSync(
      file('samples.yaml'),
      `router: ${file('learned.safetensors')}\nexperts:\n  - { id: c, kind: emulated, samples: ${samples(CODE)} }\n  - { id: f, kind: emulated, samples: ${samples(FOOD)} }\n`,
    );
    const judged = run('evaluate', '--config', 'samples.yaml', '--json');
    expect(JSON.parse(judged.out), judged.err).toMatchObject({ n: 10, score_micro: 1 });
  });

  it.each([
    [
      ['learn', 'outcomes.jsonl', '--field', 'frage'],
      1,
      /no field 'frage'.*The fields are: prompt, task, scores, costs/,
    ],
    [['learn', 'outcomes.jsonl', '--scale', '5:1'], 2, /two numbers, the lower one first/],
    [['learn', 'outcomes.jsonl', '--rename', 'coder'], 2, /such as gpt-4o=strong/],
    [['evaluate'], 2, /Name a file with scores or labels/],
    [['evaluate', 'held-out.jsonl'], 1, /has learned from no scores/],
    [['calibrate-cost', 'outcomes.jsonl', '--share', '30', '--keep', '99'], 2, /three aims for one knob/],
    [
      ['calibrate-cost', 'outcomes.jsonl', '--strong', 'x'],
      2,
      /no expert 'x' in the file; it has coder, writer/,
    ],
  ] as const)('%j is an error that says why', (args, code, why) => {
    const { status, err } = run(...args);
    expect({ status, err }).toEqual({ status: code, err: expect.stringMatching(why) });
  });
});
