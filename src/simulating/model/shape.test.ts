import { describe, expect, it } from 'vitest';
import { findModel, MODEL_NAMES } from './catalog.ts';
import { countParameters, kvBytesPerToken } from './shape.ts';

const billions = (name: string): number => countParameters(findModel(name)).total / 1e9;

describe('shapes of known models', () => {
  it.each([
    ['llama-2-7b', 6.74],
    ['llama-2-13b', 13.02],
    ['llama-2-70b', 68.98],
    ['llama-3.1-8b', 8.03],
    ['llama-3.1-70b', 70.55],
    ['mixtral-8x7b', 46.7],
    ['qwen2.5-7b', 7.61],
    ['qwen3-30b-a3b', 30.5],
    ['gpt-oss-120b', 116.8],
    ['falcon-180b', 179.5],
  ])('%s has its published %f billion parameters', (name, published) => {
    expect(Math.abs(billions(name) / published - 1)).toBeLessThan(0.015);
  });

  it('counts the weights one token passes in a mixture of experts', () => {
    expect(countParameters(findModel('mixtral-8x7b')).active / 1e9).toBeCloseTo(12.9, 1);
  });

  it('gives Llama-3.1-8B 64 KiB of 8-bit cache a token, and the 70B 160 KiB', () => {
    expect(kvBytesPerToken(findModel('llama-3.1-8b'), 1)).toBe(65_536);
    expect(kvBytesPerToken(findModel('llama-3.1-70b'), 1)).toBe(163_840);
  });

  it('takes owner, case and variant of a name as no difference in shape', () => {
    expect(findModel('meta-llama/Meta-Llama-3.1-8B-Instruct').name).toBe('llama-3.1-8b');
    expect(findModel('Qwen/Qwen2.5-7B-Instruct').name).toBe('qwen2.5-7b');
  });

  it('names the nearest model for a typing error', () => {
    expect(() => findModel('lama-3.1-8b')).toThrow(/Did you mean "llama-3.1-8b"/);
  });

  it('has every head count divisible by its key/value heads', () => {
    for (const name of MODEL_NAMES)
      for (const layers of findModel(name).attention)
        if (layers.kind === 'heads') expect(layers.heads % layers.kvHeads).toBe(0);
  });
});
