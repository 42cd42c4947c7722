/** Attention and recurrent layers out of a config's keys: how many of each kind, over what window, with which heads. */
import type { AttentionLayers, HeadAttention, Indexer, RecurrentLayers } from '../shape.ts';
import type { Family } from './families.ts';
import { type ConfigKeys, layerLetters } from './keys.ts';

export interface Mixers {
  readonly attention: readonly AttentionLayers[];
  readonly recurrent: readonly RecurrentLayers[];
}

type Kind = 'full' | 'sliding' | 'recurrent';

/** Names that `layer_types` uses, and what they are. */
const TYPES: Readonly<Record<string, Kind>> = {
  full_attention: 'full',
  attention: 'full',
  sliding_attention: 'sliding',
  chunked_attention: 'sliding',
  linear_attention: 'recurrent',
  mamba: 'recurrent',
};

/** @param layers layers of the whole model @throws {UserError} naming the field that is missing or contradicts */
export function mixersOf(keys: ConfigKeys, family: Family, layers: number, hidden: number): Mixers {
  if (keys.has('kv_lora_rank')) return { attention: [latent(keys, layers)], recurrent: [] };
  if (keys.has('block_configs')) return { attention: searched(keys, hidden), recurrent: [] };
  const kinds = layerKinds(keys, family, layers);
  const count = (kind: Kind): number => kinds.filter((one) => one === kind).length;
  const full = heads(keys, family, hidden);
  const window = count('sliding') > 0 ? windowOf(keys) : null;
  const attention: HeadAttention[] = [];
  const add = (base: HeadAttention, total: number, sharing: number): void => {
    if (total > sharing) attention.push({ ...base, layers: total - sharing });
    if (sharing > 0) attention.push({ ...base, layers: sharing, sharesCache: true });
  };
  const sharing = kinds.slice(layers - (keys.whole('num_kv_shared_layers') ?? 0));
  const shared = (kind: Kind): number =>
    sharing.length < layers ? sharing.filter((one) => one === kind).length : 0;
  if (count('sliding') > 0) add(slidingHeads(keys, full, window), count('sliding'), shared('sliding'));
  if (count('full') > 0) add(globalHeads(keys, full), count('full'), shared('full'));
  const recurrent =
    count('recurrent') > 0 ? [{ ...recurrence(keys, hidden), layers: count('recurrent') }] : [];
  return { attention: sparse(keys, attention), recurrent };
}

function layerKinds(keys: ConfigKeys, family: Family, layers: number): readonly Kind[] {
  const each = (kind: (i: number) => Kind): readonly Kind[] =>
    Array.from({ length: layers }, (_, i) => kind(i));
  const listed = keys.list('layer_types');
  if (listed) {
    // Beside the list these say the same once more, or are left over.
    for (const key of [
      'full_attention_interval',
      'sliding_window_pattern',
      '_sliding_window_pattern',
      'max_window_layers',
    ])
      keys.get(key);
    keys.flag('use_sliding_window');
    if (listed.length !== layers)
      throw keys.error(`field "layer_types": has ${listed.length} entries for ${layers} layers`);
    return listed.map((name) => {
      const kind = TYPES[String(name)];
      if (!kind) throw keys.error(`field "layer_types": "${String(name)}" is not understood`);
      return kind === 'sliding' && !keys.has('sliding_window') && !keys.has('attention_chunk_size')
        ? 'full'
        : kind;
    });
  }
  const pattern = layerLetters(keys);
  if (pattern !== null) return lettered(keys, pattern, layers);
  // MiniMax: 1 for softmax attention; MiMo: 1 for a window.
  const softmax = keys.list('attn_type_list');
  if (softmax) return softmax.map((one) => (one === 1 ? 'full' : 'recurrent'));
  const hybrid = keys.list('hybrid_layer_pattern');
  keys.get('sliding_window_size');
  if (hybrid) return hybrid.map((one) => (one === 1 ? 'sliding' : 'full'));
  const interval = keys.has('linear_num_value_heads') ? (keys.count('full_attention_interval') ?? 4) : null;
  if (interval) return each((i) => ((i + 1) % interval === 0 ? 'full' : 'recurrent'));
  if (keys.has('attention_chunk_size') && !keys.has('sliding_window'))
    // Llama 4: every fourth layer has no rotary positions and attends to everything.
    return each((i) => ((i + 1) % (keys.count('no_rope_layer_interval') ?? 4) === 0 ? 'full' : 'sliding'));
  return windowedKinds(keys, family, each);
}

