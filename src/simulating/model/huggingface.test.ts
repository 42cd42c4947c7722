import { describe, expect, it } from 'vitest';
import { UserError } from '../../core/errors.ts';
import { findModel } from './catalog.ts';
import { shapeFromConfig } from './huggingface.ts';
import { bytesPerSequence, countParameters, kvBytesPerToken } from './shape.ts';

type Config = Readonly<Record<string, unknown>>;
const read = (config: Config, name = 'mine') => shapeFromConfig(name, JSON.stringify(config));
const repeat = <T>(times: number, ...items: T[]): T[] => Array.from({ length: times }, () => items).flat();

/** What most files have in common; every entry below states only what matters and differs. */
const sizes = (
  model_type: string,
  [
    num_hidden_layers,
    hidden_size,
    num_attention_heads,
    num_key_value_heads,
    intermediate_size,
    vocab_size,
  ]: readonly number[],
  rest: Config = {},
): Config => ({
  model_type,
  num_hidden_layers,
  hidden_size,
  num_attention_heads,
  num_key_value_heads,
  intermediate_size,
  vocab_size,
  max_position_embeddings: 32768,
  rms_norm_eps: 1e-6,
  rope_theta: 1e6,
  attention_dropout: 0,
  torch_dtype: 'bfloat16',
  ...rest,
});

const latent = { kv_lora_rank: 512, qk_nope_head_dim: 128, qk_rope_head_dim: 64, v_head_dim: 128 };
const deepseekV3 = sizes('deepseek_v3', [61, 7168, 128, 128, 18432, 129280], {
  ...latent,
  q_lora_rank: 1536,
  moe_intermediate_size: 2048,
  n_routed_experts: 256,
  n_shared_experts: 1,
  num_experts_per_tok: 8,
  first_k_dense_replace: 3,
  moe_layer_freq: 1,
  n_group: 8,
  topk_group: 4,
  num_nextn_predict_layers: 1,
  quantization_config: { quant_method: 'fp8', weight_block_size: [128, 128] },
});
const qwenNext = {
  linear_num_key_heads: 16,
  linear_num_value_heads: 32,
  linear_key_head_dim: 128,
  linear_value_head_dim: 128,
  linear_conv_kernel_dim: 4,
};
const gemmaTower = {
  model_type: 'siglip_vision_model',
  hidden_size: 1152,
  num_hidden_layers: 27,
  intermediate_size: 4304,
  num_attention_heads: 16,
};

/**
 * Parameters in 10^9 and 16-bit bytes of cache per token. Totals are those of the models' cards or papers, or of the
 * weights they publish; active ones count what a token of text passes, its embedding included (gpt-oss's card leaves
 * that out: 5.1 and 3.6; MiniMax-Text-01's the head too: 45.9). Caches follow from the layers: 2 x layers x key/value heads x head dimension x 2 bytes, the
 * latent vector for multi-head latent attention, attention layers alone for hybrids.
 */
