import { describe, expect, it } from 'vitest';
import { deployment } from './deployment.ts';
import { requireFit } from './fit.ts';
import { DEFAULT_LIMITS, memoryBudget } from './memory.ts';

const budget = (model: string, gpu: string, precision: string, tensorParallel = 1) =>
  memoryBudget(deployment({ model, gpu, precision, tensorParallel }));

describe('an old decoder', () => {
  it('keeps whole logits on every GPU: a large batch costs it cache that later engines have', () => {
    const cache = (engine: string, maxBatch: number): number =>
      memoryBudget(
        deployment({ model: 'llama-3.1-70b', gpu: 'h100', precision: 'fp8', tensorParallel: 8, engine }),
        { ...DEFAULT_LIMITS, maxBatch },
      ).kvCache;
    const lost = (engine: string): number => cache(engine, 256) - cache(engine, 8192);
    expect(lost('tensorrt-llm-0.14')).toBeGreaterThan(20e9);
    expect(lost('tensorrt-llm')).toBeLessThan(1e9);
  });
});

describe('memory budget', () => {
  it("leaves the paper's 13B FP8 about 65 GB of cache on an 80 GB H100", () => {
    expect(budget('llama-2-13b', 'h100', 'fp8').kvCache / 1e9).toBeGreaterThan(62);
    expect(budget('llama-2-13b', 'h100', 'fp8').kvCache / 1e9).toBeLessThan(67);
  });

  it('never promises more than the memory there is', () => {
    for (const precision of ['fp16', 'fp8'])
      for (const tp of [1, 2, 4, 8]) {
        const b = budget('llama-3.1-70b', 'h100', precision, tp);
        expect(b.weights + b.reserve + Math.max(0, b.kvCache)).toBeLessThanOrEqual(
          Math.max(b.total, b.weights + b.reserve),
        );
      }
  });

  it('holds more tokens with more GPUs, and twice as many in an 8-bit cache of the same room', () => {
    expect(budget('llama-3.1-70b', 'h100', 'fp8', 4).kvTokens).toBeGreaterThan(
      budget('llama-3.1-70b', 'h100', 'fp8', 2).kvTokens,
    );
    expect(budget('llama-3.1-8b', 'h100', 'fp8').kvBytesPerToken * 2).toBe(
      budget('llama-3.1-8b', 'h100', 'fp16').kvBytesPerToken,
    );
  });

  it('replicates key/value heads when there are fewer than GPUs', () => {
    const four = budget('qwen2.5-72b', 'h100', 'fp8', 8).kvBytesPerToken;
    expect(four * 8).toBe(budget('qwen2.5-72b', 'h200', 'fp8').kvBytesPerToken);
    // Qwen3-30B-A3B has 4 such heads: on 8 GPUs each holds one, as on 4.
    expect(budget('qwen3-30b-a3b', 'h100', 'fp8', 8).kvBytesPerToken).toBe(
      budget('qwen3-30b-a3b', 'h100', 'fp8', 4).kvBytesPerToken,
    );
  });

  it('says by how much a model does not fit, and what would help', () => {
    const d = deployment({ model: 'llama-3.1-70b', gpu: 'h100', precision: 'fp16' });
    expect(() => requireFit(d, DEFAULT_LIMITS, 4096)).toThrow(
      /does not fit.*GB too little.*The nearest that fits: llama-3.1-70b fp16, 2 x h100/,
    );
    const wide = deployment({ model: 'llama-3.1-405b', gpu: 'h100', precision: 'fp16', tensorParallel: 8 });
    expect(() => requireFit(wide, DEFAULT_LIMITS, 4096)).toThrow(
      /nearest that fits: llama-3.1-405b (fp8|int8), 8 x h100/,
    );
    const little = deployment({ model: 'llama-3.1-405b', gpu: 'l4', precision: 'int4', tensorParallel: 8 });
    expect(() => requireFit(little, DEFAULT_LIMITS, 4096)).toThrow(
      /nearest that fits: llama-3.1-405b int4, \d x l40s/,
    );
    expect(() => requireFit(d, DEFAULT_LIMITS, 1e9)).toThrow(/Nothing of the table fits/);
  });
});

describe('impossible deployments', () => {
  it.each([
    [{ model: 'llama-3.1-8b', gpu: 'h1000', precision: 'fp8' }, /gpu: "h1000".*Did you mean "h100"/],
    [{ model: 'llama-3.1-8b', gpu: 'a100', precision: 'fp8' }, /no FP8 units; it can run fp16/],
    [{ model: 'llama-3.1-8b', gpu: 'h100', precision: 'fp9' }, /precision: "fp9"/],
    [
      { model: 'qwen2.5-7b', gpu: 'h100', precision: 'fp8', tensorParallel: 8 },
      /tensor-parallel.*possible: 1, 2, 4/,
    ],
    [{ model: 'llama-3.1-8b', gpu: 'h100', precision: 'fp8', tensorParallel: 3 }, /3 GPUs; possible/],
    [{ model: 'llama-3.1-8b', gpu: 'h100', precision: 'fp8', engine: 'tgi' }, /engine: "tgi"/],
  ])('%j is refused by name', (names, message) => {
    expect(() => deployment(names)).toThrow(message);
  });
});