function windowedKinds(
  keys: ConfigKeys,
  family: Family,
  each: (kind: (i: number) => Kind) => readonly Kind[],
): readonly Kind[] {
  const window = keys.count('sliding_window');
  const used = keys.flag('use_sliding_window');
  const upper = keys.whole('max_window_layers') ?? 0;
  const every = keys.count('sliding_window_pattern', '_sliding_window_pattern');
  if (window === null || used === false || family.windows === undefined) {
    if (window !== null && used !== false && family.windows === undefined)
      throw keys.error(
        'field "sliding_window": which layers have it is not known for this model_type; list them in "layer_types"',
      );
    return each(() => 'full');
  }
  if (every) return each((i) => ((i + 1) % every === 0 ? 'full' : 'sliding'));
  if (family.windows === 'all') return each(() => 'sliding');
  if (family.windows === 'even') return each((i) => (i % 2 === 0 ? 'sliding' : 'full'));
  if (family.windows === 'upper') return each((i) => (used && i >= upper ? 'sliding' : 'full'));
  const { fullEvery } = family.windows;
  return each((i) => ((i + 1) % fullEvery === 0 ? 'full' : 'sliding'));
}

/** Nemotron-H: M for Mamba, * for attention, - and E for feed-forward; feed-forward layers have no mixer. */
function lettered(keys: ConfigKeys, pattern: string, layers: number): readonly Kind[] {
  if (pattern.length !== layers || /[^M*E-]/.test(pattern))
    throw keys.error(
      `field "hybrid_override_pattern": is no string of ${layers} letters out of M, *, E and -`,
    );
  return [...pattern].flatMap((letter): Kind[] =>
    letter === 'M' ? ['recurrent'] : letter === '*' ? ['full'] : [],
  );
}

function windowOf(keys: ConfigKeys): number {
  return keys.required('sliding_window', 'attention_chunk_size', 'sliding_window_size');
}

/** Heads as most families name them; the number of layers is filled in by the caller. */
function heads(keys: ConfigKeys, family: Family, hidden: number): HeadAttention {
  const count = keys.required('num_attention_heads', 'n_head');
  const headDim = keys.count('head_dim', 'attention_head_dim', 'kv_channels') ?? hidden / count;
  const kvHeads = keyValueHeads(keys, family, count);
  if (count % kvHeads !== 0)
    throw keys.error(`field "num_key_value_heads": ${count} heads are no multiple of ${kvHeads}`);
  // Qwen3-Next gates its attention always, Qwen3.5 says so, MiniMax M3 says that it does not.
  const gated =
    keys.flag('attn_output_gate') ?? keys.flag('attention_output_gate') ?? keys.has('linear_num_value_heads');
  return {
    kind: 'heads',
    layers: 0,
    heads: count,
    kvHeads,
    headDim,
    valueDim: keys.count('v_head_dim') ?? headDim,
    window: null,
    ...(gated ? { gated } : {}),
  };
}

function keyValueHeads(keys: ConfigKeys, _family: Family, heads: number): number {
  const grouped = keys.count('num_key_value_heads', 'num_kv_heads', 'n_head_kv');
  const single = keys.flag('multi_query');
  // Falcon: the new architecture groups, the old one has a single head if multi_query; other keys are left over then.
  const fresh = keys.flag('new_decoder_architecture');
  if (single && !fresh) return 1;
  return grouped ?? heads;
}

function slidingHeads(keys: ConfigKeys, full: HeadAttention, window: number | null): HeadAttention {
  const headDim = keys.count('swa_head_dim') ?? full.headDim;
  return {
    ...full,
    window,
    heads: keys.count('swa_num_attention_heads') ?? full.heads,
    kvHeads: keys.count('swa_num_key_value_heads') ?? full.kvHeads,
    headDim,
    valueDim: keys.count('swa_v_head_dim') ?? (keys.has('swa_head_dim') ? headDim : full.valueDim),
  };
}

/** Gemma 4's layers of full attention have fewer and wider heads, and take values from the keys' projection. */
function globalHeads(keys: ConfigKeys, base: HeadAttention): HeadAttention {
  const headDim = keys.count('global_head_dim') ?? base.headDim;
  const same = keys.flag('attention_k_eq_v') ?? false;
  return {
    ...base,
    headDim,
    valueDim: keys.has('global_head_dim') ? headDim : base.valueDim,
    kvHeads: keys.count('num_global_key_value_heads') ?? base.kvHeads,
    ...(same ? { keyIsValue: true } : {}),
  };
}

function latent(keys: ConfigKeys, layers: number): AttentionLayers {
  // The cache is one vector a token, whatever these say.
  for (const key of ['num_key_value_heads', 'head_dim', 'qk_head_dim']) keys.get(key);
  const topK = keys.count('index_topk');
  const own = keys.list('indexer_types');
  if (own?.some((one) => one !== 'full'))
    throw keys.error('field "indexer_types": shared indexers are not understood');
  const indexer: Indexer | null = topK
    ? { heads: keys.required('index_n_heads'), dim: keys.required('index_head_dim'), tokens: topK }
    : null;
  return {
    kind: 'latent',
    layers,
    heads: keys.required('num_attention_heads'),
    queryRank: keys.count('q_lora_rank'),
    rank: keys.required('kv_lora_rank'),
    rope: keys.required('qk_rope_head_dim'),
    nope: keys.required('qk_nope_head_dim'),
    value: keys.required('v_head_dim'),
    ...(indexer ? { indexer } : {}),
  };
}