const PUBLISHED: readonly (readonly [
  name: string,
  total: number,
  active: number,
  kv: number,
  config: Config,
])[] = [
  [
    'Llama-2-7B',
    6.74,
    6.74,
    2 * 32 * 32 * 128 * 2,
    sizes('llama', [32, 4096, 32, 32, 11008, 32000], { num_key_value_heads: null }),
  ],
  ['Llama-3.1-8B', 8.03, 8.03, 131072, sizes('llama', [32, 4096, 32, 8, 14336, 128256])],
  [
    'Llama-3.2-1B',
    1.236,
    1.236,
    32768,
    sizes('llama', [16, 2048, 32, 8, 8192, 128256], { head_dim: 64, tie_word_embeddings: true }),
  ],
  [
    'Llama-4-Scout, text',
    107.8,
    17.2,
    196608,
    {
      model_type: 'llama4',
      text_config: sizes('llama4_text', [48, 5120, 40, 8, 8192, 202048], {
        head_dim: 128,
        intermediate_size_mlp: 16384,
        num_local_experts: 16,
        num_experts_per_tok: 1,
        interleave_moe_layer_step: 1,
        attention_chunk_size: 8192,
      }),
    },
  ],
  [
    'Llama-4-Maverick, text',
    400.7,
    17.2,
    196608,
    {
      model_type: 'llama4',
      text_config: sizes('llama4_text', [48, 5120, 40, 8, 8192, 202048], {
        head_dim: 128,
        intermediate_size_mlp: 16384,
        num_local_experts: 128,
        num_experts_per_tok: 1,
        interleave_moe_layer_step: 2,
        attention_chunk_size: 8192,
      }),
    },
  ],
  [
    'Mistral-7B',
    7.25,
    7.25,
    131072,
    sizes('mistral', [32, 4096, 32, 8, 14336, 32768], { sliding_window: null }),
  ],
  [
    'Mixtral-8x7B',
    46.7,
    12.9,
    131072,
    sizes('mixtral', [32, 4096, 32, 8, 14336, 32000], {
      num_local_experts: 8,
      num_experts_per_tok: 2,
      router_aux_loss_coef: 0.02,
    }),
  ],
  [
    'Mixtral-8x22B',
    140.6,
    39.1,
    229376,
    sizes('mixtral', [56, 6144, 48, 8, 16384, 32768], { num_local_experts: 8, num_experts_per_tok: 2 }),
  ],
  [
    'Qwen2.5-7B',
    7.62,
    7.62,
    57344,
    sizes('qwen2', [28, 3584, 28, 4, 18944, 152064], {
      use_sliding_window: false,
      sliding_window: 131072,
      max_window_layers: 28,
    }),
  ],
  [
    'Qwen1.5-MoE-A2.7B',
    14.3,
    2.69,
    196608,
    sizes('qwen2_moe', [24, 2048, 16, 16, 5632, 151936], {
      moe_intermediate_size: 1408,
      shared_expert_intermediate_size: 5632,
      num_experts: 60,
      num_experts_per_tok: 4,
      decoder_sparse_step: 1,
    }),
  ],
  [
    'Qwen3-0.6B',
    0.596,
    0.596,
    114688,
    sizes('qwen3', [28, 1024, 16, 8, 3072, 151936], {
      head_dim: 128,
      tie_word_embeddings: true,
      max_window_layers: 28,
    }),
  ],
  [
    'Qwen3-30B-A3B',
    30.5,
    3.35,
    98304,
    sizes('qwen3_moe', [48, 2048, 32, 4, 6144, 151936], {
      head_dim: 128,
      moe_intermediate_size: 768,
      num_experts: 128,
      num_experts_per_tok: 8,
      decoder_sparse_step: 1,
      mlp_only_layers: [],
    }),
  ],
  [
    'Qwen3-235B-A22B',
    235.1,
    22.2,
    192512,
    sizes('qwen3_moe', [94, 4096, 64, 4, 12288, 151936], {
      head_dim: 128,
      moe_intermediate_size: 1536,
      num_experts: 128,
      num_experts_per_tok: 8,
      decoder_sparse_step: 1,
    }),
  ],
  [
    'Qwen3-Next-80B-A3B',
    79.7,
    3.9,
    24576,
    sizes('qwen3_next', [48, 2048, 16, 2, 5120, 151936], {
      head_dim: 256,
      ...qwenNext,
      full_attention_interval: 4,
      moe_intermediate_size: 512,
      shared_expert_intermediate_size: 512,
      num_experts: 512,
      num_experts_per_tok: 10,
      decoder_sparse_step: 1,
      partial_rotary_factor: 0.25,
    }),
  ],
  [
    'Qwen3.5-35B-A3B with its tower',
    35.07,
    3.46,
    20480,
    {
      model_type: 'qwen3_5_moe',
      text_config: sizes('qwen3_5_moe_text', [40, 2048, 16, 2, 0, 248320], {
        intermediate_size: null,
        head_dim: 256,
        attn_output_gate: true,
        ...qwenNext,
        layer_types: repeat(10, 'linear_attention', 'linear_attention', 'linear_attention', 'full_attention'),
        moe_intermediate_size: 512,
        shared_expert_intermediate_size: 512,
        num_experts: 256,
        num_experts_per_tok: 8,
        mtp_num_hidden_layers: 1,
      }),
      vision_config: { model_type: 'qwen3_5_moe', depth: 27, hidden_size: 1152, intermediate_size: 4304 },
    },
  ],
  [
    'DeepSeek-V2-Lite',
    15.7,
    2.66,
    27 * 576 * 2,
    sizes('deepseek_v2', [27, 2048, 16, 16, 10944, 102400], {
      ...latent,
      q_lora_rank: null,
      moe_intermediate_size: 1408,
      n_routed_experts: 64,
      n_shared_experts: 2,
      num_experts_per_tok: 6,
      first_k_dense_replace: 1,
    }),
  ],
  [
    'DeepSeek-V2',
    235.7,
    21.4,
    69120,
    sizes('deepseek_v2', [60, 5120, 128, 128, 12288, 102400], {
      ...latent,
      q_lora_rank: 1536,
      moe_intermediate_size: 1536,
      n_routed_experts: 160,
      n_shared_experts: 2,
      num_experts_per_tok: 6,
      first_k_dense_replace: 1,
    }),
  ],
  ['DeepSeek-V3', 671, 37.55, 70272, deepseekV3],
  // One latent vector, and 132 bytes for the indexer's key, in each of 61 layers.
  [
    'DeepSeek-V3.2',
    671.9,
    38.4,
    61 * (576 * 2 + 132),
    { ...deepseekV3, model_type: 'deepseek_v32', index_topk: 2048, index_n_heads: 64, index_head_dim: 128 },
  ],
  [
    'Kimi-K2',
    1026,
    32.9,
    70272,
    {
      ...deepseekV3,
      model_type: 'kimi_k2',
      num_attention_heads: 64,
      num_key_value_heads: 64,
      n_routed_experts: 384,
      first_k_dense_replace: 1,
      vocab_size: 163840,
    },
  ],
  [
    'GLM-5',
    744,
    41.8,
    78 * (576 * 2 + 132),
    {
      ...deepseekV3,
      model_type: 'glm_moe_dsa',
      num_hidden_layers: 78,
      hidden_size: 6144,
      num_attention_heads: 64,
      num_key_value_heads: 64,
      q_lora_rank: 2048,
      qk_nope_head_dim: 192,
      v_head_dim: 256,
      qk_head_dim: 256,
      head_dim: 64,
      intermediate_size: 12288,
      vocab_size: 154880,
      index_topk: 2048,
      index_n_heads: 32,
      index_head_dim: 128,
    },
  ],
  [
    'MiMo-7B',
    7.62,
    7.62,
    147456,
    sizes('mimo', [36, 4096, 32, 8, 11008, 151680], {
      head_dim: 128,
      use_sliding_window: false,
      sliding_window: 32768,
      max_window_layers: 32,
    }),
  ],
  [
    'MiMo-V2-Flash',
    309,
    15.4,
    2 * (9 * 4 + 39 * 8) * 160 * 2,
    sizes('mimo_v2_flash', [48, 4096, 64, 4, 16384, 152576], {
      head_dim: 192,
      v_head_dim: 128,
      sliding_window: 128,
      swa_num_attention_heads: 64,
      swa_num_key_value_heads: 8,
      swa_head_dim: 192,
      swa_v_head_dim: 128,
      hybrid_layer_pattern: [0, ...repeat(4, 1), 0, ...repeat(7, 1, 1, 1, 1, 1, 0)],
      moe_layer_freq: [0, ...repeat(47, 1)],
      moe_intermediate_size: 2048,
      n_routed_experts: 256,
      n_shared_experts: null,
      num_experts_per_tok: 8,
    }),
  ],
  [
    'Gemma-2-9B',
    9.24,
    9.24,
    2 * 42 * 8 * 256 * 2,
    sizes('gemma2', [42, 3584, 16, 8, 14336, 256000], {
      head_dim: 256,
      sliding_window: 4096,
      query_pre_attn_scalar: 256,
    }),
  ],
  [
    'Gemma-3-4B, as published: its library fills in the rest',
    4.3,
    3.88,
    2 * 34 * 4 * 256 * 2,
    {
      model_type: 'gemma3',
      text_config: {
        model_type: 'gemma3_text',
        hidden_size: 2560,
        intermediate_size: 10240,
        num_hidden_layers: 34,
        sliding_window: 1024,
      },
      vision_config: gemmaTower,
    },
  ],
  [
    'Gemma-3-27B',
    27.4,
    27.0,
    507904,
    {
      model_type: 'gemma3',
      text_config: {
        model_type: 'gemma3_text',
        hidden_size: 5376,
        intermediate_size: 21504,
        num_hidden_layers: 62,
        num_attention_heads: 32,
        num_key_value_heads: 16,
        head_dim: 128,
        sliding_window: 1024,
      },
      vision_config: gemmaTower,
    },
  ],
  [
    'Gemma-4-31B, text',
    30.7,
    30.7,
    2 * (50 * 16 * 256 + 10 * 4 * 512) * 2,
    sizes('gemma4_text', [60, 5376, 32, 16, 21504, 262144], {
      head_dim: 256,
      global_head_dim: 512,
      num_global_key_value_heads: 4,
      attention_k_eq_v: true,
      sliding_window: 1024,
      layer_types: repeat(10, ...repeat(5, 'sliding_attention'), 'full_attention'),
    }),
  ],
  [
    'Gemma-4-26B-A4B, text',
    25.2,
    3.82,
    2 * (25 * 8 * 256 + 5 * 2 * 512) * 2,
    sizes('gemma4_text', [30, 2816, 16, 8, 2112, 262144], {
      head_dim: 256,
      global_head_dim: 512,
      num_global_key_value_heads: 2,
      attention_k_eq_v: true,
      sliding_window: 1024,
      layer_types: repeat(5, ...repeat(5, 'sliding_attention'), 'full_attention'),
      enable_moe_block: true,
      num_experts: 128,
      top_k_experts: 8,
      moe_intermediate_size: 704,
    }),
  ],
  [
    'Phi-2',
    2.78,
    2.78,
    327680,
    sizes('phi', [32, 2560, 32, 32, 10240, 51200], { partial_rotary_factor: 0.4 }),
  ],
  [
    'Phi-3-mini',
    3.82,
    3.82,
    393216,
    sizes('phi3', [32, 3072, 32, 32, 8192, 32064], { sliding_window: 2047 }),
  ],
  [
    'Phi-3.5-MoE',
    41.9,
    6.64,
    131072,
    sizes('phimoe', [32, 4096, 32, 8, 6400, 32064], { num_local_experts: 16, num_experts_per_tok: 2 }),
  ],
  [
    'Falcon-7B, embeddings tied',
    6.92,
    6.92,
    2 * 32 * 64 * 2,
    {
      model_type: 'falcon',
      num_hidden_layers: 32,
      hidden_size: 4544,
      num_attention_heads: 71,
      multi_query: true,
      new_decoder_architecture: false,
      parallel_attn: true,
      vocab_size: 65024,
      max_position_embeddings: 2048,
    },
  ],
  [
    'Falcon-40B, embeddings tied',
    41.3,
    41.3,
    2 * 60 * 8 * 64 * 2,
    {
      model_type: 'falcon',
      num_hidden_layers: 60,
      hidden_size: 8192,
      num_attention_heads: 128,
      num_kv_heads: 8,
      multi_query: true,
      new_decoder_architecture: true,
      vocab_size: 65024,
      max_position_embeddings: 2048,
    },
  ],
  [
    'StarCoder',
    15.5,
    15.5,
    2 * 40 * 128 * 2,
    {
      model_type: 'gpt_bigcode',
      n_layer: 40,
      n_embd: 6144,
      n_head: 48,
      n_inner: 24576,
      multi_query: true,
      vocab_size: 49152,
      n_positions: 8192,
      activation_function: 'gelu',
    },
  ],
  [
    'StarCoder2-7B',
    7.17,
    7.17,
    2 * 32 * 4 * 128 * 2,
    sizes('starcoder2', [32, 4608, 36, 4, 18432, 49152], { sliding_window: 4096, use_bias: true }),
  ],
  [
    'gpt-oss-20b',
    20.9,
    4.19,
    49152,
    sizes('gpt_oss', [24, 2880, 64, 8, 2880, 201088], {
      head_dim: 64,
      num_local_experts: 32,
      num_experts_per_tok: 4,
      experts_per_token: 4,
      sliding_window: 128,
      layer_types: repeat(12, 'sliding_attention', 'full_attention'),
      quantization_config: { quant_method: 'mxfp4' },
    }),
  ],
  [
    'gpt-oss-120b',
    116.8,
    5.71,
    73728,
    sizes('gpt_oss', [36, 2880, 64, 8, 2880, 201088], {
      head_dim: 64,
      num_local_experts: 128,
      num_experts_per_tok: 4,
      sliding_window: 128,
      layer_types: repeat(18, 'sliding_attention', 'full_attention'),
    }),
  ],
  [
    'Nemotron-4-15B (Minitron shape)',
    15.6,
    15.6,
    2 * 32 * 8 * 128 * 2,
    sizes('nemotron', [32, 6144, 48, 8, 24576, 256000]),
  ],
  [
    'Nemotron-H-56B',
    56.3,
    56.3,
    2 * 10 * 8 * 128 * 2,
    {
      model_type: 'nemotron_h',
      num_hidden_layers: 118,
      hidden_size: 8192,
      num_attention_heads: 64,
      num_key_value_heads: 8,
      attention_head_dim: 128,
      intermediate_size: 32768,
      vocab_size: 131072,
      max_position_embeddings: 8192,
      expand: 2,
      conv_kernel: 4,
      n_groups: 8,
      ssm_state_size: 256,
      mamba_head_dim: 64,
      mamba_num_heads: 256,
      hybrid_override_pattern: `M-M-M-M*-${'M-M-M-M-M*-'.repeat(9)}M-M-M-M-M-`,
    },
  ],
  [
    'Nemotron-3-Nano-30B-A3B',
    31.6,
    3.58,
    6144,
    {
      model_type: 'nemotron_h',
      num_hidden_layers: 52,
      hidden_size: 2688,
      num_attention_heads: 32,
      num_key_value_heads: 2,
      head_dim: 128,
      intermediate_size: 1856,
      vocab_size: 131072,
      max_position_embeddings: 262144,
      conv_kernel: 4,
      n_groups: 8,
      ssm_state_size: 128,
      mamba_head_dim: 64,
      mamba_num_heads: 64,
      n_routed_experts: 128,
      num_experts_per_tok: 6,
      n_shared_experts: 1,
      moe_intermediate_size: 1856,
      moe_shared_expert_intermediate_size: 3712,
      hybrid_override_pattern: 'MEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEMEM*EMEMEMEME',
    },
  ],
  [
    'MiniMax-Text-01',
    456,
    48.4,
    2 * 10 * 8 * 128 * 2,
    sizes('minimax_text_01', [80, 6144, 64, 8, 9216, 200064], {
      head_dim: 128,
      num_local_experts: 32,
      num_experts_per_tok: 2,
      attn_type_list: repeat(10, ...repeat(7, 0), 1),
    }),
  ],
  [
    'MiniMax-M2',
    228.7,
    11.03,
    253952,
    sizes('minimax_m2', [62, 3072, 48, 8, 1536, 200064], {
      head_dim: 128,
      num_local_experts: 256,
      num_experts_per_tok: 8,
      shared_intermediate_size: 0,
      use_mtp: true,
    }),
  ],
  [
    'Granite-3.1-8B',
    8.17,
    8.17,
    163840,
    sizes('granite', [40, 4096, 32, 8, 12800, 49155], {
      tie_word_embeddings: true,
      embedding_multiplier: 12,
      logits_scaling: 16,
      residual_multiplier: 0.22,
    }),
  ],
  [
    'Granite-3.1-3B-A800M',
    3.3,
    0.88,
    65536,
    sizes('granitemoe', [32, 1536, 24, 8, 512, 49155], {
      tie_word_embeddings: true,
      num_local_experts: 40,
      num_experts_per_tok: 8,
    }),
  ],
];

