/** What a `model_type` of Hugging Face's transformers implies that its `config.json` need not say. */
import { nearest } from '../../unknown-name.ts';
import type { ConfigKeys } from './keys.ts';

export interface Family {
  /** Feed-forward of two matrices instead of three. */
  readonly plain?: boolean;
  /** Embeddings are tied unless the file says otherwise. */
  readonly tied?: boolean;
  /** Which layers look back over `sliding_window` when the file does not list them. */
  readonly windows?: 'all' | 'even' | 'upper' | { readonly fullEvery: number };
  /** What the library fills in for keys that published files leave out. */
  readonly defaults?: Readonly<Record<string, number>>;
}

const LLAMA: Family = {};
const WINDOWED: Family = { windows: 'all' };
const QWEN: Family = { windows: 'upper' };
const QWEN_HYBRID: Family = {
  defaults: {
    full_attention_interval: 4,
    linear_num_key_heads: 16,
    linear_num_value_heads: 32,
    linear_key_head_dim: 128,
    linear_value_head_dim: 128,
    linear_conv_kernel_dim: 4,
  },
};
const GEMMA3: Family = {
  tied: true,
  windows: { fullEvery: 6 },
  defaults: {
    vocab_size: 262_208,
    num_attention_heads: 8,
    num_key_value_heads: 4,
    head_dim: 256,
    max_position_embeddings: 131_072,
    sliding_window: 4096,
  },
};
const LLAMA4: Family = {
  defaults: {
    num_attention_heads: 40,
    num_key_value_heads: 8,
    interleave_moe_layer_step: 1,
    attention_chunk_size: 8192,
  },
};
const PLAIN: Family = { plain: true };
const PLAIN_TIED: Family = { plain: true, tied: true };

/** By `model_type`; multimodal files name the family of their language model one level down. */
const FAMILIES: Readonly<Record<string, Family>> = {
  llama: LLAMA,
  mistral: WINDOWED,
  ministral: WINDOWED,
  ministral3: WINDOWED,
  mistral3: LLAMA,
  mixtral: WINDOWED,
  qwen2: QWEN,
  qwen2_moe: QWEN,
  qwen2_vl: QWEN,
  qwen2_vl_text: QWEN,
  qwen2_5_vl: QWEN,
  qwen2_5_vl_text: QWEN,
  qwen3: QWEN,
  qwen3_moe: QWEN,
  qwen3_vl: QWEN,
  qwen3_vl_text: QWEN,
  qwen3_vl_moe: QWEN,
  qwen3_vl_moe_text: QWEN,
  qwen3_next: QWEN_HYBRID,
  qwen3_5: QWEN_HYBRID,
  qwen3_5_text: QWEN_HYBRID,
  qwen3_5_moe: QWEN_HYBRID,
  qwen3_5_moe_text: QWEN_HYBRID,
  llama4: LLAMA4,
  llama4_text: LLAMA4,
  deepseek_v2: LLAMA,
  deepseek_v3: LLAMA,
  deepseek_v32: LLAMA,
  kimi_k2: LLAMA,
  kimi_k25: LLAMA,
  glm4_moe: LLAMA,
  glm4_moe_lite: LLAMA,
  glm_moe_dsa: LLAMA,
  mimo: QWEN,
  mimo_v2_flash: LLAMA,
  gemma: { tied: true },
  gemma2: { tied: true, windows: 'even' },
  gemma3: GEMMA3,
  gemma3_text: GEMMA3,
  gemma4: { tied: true },
  gemma4_text: { tied: true },
  phi: PLAIN,
  phi3: WINDOWED,
  phimoe: WINDOWED,
  falcon: PLAIN_TIED,
  gpt_bigcode: PLAIN_TIED,
  starcoder2: { ...PLAIN_TIED, windows: 'all' },
  gpt_oss: { windows: 'even' },
  nemotron: PLAIN,
  'nemotron-nas': LLAMA,
  nemotron_h: PLAIN,
  minimax: LLAMA,
  minimax_text_01: LLAMA,
  minimax_m1: LLAMA,
  minimax_m2: LLAMA,
  minimax_m3: LLAMA,
  granite: LLAMA,
  granitemoe: LLAMA,
  granitemoeshared: LLAMA,
  granitemoehybrid: LLAMA,
  olmo2: LLAMA,
  smollm3: LLAMA,
  gptj: PLAIN,
  gpt2: PLAIN_TIED,
  gpt_neox: PLAIN,
  bloom: PLAIN_TIED,
  opt: PLAIN_TIED,
};

/** @throws {UserError} for a family nobody has described: its layout cannot be guessed from the keys. */
export function familyOf(keys: ConfigKeys): Family & { readonly type: string } {
  const type = keys.text('model_type') ?? 'llama';
  const family = FAMILIES[type.toLowerCase()];
  if (family) return { ...family, type: type.toLowerCase() };
  throw keys.error(
    `field "model_type": "${type}" is not known.${nearest(type, Object.keys(FAMILIES))} If the model is laid out like one of these, set model_type to it`,
  );
}
