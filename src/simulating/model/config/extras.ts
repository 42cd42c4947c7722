/**
 * What a checkpoint has beside its decoder layers: towers for pictures and sound, learned positions, embeddings per
 * layer; and in which number format its weights are stored.
 */
import type { PublishedFormat } from '../shape.ts';
import { ConfigKeys } from './keys.ts';

/** Weights that every GPU holds whole and in 16 bit. @throws {UserError} for a tower that is not understood */
export function replicatedWeights(
  root: ConfigKeys,
  keys: ConfigKeys,
  layers: number,
  hidden: number,
  type: string,
): number {
  const tower = root.object('vision_config');
  if (root.object('audio_config') || keys.object('audio_config'))
    throw root.error('field "audio_config": towers for sound are not understood');
  const perLayer = keys.count('hidden_size_per_layer_input');
  const entries = keys.count('vocab_size_per_layer_input') ?? 0;
  return (
    (tower ? towerWeights(new ConfigKeys(root.model, tower)) : 0) +
    learnedPositions(keys, type) * hidden +
    // Gemma's per-layer embeddings: a table for every layer, a projection into all of them, and two in each layer.
    (perLayer ? layers * perLayer * (entries + 3 * hidden) : 0)
  );
}

function learnedPositions(keys: ConfigKeys, type: string): number {
  if (!['gpt_bigcode', 'gpt2', 'opt'].includes(type)) return 0;
  return keys.count('n_positions', 'max_position_embeddings') ?? 0;
}

/** Vision towers whose feed-forward has three matrices. */
const GATED_TOWERS = new Set(['gemma4_vision', 'qwen2_5_vl']);

/** A vision transformer by its sizes: attention and feed-forward of every block, patches and projector left out (2 %). */
function towerWeights(keys: ConfigKeys): number {
  const layers = keys.required('num_hidden_layers', 'depth', 'vt_num_hidden_layers');
  const width = keys.has('embed_dim')
    ? keys.required('embed_dim')
    : keys.required('hidden_size', 'vt_hidden_size');
  const inner = keys.count('intermediate_size', 'vt_intermediate_size') ?? 4 * width;
  const matrices = GATED_TOWERS.has(keys.text('model_type') ?? '') ? 3 : 2;
  return layers * (4 * width * width + matrices * width * inner);
}

/** The format in which layers are stored; null for 16 bit. @throws {UserError} for a mixture nobody can name */
export function publishedFormat(root: ConfigKeys, keys: ConfigKeys): PublishedFormat | null {
  const q = root.object('quantization_config') ?? keys.object('quantization_config');
  if (!q) return null;
  const left = [q.modules_to_not_convert, q.ignore, q.exclude_modules, q.ignored_layers]
    .flatMap((list) => (Array.isArray(list) ? list : []))
    .map(String);
  const feedForwardOnly = left.some((name) => /self_attn|\.attn|mixer|linear_attn/.test(name));
  refuseMixed(root, q);
  const precision = storedPrecision(q);
  if (precision) return { precision, feedForwardOnly: precision === 'mxfp4' || feedForwardOnly };
  const bits = q.bits === undefined ? '' : ` of ${q.bits} bit`;
  throw root.error(
    `field "quantization_config": ${JSON.stringify(q.quant_algo ?? q.quant_method ?? q)}${bits} is not understood; name the format with --precision after removing it`,
  );
}

/** @throws {UserError} where single layers have a format of their own, or the cache has one that no engine is priced with */
function refuseMixed(root: ConfigKeys, q: Readonly<Record<string, unknown>>): void {
  const refused = (key: string): Error =>
    root.error(
      `field "quantization_config.${key}": is not understood, and may change what the model needs; name the format with --precision after removing it`,
    );
  const set = (value: unknown): boolean => value instanceof Object && Object.keys(value).length > 0;
  for (const key of ['dynamic', 'layer_quant_config', 'quantized_layers'])
    if (set(q[key])) throw refused(key);
  const cache = q.kv_cache_scheme as { readonly num_bits?: unknown } | null | undefined;
  if (cache && cache.num_bits !== undefined && cache.num_bits !== 8) throw refused('kv_cache_scheme');
}

function storedPrecision(q: Readonly<Record<string, unknown>>): string | null {
  const method = String(q.quant_method ?? '').toLowerCase();
  const algorithm = String(q.quant_algo ?? '').toUpperCase();
  if (algorithm === 'FP8' || algorithm === 'FP8_PB_WO') return 'fp8';
  if (algorithm === 'NVFP4') return 'fp4';
  if (algorithm.startsWith('W4A16')) return 'int4';
  if (algorithm !== '') return null;
  if (method === 'fp8' || method === 'fbgemm_fp8') return 'fp8';
  if (method === 'mxfp4') return 'mxfp4';
  if (method === 'awq' || method === 'gptq') return Number(q.bits ?? q.w_bit ?? 4) === 4 ? 'int4' : null;
  const groups = Object.values(
    (q.config_groups ?? {}) as Record<string, { weights?: Record<string, unknown> }>,
  );
  const formats = new Set(groups.map(({ weights }) => `${weights?.type} ${weights?.num_bits}`));
  if (formats.size !== 1) return null;
  const names: Readonly<Record<string, string>> = {
    'float 8': 'fp8',
    'float 4': 'fp4',
    'int 4': 'int4',
    'int 8': 'int8',
  };
  return names[[...formats][0]!] ?? null;
}
