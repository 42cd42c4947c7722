import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deployment } from '../deployment.ts';
import { countParameters } from '../model/shape.ts';
import { roundedMax } from './gemm.ts';
import { expertsMet, popularity } from './mixture.ts';
import { type StepLoad, stepCost } from './step.ts';

const cost = (model: string, gpu: string, precision: string, tensorParallel = 1) =>
  stepCost(deployment({ model, gpu, precision, tensorParallel }));

const decode = (sequences: number, context: number): StepLoad => ({
  decodeSequences: sequences,
  decodeContext: sequences * context,
  prefillTokens: 0,
  prefillSequences: 0,
  prefillPairs: 0,
  logitRows: sequences,
});

const prefill = (tokens: number): StepLoad => ({
  ...decode(0, 0),
  prefillTokens: tokens,
  prefillSequences: 1,
  prefillPairs: (tokens * (tokens + 1)) / 2,
  logitRows: 1,
});

describe('step cost', () => {
  it('never beats physics: one token cannot come faster than the weights can be read', () => {
    for (const [model, tp] of [
      ['llama-3.1-8b', 1],
      ['llama-3.1-70b', 2],
      ['llama-3.1-70b', 8],
    ] as const) {
      const { attention, feedForward } = countParameters(
        deployment({ model, gpu: 'h100', precision: 'fp8' }).model,
      );
      const floor = (attention + feedForward) / tp / 3.35e12;
      expect(cost(model, 'h100', 'fp8', tp).seconds(decode(1, 128))).toBeGreaterThan(floor);
    }
  });

  it('never beats physics: a prompt takes at least its operations at peak', () => {
    const { model } = deployment({ model: 'llama-3.1-70b', gpu: 'h200', precision: 'fp8' });
    const { attention, feedForward } = countParameters(model);
    const floor = (2 * (attention + feedForward) * 8192) / 1978e12;
    expect(cost('llama-3.1-70b', 'h200', 'fp8').seconds(prefill(8192))).toBeGreaterThan(floor);
  });

  it('is memory-bound for one sequence and compute-bound for a long prompt', () => {
    const c = cost('llama-3.1-8b', 'h100', 'fp16');
    expect(c.breakdown(decode(1, 500)).productsBoundBy).toBe('memory');
    expect(c.breakdown(prefill(8192)).productsBoundBy).toBe('compute');
  });

  it('never makes a narrower format slower, not even for a lone user of a small model over eight GPUs', () => {
    for (const gpu of ['h100', 'h200', 'l40s', 'b200'])
      for (const [model, tp] of [
        ['llama-2-7b', 8],
        ['llama-3.1-8b', 1],
        ['llama-3.1-70b', 8],
        ['qwen3-30b-a3b', 1],
      ] as const) {
        const lone = (precision: string): number => cost(model, gpu, precision, tp).seconds(decode(1, 300));
        expect(lone('fp8'), `${model} ${gpu}`).toBeLessThan(lone('fp16'));
      }
  });

  it('talks over PCIe beyond the GPUs that a bridge joins', () => {
    const gain = (gpu: string): number =>
      cost('llama-3.1-70b', gpu, 'fp8', 2).seconds(prefill(8192)) /
      cost('llama-3.1-70b', gpu, 'fp8', 4).seconds(prefill(8192));
    expect(gain('h100')).toBeGreaterThan(1.4);
    expect(gain('h100-nvl')).toBeLessThan(1.2);
  });

  it('decodes few heads a key slowly on an old engine, and many on its tensor cores', () => {
    const slower = (model: string): number => {
      const seconds = (engine: string): number =>
        stepCost(deployment({ model, gpu: 'h200', precision: 'fp8', tensorParallel: 1, engine })).seconds(
          decode(100, 4000),
        );
      return seconds('tensorrt-llm-0.10') / seconds('tensorrt-llm');
    };
    // Llama-3-8B shares keys among four heads, 70B among eight.
    expect(slower('llama-3-8b')).toBeGreaterThan(1.4 * slower('llama-3-70b'));
  });

  it('grows with everything in the step', () => {
    const c = cost('llama-3.1-8b', 'h100', 'fp8');
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 1, max: 4000 }),
        (sequences, context) => {
          const now = c.seconds(decode(sequences, context));
          expect(c.seconds(decode(sequences + 1, context))).toBeGreaterThan(now);
          expect(c.seconds(decode(sequences, context + 100))).toBeGreaterThan(now);
          expect(c.seconds({ ...decode(sequences, context), ...prefillPart(256) })).toBeGreaterThan(now);
        },
      ),
    );
  });

  it('breaks down into parts that sum to the whole', () => {
    const c = cost('llama-3.1-70b', 'h100', 'fp8', 4);
    const load = { ...decode(64, 1000), ...prefillPart(2048) };
    const { products, attention, elementwise, communication, overhead } = c.breakdown(load);
    expect(products + attention + elementwise + communication + overhead).toBeCloseTo(c.seconds(load), 12);
    expect(communication).toBeGreaterThan(0);
  });

  it('decodes a sliding-window model faster at long context', () => {
    const d = deployment({ model: 'llama-3.1-8b', gpu: 'h100', precision: 'fp8' });
    const [all] = d.model.attention;
    const halves = [16, 16].map((layers, i) => ({
      ...all!,
      kind: 'heads',
      layers,
      window: i === 0 ? 128 : null,
    }));
    const windowed = { ...d, model: { ...d.model, attention: halves as typeof d.model.attention } };
    expect(stepCost(windowed).seconds(decode(64, 8000))).toBeLessThan(stepCost(d).seconds(decode(64, 8000)));
  });
});