/** MiniMax M3: from some layer on, an indexer chooses blocks of tokens. */
function sparse(keys: ConfigKeys, attention: readonly HeadAttention[]): readonly HeadAttention[] {
  const config = keys.object('sparse_attention_config');
  if (!config?.use_sparse_attention) return attention;
  const number = (key: string): number => {
    const value = config[key];
    if (typeof value === 'number' && value > 0) return value;
    throw keys.error(`field "sparse_attention_config.${key}": is missing`);
  };
  const layers = (config.sparse_attention_freq as readonly unknown[] | undefined)?.filter(
    (one) => one === 1,
  ).length;
  const [base] = attention;
  if (layers === undefined || !base || attention.length > 1)
    throw keys.error('field "sparse_attention_config": is not understood beside other kinds of layers');
  const indexer: Indexer = {
    heads: number('sparse_num_index_heads'),
    dim: number('sparse_index_dim'),
    tokens: number('sparse_topk_blocks') * number('sparse_block_size'),
  };
  return [
    { ...base, layers: base.layers - layers },
    { ...base, layers, indexer },
  ].filter((one) => one.layers > 0);
}

/** Nemotron's searched models: every layer has its own group size, or no attention at all. */
function searched(keys: ConfigKeys, hidden: number): readonly HeadAttention[] {
  const count = keys.required('num_attention_heads');
  const headDim = keys.count('head_dim') ?? hidden / count;
  keys.get('num_key_value_heads');
  const byGroup = new Map<number, number>();
  for (const block of keys.list('block_configs') as readonly Record<string, Record<string, unknown>>[]) {
    const attention = block.attention ?? {};
    if (attention.no_op) continue;
    const group = attention.n_heads_in_group;
    if (
      typeof group !== 'number' ||
      attention.replace_with_linear ||
      attention.window_length ||
      attention.sparsify
    )
      throw keys.error('field "block_configs": a layer replaces attention in a way that is not understood');
    byGroup.set(group, (byGroup.get(group) ?? 0) + 1);
  }
  return [...byGroup].map(([group, layers]) => ({
    kind: 'heads',
    layers,
    heads: count,
    kvHeads: count / group,
    headDim,
    valueDim: headDim,
    window: null,
  }));
}

/** One recurrent layer: gated DeltaNet (Qwen3-Next), Mamba 2 (Nemotron-H, Granite 4) or lightning attention (MiniMax). */
function recurrence(keys: ConfigKeys, hidden: number): Omit<RecurrentLayers, 'layers'> {
  if (keys.has('linear_num_value_heads')) return deltaNet(keys);
  if (keys.has('mamba_num_heads') || keys.has('mamba_n_heads')) return mamba(keys);
  if (keys.has('attn_type_list')) return lightning(keys, hidden);
  throw keys.error('has linear or state-space layers of a kind that is not understood');
}

const STATE_BYTES = 4;
const CONVOLUTION_BYTES = 2;

function deltaNet(keys: ConfigKeys): Omit<RecurrentLayers, 'layers'> {
  const [keyHeads, valueHeads] = [
    keys.required('linear_num_key_heads'),
    keys.required('linear_num_value_heads'),
  ];
  const [keyDim, valueDim] = [keys.required('linear_key_head_dim'), keys.required('linear_value_head_dim')];
  const kernel = keys.required('linear_conv_kernel_dim');
  const [key, value] = [keyHeads * keyDim, valueHeads * valueDim];
  const convolved = 2 * key + value;
  return {
    inWidth: 2 * key + 2 * value + 2 * valueHeads,
    outWidth: value,
    otherWeights: convolved * kernel,
    stateBytes: STATE_BYTES * valueHeads * keyDim * valueDim + CONVOLUTION_BYTES * convolved * (kernel - 1),
  };
}

function mamba(keys: ConfigKeys): Omit<RecurrentLayers, 'layers'> {
  const count = keys.required('mamba_num_heads', 'mamba_n_heads');
  const dim = keys.required('mamba_head_dim', 'mamba_d_head');
  const state = keys.required('ssm_state_size', 'mamba_d_state');
  const groups = keys.required('n_groups', 'mamba_n_groups');
  const kernel = keys.required('conv_kernel', 'mamba_d_conv');
  for (const key of ['expand', 'mamba_expand', 'time_step_rank']) keys.get(key);
  const inner = count * dim;
  const convolved = inner + 2 * groups * state;
  return {
    inWidth: inner + convolved + count,
    outWidth: inner,
    otherWeights: convolved * kernel,
    stateBytes: STATE_BYTES * inner * state + CONVOLUTION_BYTES * convolved * (kernel - 1),
  };
}

function lightning(keys: ConfigKeys, hidden: number): Omit<RecurrentLayers, 'layers'> {
  const count = keys.required('num_attention_heads');
  const dim = keys.count('head_dim') ?? hidden / count;
  const width = count * dim;
  return {
    inWidth: 4 * width,
    outWidth: width,
    otherWeights: 0,
    stateBytes: STATE_BYTES * count * dim * dim,
  };
}
