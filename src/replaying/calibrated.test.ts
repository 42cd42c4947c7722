import { describe, expect, it } from 'vitest';
import { seededRandom } from '../core/random.ts';
import type { DecisionLine } from '../serving/records/record.ts';
import { deployment } from '../simulating/deployment.ts';
import { calibrated, movedTo } from './calibrated.ts';

const line = (at: number, more: Partial<DecisionLine>): DecisionLine => ({
  kind: 'decision',
  at,
  trace: 'a'.repeat(32),
  space: 'here',
  vector: '',
  cluster: 0,
  outside: false,
  chosen: 'one',
  reason: 'nearest-cluster',
  expert: 'one',
  tries: 1,
  status: 200,
  error: null,
  stream: true,
  prompt_tokens: 100,
  completion_tokens: 21,
  first_ms: 100,
  total_ms: 200,
  ...more,
});

/** One after another, so that each is alone: 40 ms and 0.1 ms a prompt token, then 10 ms a token. */
function alone(count: number, more: (index: number) => Partial<DecisionLine> = () => ({})): DecisionLine[] {
  return Array.from({ length: count }, (_, index) => {
    const prompt = [100, 400, 1_000][index % 3]!;
    const first = 40 + 0.1 * prompt;
    return line(index * 1_000, {
      prompt_tokens: prompt,
      first_ms: first,
      total_ms: first + 20 * 10,
      ...more(index),
    });
  });
}

describe('an engine timed by records', () => {
  it('has the line of its first tokens, and its pace', () => {
    const found = calibrated(alone(30), 'one', 1)!;
    expect(found.firstToken).toBeCloseTo(0.04, 2);
    expect(found.perPromptToken / 0.0001).toBeCloseTo(1, 0);
    expect(found.firstToken + 1_000 * found.perPromptToken).toBeCloseTo(0.14, 2);
    expect(found.perStep + found.perSequence).toBeCloseTo(0.01, 3);
  });

  it('is slower the more run beside it, over its replicas', () => {
    // Twenty at a time, each token 5 ms and 1 ms more for every request that runs.
    const batches = Array.from({ length: 6 }, (_, round) => 4 * (1 + (round % 5)));
    const lines = batches.flatMap((running, round) =>
      Array.from({ length: running }, () =>
        line(round * 10_000, { first_ms: 100, total_ms: 100 + 20 * (5 + running) }),
      ),
    );
    const one = calibrated(lines, 'one', 1)!;
    expect(one.perStep).toBeCloseTo(0.005, 3);
    expect(one.perSequence).toBeCloseTo(0.001, 4);
    expect(calibrated(lines, 'one', 4)!.perSequence).toBeCloseTo(0.004, 3);
  });

  it('takes no time in the gateway’s queue, nor cached tokens, for the engine’s', () => {
    const queued = alone(30, (index) => {
      const [wait, first] = [700 * (index % 2), 140];
      return {
        asked_ms: wait,
        prompt_tokens: 5_000,
        cached_tokens: 4_000,
        first_ms: wait + first,
        total_ms: wait + first + 200,
      };
    });
    expect(calibrated(queued, 'one', 1)!.firstToken).toBeCloseTo(0.14, 2);
  });

  it('is unknown where too little is told', () => {
    expect(calibrated(alone(19), 'one', 1)).toBeNull();
    expect(calibrated(alone(50), 'another', 1)).toBeNull();
    for (const more of [
      { stream: false },
      { first_ms: null },
      { completion_tokens: null },
      { prompt_tokens: null },
      { error: 'expert_failed' },
      { first_ms: 0, total_ms: 0 },
      { completion_tokens: 1 },
    ])
      expect(
        calibrated(
          alone(50, () => more),
          'one',
          1,
        ),
      ).toBeNull();
  });

  it('is finite and not negative, whatever the records say', () => {
    const generator = seededRandom(7);
    const random = (): number => generator.next();
    for (let round = 0; round < 50; round++) {
      const lines = Array.from({ length: 60 }, () => {
        const first = Math.floor(random() * 2_000);
        return line(Math.floor(random() * 5_000), {
          prompt_tokens: Math.floor(random() * 9_000),
          completion_tokens: Math.floor(random() * 50),
          cached_tokens: Math.floor(random() * 20_000),
          asked_ms: Math.floor(random() * 3_000),
          first_ms: first,
          total_ms: first + Math.floor(random() * 900),
        });
      });
      const found = calibrated(lines, 'one', 2);
      if (found === null) continue;
      for (const value of Object.values(found)) expect(value).toBeGreaterThanOrEqual(0);
    }
  });

  it('becomes faster with a faster GPU, by as much as the models say', () => {
    const on = (gpu: string) =>
      deployment({ model: 'llama-3.1-8b', gpu, precision: 'fp16', tensorParallel: 1, engine: 'vllm' });
    const own = { firstToken: 0.1, perPromptToken: 1e-4, perStep: 0.02, perSequence: 1e-4, error: 0 };
    const faster = movedTo(own, on('a100'), on('h200'));
    for (const part of ['firstToken', 'perPromptToken', 'perStep', 'perSequence'] as const)
      expect(faster[part]).toBeLessThan(own[part]);
    expect(movedTo(own, on('a100'), on('a100'))).toEqual(own);
  });
});
