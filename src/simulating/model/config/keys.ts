/**
 * The keys of one `config.json` object: typed access that remembers what was read, so that what was not can be refused.
 */
import { UserError } from '../../../core/errors.ts';

export class ConfigKeys {
  readonly model: string;
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #read = new Set<string>();

  constructor(model: string, values: Readonly<Record<string, unknown>>) {
    this.model = model;
    this.#values = values;
  }

  get(key: string): unknown {
    this.#read.add(key);
    return this.#values[key] ?? null;
  }

  has(key: string): boolean {
    return this.#values[key] != null;
  }

  /** The first of the keys that is set; null when none is. @throws {UserError} for anything but a whole number from 0. */
  whole(...keys: readonly string[]): number | null {
    for (const key of keys) {
      const value = this.get(key);
      if (value === null) continue;
      if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
      throw this.error(`field "${key}": must be a whole number, is ${JSON.stringify(value)}`);
    }
    return null;
  }

  /** As `whole`, above 0. */
  count(...keys: readonly string[]): number | null {
    const value = this.whole(...keys);
    return value === 0 ? null : value;
  }

  /** As `count`, and there must be one. */
  required(...keys: readonly string[]): number {
    const value = this.count(...keys);
    if (value !== null) return value;
    throw this.error(`has no "${keys[0]}"; give the model's complete config.json`);
  }

  flag(key: string): boolean | null {
    const value = this.get(key);
    if (value === null || typeof value === 'boolean') return value;
    throw this.error(`field "${key}": must be true or false, is ${JSON.stringify(value)}`);
  }

  text(key: string): string | null {
    const value = this.get(key);
    return typeof value === 'string' ? value : null;
  }

  list(key: string): readonly unknown[] | null {
    const value = this.get(key);
    return Array.isArray(value) ? value : null;
  }

  object(key: string): Readonly<Record<string, unknown>> | null {
    const value = this.get(key);
    return value !== null && typeof value === 'object' && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : null;
  }

  error(message: string): UserError {
    return new UserError(`model ${this.model}: config.json ${message}.`);
  }

  /** @throws {UserError} naming every key that may change memory or speed and that nobody has read. */
  refuseUnread(): void {
    const unread = Object.entries(this.#values)
      .filter(([key, value]) => !this.#read.has(key) && isSet(value) && mayMatter(key, value))
      .map(([key]) => `"${key}"`);
    if (unread.length > 0)
      throw this.error(
        `has ${unread.join(', ')}, which may change what the model needs and ${unread.length > 1 ? 'are' : 'is'} not understood; no figure would be trustworthy`,
      );
  }
}

function isSet(value: unknown): boolean {
  if (value === null || value === false || value === 0 || value === '') return false;
  return typeof value !== 'object' || Object.keys(value as object).length > 0;
}

/** Words in the names of keys that decide sizes: a number, list or switch of such a name must be understood. */
const STRUCTURE =
  /size|dim|rank|num_|^n_|_n_|layer|head|expert|window|block|pattern|freq|interval|width|kv|state|cache|top_?k|expand|sparse|shared|moe|mlp|ffn|embd|mult|ratio|mix|linear|mamba|conv|attn|attention|vision|audio|encoder|index|quant|factor|lora|adapter|memory|hash|engram|shar(e|ing)|reuse|recur|loop|repeat|depth|ut_steps|latent|slots/;

/** Names of structure that no rule below makes neutral. */
const ALWAYS = /head_dim$|memory|pad_vocab|(dim|size|ffn|mlp|hidden|intermediate|width|depth)_multipliers?$/;

/** A text under such a name chooses between structures. */
const CHOICE =
  /pattern|(attention|attn|mixer|mlp|ffn|kv|cache|layer|block|expert).*(type|kind|variant|shar(e|ing)|window|mode)/;

/** Keys with such words that change neither memory nor time: tokens, training, numerics, other libraries' defaults. */
const NEUTRAL = new RegExp(
  [
    /token(_id|_index|s_per_image)?s?$/,
    /dropout|drop$|_eps(ilon)?$|^rope|rope_|_rope$|theta|initializer|init_|aux_loss|z_loss|router_(jitter|bias)/,
    /^(scoring_func|norm_topk_prob|topk_method|topk_group|n_group|routed_scaling_factor|norm_expert_weight|moe_router_.*|router_.*|use_routing_bias|scale_shared_experts)$/,
    /^(num_nextn_predict_layers|num_mtp_modules|mtp_.*|use_mtp|nextn_.*|num_logits_to_keep|pretraining_tp|ep_size|expert_model_parallel_size)$/,
    /softcap|soft_cap|logit_scal|_multiplier$|residual_.*scale|attention_value_scale|query_pre_attn|attn_(temperature|scale|logit)|floor_scale|^scale_(attn|embedding)/,
    /(attention|attn|mlp|proj|conv|qkv|sink|lm_head|use|add)_?.*bias|^bias$|qk_norm|qk_layernorm|layernorm|layer_norm|norm_type|group_norm|use_gemma_norm/,
    /partial_rotary_factor|rotary|original_max_position|initial_context|max_sequence_length|seq_length|chunk_size_feed_forward|max_length|min_length/,
    /^(is_|output_|return_|use_cache|use_mamba_kernels|rescale_|keys_to_ignore|summary_|task_|beam|diversity|temperature|top_p|top_k$|repetition|num_beam|num_return|no_repeat|bad_words|pruned_heads|typical_p|tf_legacy|problem_|id2label|label2id|cross_attention_hidden_size|add_cross_attention|decoder_start|early_stopping|length_penalty|encoder_no_repeat|exponential_decay|forced_|remove_invalid|suppress|begin_suppress|sep_|tie_encoder|torchscript|finetuning|prefix)/,
    /^(auto_map|architectures|transformers_version|torch_dtype|dtype|_.*)$/,
    /time_step|chunk_size$|mamba_chunk|mamba_ssm|ssm_cache|mamba_(proj|conv)_|swiglu|hidden_act|activation|attn_implementation|use_bidirectional_attention|attention_softmax_in_fp32|scale_attention|alibi|parallel_attn|layer_ffn_norm|moe_router|mrope|rope_interleave$|max_batch|inference_runner|attention_dropout|attn_factor|use_qkv|clip_qkv|use_flash|pre_layer|multi_query_group|validate_runner|nope|no_rope|use_thinking|pad_|embedding_multiplier|fc_bias|^ignore_index$|use_unified_vision_chunk|_overlap$|gate_norm_eps|resid/,
  ]
    .map((part) => part.source)
    .join('|'),
);

function mayMatter(key: string, value: unknown): boolean {
  const neutral = NEUTRAL.test(key) && !ALWAYS.test(key);
  return !neutral && (typeof value === 'string' ? CHOICE : STRUCTURE).test(key);
}

const LETTERS: Readonly<Record<string, string>> = { mamba: 'M', attention: '*', moe: 'E', mlp: '-' };

/** Nemotron-H's layers, one letter each: M for Mamba, * for attention, - for feed-forward, E for experts; null elsewhere. */
export function layerLetters(keys: ConfigKeys): string | null {
  const listed = keys.list('layers_block_type');
  if (!listed) return keys.text('hybrid_override_pattern');
  return listed.map((one) => LETTERS[String(one)] ?? String(one)).join('');
}
