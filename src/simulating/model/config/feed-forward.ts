/** Feed-forward layers out of a config's keys: dense, mixtures of experts, and which layer is which. */
import type { FeedForward } from '../shape.ts';
import type { Family } from './families.ts';
import { type ConfigKeys, layerLetters } from './keys.ts';

/** @throws {UserError} naming the field that is missing or contradicts */
export function feedForwardOf(
  keys: ConfigKeys,
  family: Family & { readonly type: string },
  layers: number,
  hidden: number,
): readonly FeedForward[] {
  if (keys.has('block_configs')) return searched(keys, hidden);
  const experts = expertCount(keys);
  const pattern = layerLetters(keys);
  if (pattern !== null) return lettered(keys, pattern, experts, hidden);
  const gated = !family.plain;
  const dense = (count: number, width: number): FeedForward => ({
    layers: count,
    width,
    gated,
    experts: 1,
    active: 1,
    shared: 0,
  });
  if (experts === null) return wideShared(keys, layers, dense(layers, denseWidth(keys, family, hidden)));
  const routed = (count: number): FeedForward => ({
    layers: count,
    width: expertWidth(keys),
    gated,
    experts,
    active: keys.required('num_experts_per_tok', 'experts_per_token', 'top_k_experts', 'moe_topk'),
    shared: sharedWidth(keys, family),
  });
  keys.whole('experts_per_token');
  // Gemma 4: a dense block and a mixture side by side in every layer.
  if (keys.flag('enable_moe_block'))
    return [dense(layers, keys.required('intermediate_size')), routed(layers)];
  const sparse = sparseLayers(keys, layers);
  const width = mixedDenseWidth(keys);
  if (sparse < layers && width === null) keys.required('intermediate_size');
  return [
    ...(sparse < layers ? [dense(layers - sparse, width!)] : []),
    ...(sparse > 0 ? [routed(sparse)] : []),
  ];
}

function expertCount(keys: ConfigKeys): number | null {
  const flag = keys.flag('enable_moe_block');
  const count = keys.count('n_routed_experts', 'num_local_experts', 'num_experts', 'moe_num_experts');
  return flag === false || count === 1 ? null : count;
}

function denseWidth(keys: ConfigKeys, family: Family, hidden: number): number {
  const width = keys.count(
    'intermediate_size',
    'n_inner',
    'ffn_hidden_size',
    'shared_intermediate_size',
    'ffn_dim',
  );
  if (width !== null) return width;
  return family.plain ? 4 * hidden : keys.required('intermediate_size');
}

/** Gemma 4's layers without a cache of their own may be twice as wide. */
function wideShared(keys: ConfigKeys, layers: number, all: FeedForward): readonly FeedForward[] {
  const sharing = keys.whole('num_kv_shared_layers') ?? 0;
  if (!keys.flag('use_double_wide_mlp') || sharing === 0) return [all];
  return [
    { ...all, layers: layers - sharing },
    { ...all, layers: sharing, width: 2 * all.width },
  ];
}

function expertWidth(keys: ConfigKeys): number {
  return keys.required('moe_intermediate_size', 'expert_intermediate_size', 'intermediate_size');
}

/** Width of dense layers among sparse ones; Llama 4 and MiniMax M3 name it apart. Files may state it without need. */
function mixedDenseWidth(keys: ConfigKeys): number | null {
  keys.get('intermediate_size');
  return keys.count('intermediate_size_mlp', 'dense_intermediate_size', 'intermediate_size');
}

function sharedWidth(keys: ConfigKeys, family: { readonly type: string }): number {
  const own = keys.count(
    'shared_expert_intermediate_size',
    'moe_shared_expert_intermediate_size',
    'shared_intermediate_size',
  );
  const count = keys.count('n_shared_experts', 'num_shared_experts');
  if (own !== null) return own;
  // Llama 4 has one shared expert and no key for it.
  if (family.type.startsWith('llama4')) return keys.required('intermediate_size');
  return (count ?? 0) * expertWidth(keys);
}

/** How many layers are mixtures of experts. */
function sparseLayers(keys: ConfigKeys, layers: number): number {
  const at = Array.from({ length: layers }, (_, i) => i);
  const frequency = keys.get('moe_layer_freq');
  const first = keys.whole('first_k_dense_replace') ?? 0;
  if (Array.isArray(frequency)) return frequency.filter((one) => one === 1).length;
  const listed = keys.list('moe_layers');
  if (listed) return listed.length;
  const types = keys.list('mlp_layer_types');
  if (types) return types.filter((one) => one === 'sparse').length;
  const interleave = keys.count('interleave_moe_layer_step');
  if (interleave) return at.filter((i) => (i + 1) % interleave === 0).length;
  const dense = new Set(keys.list('mlp_only_layers') ?? []);
  const step = keys.count('decoder_sparse_step') ?? 1;
  const every = typeof frequency === 'number' ? frequency : 1;
  return at.filter((i) => i >= first && i % every === 0 && (i + 1) % step === 0 && !dense.has(i)).length;
}

/** Nemotron-H: E for a mixture of experts, - for a dense layer. */
function lettered(
  keys: ConfigKeys,
  pattern: string,
  experts: number | null,
  hidden: number,
): readonly FeedForward[] {
  const count = (letter: string): number => [...pattern].filter((one) => one === letter).length;
  const plain = { gated: false, shared: 0 };
  const dense: FeedForward = {
    ...plain,
    layers: count('-'),
    width: keys.count('intermediate_size') ?? 4 * hidden,
    experts: 1,
    active: 1,
  };
  const latent = keys.count('moe_latent_size');
  const routed: FeedForward[] =
    experts === null
      ? []
      : [
          {
            ...plain,
            layers: count('E'),
            width: keys.required('moe_intermediate_size'),
            experts,
            active: keys.required('num_experts_per_tok'),
            shared:
              (keys.count('n_shared_experts') ?? 0) *
              (keys.count('moe_shared_expert_intermediate_size') ?? 0),
            ...(latent ? { latent } : {}),
          },
        ];
  return [dense, ...routed].filter((one) => one.layers > 0);
}

/** Nemotron's searched models: a multiple of the hidden size for every layer, or none. */
function searched(keys: ConfigKeys, hidden: number): readonly FeedForward[] {
  const byWidth = new Map<number, number>();
  for (const block of keys.list('block_configs') as readonly Record<string, Record<string, unknown>>[]) {
    const ffn = block.ffn ?? {};
    if (ffn.no_op) continue;
    if (typeof ffn.ffn_mult !== 'number' || ffn.replace_with_linear || ffn.sparsify)
      throw keys.error(
        'field "block_configs": a layer replaces its feed-forward in a way that is not understood',
      );
    // As the model's own code: two thirds, rounded up to a multiple of 256.
    const width = 256 * Math.ceil(Math.trunc((2 * ffn.ffn_mult * hidden) / 3) / 256);
    byWidth.set(width, (byWidth.get(width) ?? 0) + 1);
  }
  keys.get('intermediate_size');
  return [...byWidth].map(([width, layers]) => ({
    layers,
    width,
    gated: true,
    experts: 1,
    active: 1,
    shared: 0,
  }));
}
