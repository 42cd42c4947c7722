/**
 * Shapes of well-known models, as their `config.json` on Hugging Face states them.
 * Any other model is read from its own file by `huggingface.ts`.
 */
import { UserError } from '../../core/errors.ts';
import { nearest } from '../unknown-name.ts';
import type { FeedForward, HeadAttention, PublishedFormat, TransformerShape } from './shape.ts';

type Row = readonly [
  layers: number,
  hidden: number,
  heads: number,
  kvHeads: number,
  intermediate: number,
  vocabulary: number,
  maxContext: number,
];

interface Traits {
  readonly headDim?: number;
  readonly gated?: boolean;
  readonly tied?: boolean;
  readonly experts?: readonly [count: number, active: number];
  /** Tokens that every second layer looks back, from the first on. */
  readonly alternateWindow?: number;
  readonly published?: PublishedFormat;
}

function model(name: string, row: Row, traits: Traits = {}): TransformerShape {
  const [layers, hidden, heads, kvHeads, width, vocabulary, maxContext] = row;
  const headDim = traits.headDim ?? hidden / heads;
  const [experts, active] = traits.experts ?? [1, 1];
  const feedForward: FeedForward = { layers, width, gated: traits.gated ?? true, experts, active, shared: 0 };
  const all: HeadAttention = {
    kind: 'heads',
    layers,
    heads,
    kvHeads,
    headDim,
    valueDim: headDim,
    window: null,
  };
  const window = traits.alternateWindow;
  return {
    name,
    layers,
    hidden,
    vocabulary,
    tiedEmbeddings: traits.tied ?? false,
    maxContext,
    attention: window
      ? [
          { ...all, layers: Math.ceil(layers / 2), window },
          { ...all, layers: Math.floor(layers / 2) },
        ]
      : [all],
    recurrent: [],
    feedForward: [feedForward],
    replicated: 0,
    published: traits.published ?? null,
  };
}

const tied: Traits = { tied: true };
const head128: Traits = { headDim: 128 };
const experts = (count: number, active: number): Traits => ({ experts: [count, active] });
/** gpt-oss: every second layer looks back 128 tokens only; experts are published in MXFP4. */
const gptOss: Traits = {
  headDim: 64,
  alternateWindow: 128,
  published: { precision: 'mxfp4', feedForwardOnly: true },
};