describe('configs of published models', () => {
  it.each(PUBLISHED)(
    '%s: %f billion weights, %f active, %i bytes of cache a token',
    (name, total, active, kv, config) => {
      const shape = read(config, name);
      const count = countParameters(shape);
      expect(Math.abs(count.total / 1e9 / total - 1), `${count.total / 1e9}`).toBeLessThan(0.01);
      expect(Math.abs(count.active / 1e9 / active - 1), `${count.active / 1e9}`).toBeLessThan(0.01);
      expect(kvBytesPerToken(shape, 2)).toBe(kv);
    },
  );

  it('keeps windows and recurrent states from growing with the context', () => {
    const gemma = read(PUBLISHED.find(([name]) => name === 'Gemma-3-27B')![4]);
    const at32k = 2 * 16 * 128 * 2 * (52 * 1024 + 10 * 32768);
    expect(bytesPerSequence(gemma, 32768, 2)).toBe(at32k);
    const next = read(PUBLISHED.find(([name]) => name.startsWith('Qwen3-Next'))![4]);
    const state = bytesPerSequence(next, 0, 2);
    expect(state).toBeGreaterThan(36 * 32 * 128 * 128 * 4);
    expect(bytesPerSequence(next, 1000, 2) - state).toBe(1000 * 24576);
  });

  it('takes the number format that the checkpoint is stored in', () => {
    expect(read(deepseekV3).published).toEqual({ precision: 'fp8', feedForwardOnly: false });
    const nvfp4 = {
      quant_method: 'modelopt',
      quant_algo: 'NVFP4',
      ignore: ['model.layers.*.self_attn*', 'lm_head'],
    };
    expect(read({ ...deepseekV3, quantization_config: nvfp4 }).published).toEqual({
      precision: 'fp4',
      feedForwardOnly: true,
    });
    const awq = { quant_method: 'awq', bits: 4, group_size: 128 };
    expect(read({ ...deepseekV3, quantization_config: awq }).published?.precision).toBe('int4');
    expect(() => read({ ...deepseekV3, quantization_config: { quant_method: 'bitsandbytes' } })).toThrow(
      /quantization_config.*bitsandbytes/,
    );
  });
});