describe('mixtures of experts', () => {
  it('choose as many experts a token as the model says, the liked ones first', () => {
    for (const [experts, active] of [
      [8, 2],
      [128, 8],
      [256, 8],
    ] as const) {
      const chances = popularity(experts, active);
      expect(chances.reduce((a, b) => a + b, 0)).toBeCloseTo(active, 9);
      expect(Math.max(...chances)).toBeLessThanOrEqual(1);
      expect(chances).toEqual(chances.toSorted((a, b) => b - a));
    }
  });

  it('meet the active experts with one token and all of them with many', () => {
    expect(expertsMet(popularity(8, 2), 1)).toBeCloseTo(2);
    expect(expertsMet(popularity(8, 2), 1000)).toBeCloseTo(8);
    expect(expertsMet(popularity(256, 8), 100)).toBeLessThan(256);
  });

  it('decode faster than a dense model of all their weights, slower than one of the active ones', () => {
    const mixture = cost('qwen3-30b-a3b', 'h200', 'fp8').seconds(decode(1, 500));
    const { active, total } = countParameters(
      deployment({ model: 'qwen3-30b-a3b', gpu: 'h200', precision: 'fp8' }).model,
    );
    expect(mixture).toBeGreaterThan(active / 4.8e12);
    expect(mixture).toBeLessThan(total / 4.8e12);
  });

  it('do not gain from replicated attention without sequences to share out', () => {
    const names = { model: 'deepseek-v3', gpu: 'h200', precision: 'fp8', tensorParallel: 8 };
    const split = stepCost(deployment(names));
    const replicated = stepCost(deployment({ ...names, attentionData: true, expertParallel: true }));
    expect(replicated.seconds(decode(8, 500))).toBeGreaterThan(split.seconds(decode(8, 500)));
  });
});

describe('the rounded maximum', () => {
  it('lies between the maximum and the sum, and does not overflow', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e300, noNaN: true }),
        fc.double({ min: 0, max: 1e300, noNaN: true }),
        (a, b) => {
          const r = roundedMax(a, b, 4);
          expect(r).toBeGreaterThanOrEqual(Math.max(a, b));
          expect(r).toBeLessThanOrEqual((a + b) * (1 + 1e-9));
        },
      ),
    );
  });
});

function prefillPart(tokens: number): Partial<StepLoad> {
  return { prefillTokens: tokens, prefillSequences: 1, prefillPairs: (tokens * (tokens + 1)) / 2 };
}
