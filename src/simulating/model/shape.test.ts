import { describe, expect, it } from 'vitest';
import { UserError } from '../../core/errors.ts';
import { findModel, MODEL_NAMES } from './catalog.ts';
import { shapeFromConfig } from './huggingface.ts';
import { countParameters, kvElementsPerToken } from './shape.ts';

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

  it('gives Llama-3.1-8B 64 KiB elements of cache a token, and the 70B 160 KiB', () => {
    expect(kvElementsPerToken(findModel('llama-3.1-8b'))).toBe(65_536);
    expect(kvElementsPerToken(findModel('llama-3.1-70b'))).toBe(163_840);
  });

  it('takes owner, case and variant of a name as no difference in shape', () => {
    expect(findModel('meta-llama/Meta-Llama-3.1-8B-Instruct').name).toBe('llama-3.1-8b');
    expect(findModel('Qwen/Qwen2.5-7B-Instruct').name).toBe('qwen2.5-7b');
  });

  it('names the nearest model for a typing error', () => {
    expect(() => findModel('lama-3.1-8b')).toThrow(/Did you mean "llama-3.1-8b"/);
  });

  it('has every head count divisible by its key/value heads', () => {
    for (const name of MODEL_NAMES) expect(findModel(name).heads % findModel(name).kvHeads).toBe(0);
  });
});

describe('reading a Hugging Face config.json', () => {
  const llama = {
    model_type: 'llama',
    num_hidden_layers: 32,
    hidden_size: 4096,
    num_attention_heads: 32,
    num_key_value_heads: 8,
    intermediate_size: 14336,
    vocab_size: 128256,
    max_position_embeddings: 131072,
    tie_word_embeddings: false,
  };
  const read = (config: object) => shapeFromConfig('mine', JSON.stringify(config));

  it('gives the built-in shape for the same file', () => {
    expect(read(llama)).toEqual({ ...findModel('llama-3.1-8b'), name: 'mine' });
  });

  it('reads experts, head dimension, sliding windows and nested text configs', () => {
    const oss = read({
      text_config: {
        ...llama,
        head_dim: 64,
        num_local_experts: 32,
        num_experts_per_tok: 4,
        sliding_window: 128,
        layer_types: ['sliding_attention', 'full_attention'],
      },
    });
    expect(oss).toMatchObject({
      headDim: 64,
      moe: { experts: 32, active: 4 },
      window: { tokens: 128, layerShare: 0.5 },
    });
  });

  it('names the missing field', () => {
    const { vocab_size: _, ...without } = llama;
    expect(() => read(without)).toThrow(UserError);
    expect(() => read(without)).toThrow(/vocab_size/);
  });

  it('names the malformed field', () => {
    expect(() => read({ ...llama, hidden_size: -1 })).toThrow(/hidden_size/);
    expect(() => shapeFromConfig('mine', '{')).toThrow(/not valid JSON/);
    expect(() => read({ ...llama, num_key_value_heads: 5 })).toThrow(/no multiple/);
  });
});