describe('what is not understood', () => {
  const llama = sizes('llama', [32, 4096, 32, 8, 14336, 128256], {
    max_position_embeddings: 131072,
    tie_word_embeddings: false,
  });

  it.each([
    [{ cross_attention_layers: [3, 8] }, /"cross_attention_layers"/],
    [{ memory_tokens_per_layer: 64 }, /"memory_tokens_per_layer"/],
    [{ num_experts: 64, num_experts_per_tok: 4, num_zero_experts: 16 }, /"num_zero_experts"/],
    [{ altup_num_inputs: 4, laurel_rank: 64 }, /"altup_num_inputs", "laurel_rank"/],
    [{ layer_pattern: 'MMM*' }, /"layer_pattern"/],
    [{ model_type: 'kimi_linear' }, /"model_type": "kimi_linear" is not known/],
    [{ layer_types: repeat(32, 'convolution') }, /"layer_types": "convolution"/],
    [{ layer_types: ['full_attention'] }, /"layer_types": has 1 entries for 32 layers/],
    [{ sliding_window: 4096 }, /"sliding_window": which layers/],
    [{ audio_config: { hidden_size: 8 } }, /"audio_config"/],
    [{ vision_config: { hidden_size: 8 } }, /"num_hidden_layers"/],
    [{ attention_type: 'lightning' }, /"attention_type"/],
    [{ mixer_type: 'mamba2' }, /"mixer_type"/],
    [{ kv_sharing: 'adjacent' }, /"kv_sharing"/],
    [{ attention_window_type: 'local' }, /"attention_window_type"/],
    [{ cla_share_factor: 2 }, /"cla_share_factor"/],
    [{ rope_head_dim: 64, nope_head_dim: 192 }, /"rope_head_dim", "nope_head_dim"/],
    [{ ffn_dim_multiplier: 1.3 }, /"ffn_dim_multiplier"/],
    [{ pad_vocab_size_multiple: 65536 }, /"pad_vocab_size_multiple"/],
    [{ moe_interleave: 4 }, /"moe_interleave"/],
    [{ num_memory_tokens: 128 }, /"num_memory_tokens"/],
    [{ total_ut_steps: 4 }, /"total_ut_steps"/],
    [{ recurrence: 4 }, /"recurrence"/],
    [{ medusa_num_heads: 4 }, /"medusa_num_heads"/],
    [{ hc_mult: 4 }, /"hc_mult"/],
    [{ intermediate_size: [8192, 14336] }, /"intermediate_size": must be a whole number/],
    [{ num_hidden_layers: 1e12 }, /"num_hidden_layers": no model has 1000000000000/],
    [{ quantization_config: { quant_method: 'gptq', bits: 3 } }, /"gptq" of 3 bit/],
    [
      { quantization_config: { quant_method: 'gptq', bits: 4, dynamic: { down: { bits: 8 } } } },
      /"quantization_config.dynamic"/,
    ],
    [
      { quantization_config: { quant_method: 'fp8', kv_cache_scheme: { num_bits: 4 } } },
      /"quantization_config.kv_cache_scheme"/,
    ],
  ])('%j is refused by name', (change, message) => {
    expect(() => read({ ...llama, ...change })).toThrow(UserError);
    expect(() => read({ ...llama, ...change })).toThrow(message);
  });

  it('gives the built-in shape for the same file, whatever else transformers writes into it', () => {
    expect(
      read({
        ...llama,
        pretraining_tp: 1,
        bos_token_id: 1,
        rope_scaling: { factor: 8 },
        num_logits_to_keep: 1,
      }),
    ).toEqual({
      ...findModel('llama-3.1-8b'),
      name: 'mine',
    });
  });

  it('names the missing or malformed field', () => {
    const { vocab_size: _, ...without } = llama;
    expect(() => read(without)).toThrow(/vocab_size/);
    expect(() => read({ ...llama, hidden_size: -1 })).toThrow(/hidden_size/);
    expect(() => read({ ...llama, num_key_value_heads: 5 })).toThrow(/no multiple/);
    expect(() => shapeFromConfig('mine', '{')).toThrow(/not valid JSON/);
    expect(() => shapeFromConfig('mine', '[]')).toThrow(/no JSON object/);
  });
});