const SHAPES: readonly TransformerShape[] = [
  model('llama-2-7b', [32, 4096, 32, 32, 11008, 32000, 4096]),
  model('llama-2-13b', [40, 5120, 40, 40, 13824, 32000, 4096]),
  model('llama-2-70b', [80, 8192, 64, 8, 28672, 32000, 4096]),
  model('llama-3-8b', [32, 4096, 32, 8, 14336, 128256, 8192]),
  model('llama-3-70b', [80, 8192, 64, 8, 28672, 128256, 8192]),
  model('llama-3.1-8b', [32, 4096, 32, 8, 14336, 128256, 131072]),
  model('llama-3.1-70b', [80, 8192, 64, 8, 28672, 128256, 131072]),
  model('llama-3.1-405b', [126, 16384, 128, 8, 53248, 128256, 131072]),
  model('llama-3.2-1b', [16, 2048, 32, 8, 8192, 128256, 131072], tied),
  model('llama-3.2-3b', [28, 3072, 24, 8, 8192, 128256, 131072], tied),
  model('llama-3.3-70b', [80, 8192, 64, 8, 28672, 128256, 131072]),
  model('mistral-7b', [32, 4096, 32, 8, 14336, 32768, 32768]),
  model('mixtral-8x7b', [32, 4096, 32, 8, 14336, 32000, 32768], experts(8, 2)),
  model('mixtral-8x22b', [56, 6144, 48, 8, 16384, 32768, 65536], experts(8, 2)),
  model('qwen2.5-0.5b', [24, 896, 14, 2, 4864, 151936, 32768], tied),
  model('qwen2.5-1.5b', [28, 1536, 12, 2, 8960, 151936, 32768], tied),
  model('qwen2.5-3b', [36, 2048, 16, 2, 11008, 151936, 32768], tied),
  model('qwen2.5-7b', [28, 3584, 28, 4, 18944, 152064, 131072]),
  model('qwen2.5-14b', [48, 5120, 40, 8, 13824, 152064, 131072]),
  model('qwen2.5-32b', [64, 5120, 40, 8, 27648, 152064, 131072]),
  model('qwen2.5-72b', [80, 8192, 64, 8, 29568, 152064, 131072]),
  model('qwen3-0.6b', [28, 1024, 16, 8, 3072, 151936, 40960], { ...tied, ...head128 }),
  model('qwen3-1.7b', [28, 2048, 16, 8, 6144, 151936, 40960], { ...tied, ...head128 }),
  model('qwen3-4b', [36, 2560, 32, 8, 9728, 151936, 40960], { ...tied, ...head128 }),
  model('qwen3-8b', [36, 4096, 32, 8, 12288, 151936, 40960], head128),
  model('qwen3-14b', [40, 5120, 40, 8, 17408, 151936, 40960], head128),
  model('qwen3-32b', [64, 5120, 64, 8, 25600, 151936, 40960], head128),
  model('qwen3-30b-a3b', [48, 2048, 32, 4, 768, 151936, 40960], { ...head128, ...experts(128, 8) }),
  model('qwen3-235b-a22b', [94, 4096, 64, 4, 1536, 151936, 40960], { ...head128, ...experts(128, 8) }),
  model('gpt-oss-20b', [24, 2880, 64, 8, 2880, 201088, 131072], { ...gptOss, ...experts(32, 4) }),
  model('gpt-oss-120b', [36, 2880, 64, 8, 2880, 201088, 131072], { ...gptOss, ...experts(128, 4) }),
  deepseekV3('deepseek-v3'),
  deepseekV3('deepseek-r1'),
  model('gpt-j-6b', [28, 4096, 16, 16, 16384, 50400, 2048], { gated: false }),
  model('falcon-180b', [80, 14848, 232, 8, 59392, 65024, 2048], { gated: false, tied: true }),
  model('bloom-176b', [70, 14336, 112, 112, 57344, 250880, 2048], { ...tied, gated: false }),
];

/** DeepSeek-V3 (2024), 671e9 weights: latent attention, three dense layers, then 256 experts and a shared one. */
function deepseekV3(name: string): TransformerShape {
  const routed = { layers: 58, width: 2048, gated: true, experts: 256, active: 8, shared: 2048 };
  return {
    name,
    layers: 61,
    hidden: 7168,
    vocabulary: 129280,
    tiedEmbeddings: false,
    maxContext: 163840,
    attention: [
      { kind: 'latent', layers: 61, heads: 128, queryRank: 1536, rank: 512, rope: 64, nope: 128, value: 128 },
    ],
    recurrent: [],
    feedForward: [{ ...routed, layers: 3, width: 18432, experts: 1, active: 1, shared: 0 }, routed],
    replicated: 0,
    published: { precision: 'fp8', feedForwardOnly: false },
  };
}

const BY_NAME: ReadonlyMap<string, TransformerShape> = new Map(SHAPES.map((shape) => [shape.name, shape]));

export const MODEL_NAMES: readonly string[] = SHAPES.map((shape) => shape.name);

/** `Llama-3.1-8B-Instruct-FP8` and `llama-3.1-8b` name one shape: owner, case, variant and format do not change it. */
function canonical(name: string): string {
  return name
    .toLowerCase()
    .replace(/^.*\//, '')
    .replace(/^meta-/, '')
    .replace(/[ _]/g, '-')
    .replace(/-(instruct|chat|base|hf|it|v0\.\d|fp8|fp4|nvfp4)(?=-|$)/g, '')
    .replace(/^(llama|qwen)(?=\d)/, (word) => (word === 'llama' ? 'llama-' : word))
    .replace(/^qwen-(?=\d)/, 'qwen');
}

/** @throws {UserError} when the table has no such model; names the nearest and says how to give another. */
export function findModel(name: string): TransformerShape {
  const found = BY_NAME.get(canonical(name));
  if (found) return found;
  throw new UserError(
    `model: no built-in shape is called "${name}".${nearest(canonical(name), MODEL_NAMES)} ` +
      'For any other model give the path of its Hugging Face config.json.',
  );
}
