/**
 * Reads a transformer's shape from the text of a Hugging Face `config.json`.
 * It knows the key names of the Llama, Mistral, Mixtral, Qwen, gpt-oss, GPT-J, Falcon and Bloom families, and no weights.
 */
import { z } from 'zod';
import { UserError } from '../../core/errors.ts';
import type { TransformerShape } from './shape.ts';

const count = z.number().int().positive();
const CONFIG = z.looseObject({
  num_hidden_layers: count.optional(),
  n_layer: count.optional(),
  hidden_size: count.optional(),
  n_embd: count.optional(),
  num_attention_heads: count.optional(),
  n_head: count.optional(),
  num_key_value_heads: count.nullish(),
  num_kv_heads: count.nullish(),
  head_dim: count.nullish(),
  intermediate_size: count.nullish(),
  moe_intermediate_size: count.nullish(),
  n_inner: count.nullish(),
  ffn_hidden_size: count.nullish(),
  vocab_size: count.optional(),
  tie_word_embeddings: z.boolean().nullish(),
  hidden_act: z.string().nullish(),
  model_type: z.string().nullish(),
  num_local_experts: count.nullish(),
  num_experts: count.nullish(),
  num_experts_per_tok: count.nullish(),
  experts_per_token: count.nullish(),
  sliding_window: count.nullish(),
  use_sliding_window: z.boolean().nullish(),
  layer_types: z.array(z.string()).nullish(),
  max_position_embeddings: count.nullish(),
  text_config: z.unknown().optional(),
});
type Config = z.infer<typeof CONFIG>;

/** Families whose feed-forward has two matrices instead of three. */
const PLAIN_FEED_FORWARD = new Set(['gptj', 'gpt2', 'gpt_neox', 'bloom', 'falcon', 'opt', 'phi']);

/**
 * @param name how to call the model in messages and tables
 * @param text the file's content
 * @throws {UserError} naming the field that is missing or malformed
 */
export function shapeFromConfig(name: string, text: string): TransformerShape {
  const config = parse(name, text);
  const required = (field: string, ...values: readonly (number | null | undefined)[]): number => {
    const value = values.find((candidate) => candidate != null);
    if (value != null) return value;
    throw new UserError(
      `model ${name}: config.json has no "${field}"; give the model's complete config.json.`,
    );
  };
  const layers = required('num_hidden_layers', config.num_hidden_layers, config.n_layer);
  const hidden = required('hidden_size', config.hidden_size, config.n_embd);
  const heads = required('num_attention_heads', config.num_attention_heads, config.n_head);
  const experts = config.num_local_experts ?? config.num_experts ?? null;
  const active = experts
    ? required('num_experts_per_tok', config.num_experts_per_tok, config.experts_per_token)
    : null;
  const plain = PLAIN_FEED_FORWARD.has(config.model_type ?? '');
  const intermediate = required(
    'intermediate_size',
    experts ? config.moe_intermediate_size : null,
    config.intermediate_size,
    config.n_inner,
    config.ffn_hidden_size,
    plain ? 4 * hidden : null,
  );
  const kvHeads = config.num_key_value_heads ?? config.num_kv_heads ?? heads;
  if (heads % kvHeads !== 0)
    throw new UserError(
      `model ${name}: num_attention_heads ${heads} is no multiple of num_key_value_heads ${kvHeads}.`,
    );
  return {
    name,
    layers,
    hidden,
    heads,
    kvHeads,
    headDim: config.head_dim ?? hidden / heads,
    intermediate,
    vocabulary: required('vocab_size', config.vocab_size),
    gated: !plain,
    tiedEmbeddings: config.tie_word_embeddings ?? config.model_type === 'bloom',
    moe: experts && active ? { experts, active } : null,
    window: slidingWindow(config),
    maxContext: config.max_position_embeddings ?? 4096,
  };
}

function parse(name: string, text: string): Config {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new UserError(`model ${name}: config.json is not valid JSON.`, { cause });
  }
  const result = CONFIG.safeParse(json);
  if (!result.success) {
    const issue = result.error.issues[0]!;
    throw new UserError(
      `model ${name}: config.json field "${issue.path.join('.') || '(root)'}": ${issue.message}.`,
    );
  }
  // Multimodal files keep the language model's sizes one level down.
  const inner = result.data.text_config;
  return inner && result.data.hidden_size === undefined ? parse(name, JSON.stringify(inner)) : result.data;
}

function slidingWindow(config: Config): TransformerShape['window'] {
  if (!config.sliding_window || config.use_sliding_window === false) return null;
  const types = config.layer_types;
  const sliding = types?.filter((type) => type.startsWith('sliding')).length ?? 1;
  const layerShare = types?.length ? sliding / types.length : 1;
  return layerShare > 0 ? { tokens: config.sliding_window, layerShare } : null;
}
