/**
 * Reads a transformer's shape from the text of a Hugging Face `config.json`.
 * Every key that may change memory or speed is understood or refused by name; nothing is guessed, and no weights are read.
 */
import { UserError } from '../../core/errors.ts';
import { mixersOf } from './config/attention.ts';
import { publishedFormat, replicatedWeights } from './config/extras.ts';
import { familyOf } from './config/families.ts';
import { feedForwardOf } from './config/feed-forward.ts';
import { ConfigKeys, layerLetters } from './config/keys.ts';
import type { TransformerShape } from './shape.ts';

type Json = Readonly<Record<string, unknown>>;

/** Layers are listed one by one: more than any model has are a mistake. */
const MOST_LAYERS = 10_000;

/**
 * @param name how to call the model in messages and tables
 * @param text the file's content
 * @throws {UserError} naming the field that is missing, malformed or not understood
 */
export function shapeFromConfig(name: string, text: string): TransformerShape {
  const json = parse(name, text);
  // Multimodal files keep the language model's sizes one level down.
  const inner = json.text_config as Json | undefined;
  const nested = inner !== undefined && json.hidden_size === undefined;
  const root = new ConfigKeys(name, json);
  const outerType = nested ? root.text('model_type') : null;
  if (nested) root.object('text_config');
  const own: Json = nested ? { model_type: outerType, ...inner } : json;
  const family = familyOf(nested ? new ConfigKeys(name, own) : root);
  const keys = nested
    ? new ConfigKeys(name, { ...family.defaults, ...own })
    : withDefaults(root, json, family.defaults);
  keys.text('model_type');

  const layers =
    keys.count('num_hidden_layers', 'n_layer') ??
    layerLetters(keys)?.length ??
    keys.required('num_hidden_layers');
  if (layers > MOST_LAYERS) throw keys.error(`field "num_hidden_layers": no model has ${layers}`);
  const hidden = keys.required('hidden_size', 'n_embd');
  const shape: TransformerShape = {
    name,
    layers,
    hidden,
    vocabulary: keys.required('vocab_size'),
    tiedEmbeddings:
      (nested ? root.flag('tie_word_embeddings') : null) ??
      keys.flag('tie_word_embeddings') ??
      family.tied ??
      false,
    maxContext: keys.required('max_position_embeddings', 'n_positions', 'seq_length', 'n_ctx'),
    ...mixersOf(keys, family, layers, hidden),
    feedForward: feedForwardOf(keys, family, layers, hidden),
    replicated: replicatedWeights(nested ? root : keys, keys, layers, hidden, family.type),
    published: publishedFormat(nested ? root : keys, keys),
  };
  if (nested) root.refuseUnread();
  keys.refuseUnread();
  return shape;
}

function withDefaults(
  root: ConfigKeys,
  json: Json,
  defaults: Readonly<Record<string, number>> | undefined,
): ConfigKeys {
  return defaults ? new ConfigKeys(root.model, { ...defaults, ...json }) : root;
}

function parse(name: string, text: string): Json {
  try {
    // Python writes Infinity where JSON has none.
    const json: unknown = JSON.parse(
      text.replace(/:(\s*)-?Infinity/g, ':$1null').replace(/,(\s*)Infinity/g, ',$1null'),
    );
    if (json !== null && typeof json === 'object' && !Array.isArray(json)) return json as Json;
  } catch (cause) {
    throw new UserError(`model ${name}: config.json is not valid JSON.`, { cause });
  }
  throw new UserError(`model ${name}: config.json is no JSON object.`);
}
