/**
 * Shapes of well-known models, as their `config.json` on Hugging Face states them.
 * It knows only these; any other model is read from its own file by `huggingface.ts`.
 */
import { UserError } from '../../core/errors.ts';
import { nearest } from '../unknown-name.ts';
import type { TransformerShape } from './shape.ts';

type Row = readonly [
  layers: number,
  hidden: number,
  heads: number,
  kvHeads: number,
  intermediate: number,
  vocabulary: number,
  maxContext: number,
];

function dense(name: string, row: Row, rest: Partial<TransformerShape> = {}): TransformerShape {
  const [layers, hidden, heads, kvHeads, intermediate, vocabulary, maxContext] = row;
  const base = { layers, hidden, heads, kvHeads, intermediate, vocabulary, maxContext };
  const headDim = hidden / heads;
  return { name, ...base, headDim, gated: true, tiedEmbeddings: false, moe: null, window: null, ...rest };
}

const tied = { tiedEmbeddings: true } as const;
const head128 = { headDim: 128 } as const;
const experts = (count: number, active: number) => ({ moe: { experts: count, active } });
/** gpt-oss: every second layer looks back 128 tokens only. */
const gptOss = { headDim: 64, window: { tokens: 128, layerShare: 0.5 } } as const;

const SHAPES: readonly TransformerShape[] = [
  dense('llama-2-7b', [32, 4096, 32, 32, 11008, 32000, 4096]),
  dense('llama-2-13b', [40, 5120, 40, 40, 13824, 32000, 4096]),
  dense('llama-2-70b', [80, 8192, 64, 8, 28672, 32000, 4096]),
  dense('llama-3-8b', [32, 4096, 32, 8, 14336, 128256, 8192]),
  dense('llama-3-70b', [80, 8192, 64, 8, 28672, 128256, 8192]),
  dense('llama-3.1-8b', [32, 4096, 32, 8, 14336, 128256, 131072]),
  dense('llama-3.1-70b', [80, 8192, 64, 8, 28672, 128256, 131072]),
  dense('llama-3.1-405b', [126, 16384, 128, 8, 53248, 128256, 131072]),
  dense('llama-3.2-1b', [16, 2048, 32, 8, 8192, 128256, 131072], tied),
  dense('llama-3.2-3b', [28, 3072, 24, 8, 8192, 128256, 131072], tied),
  dense('llama-3.3-70b', [80, 8192, 64, 8, 28672, 128256, 131072]),
  dense('mistral-7b', [32, 4096, 32, 8, 14336, 32768, 32768]),
  dense('mixtral-8x7b', [32, 4096, 32, 8, 14336, 32000, 32768], experts(8, 2)),
  dense('mixtral-8x22b', [56, 6144, 48, 8, 16384, 32768, 65536], experts(8, 2)),
  dense('qwen2.5-0.5b', [24, 896, 14, 2, 4864, 151936, 32768], tied),
  dense('qwen2.5-1.5b', [28, 1536, 12, 2, 8960, 151936, 32768], tied),
  dense('qwen2.5-3b', [36, 2048, 16, 2, 11008, 151936, 32768], tied),
  dense('qwen2.5-7b', [28, 3584, 28, 4, 18944, 152064, 131072]),
  dense('qwen2.5-14b', [48, 5120, 40, 8, 13824, 152064, 131072]),
  dense('qwen2.5-32b', [64, 5120, 40, 8, 27648, 152064, 131072]),
  dense('qwen2.5-72b', [80, 8192, 64, 8, 29568, 152064, 131072]),
  dense('qwen3-0.6b', [28, 1024, 16, 8, 3072, 151936, 40960], { ...tied, ...head128 }),
  dense('qwen3-1.7b', [28, 2048, 16, 8, 6144, 151936, 40960], { ...tied, ...head128 }),
  dense('qwen3-4b', [36, 2560, 32, 8, 9728, 151936, 40960], { ...tied, ...head128 }),
  dense('qwen3-8b', [36, 4096, 32, 8, 12288, 151936, 40960], head128),
  dense('qwen3-14b', [40, 5120, 40, 8, 17408, 151936, 40960], head128),
  dense('qwen3-32b', [64, 5120, 64, 8, 25600, 151936, 40960], head128),
  dense('qwen3-30b-a3b', [48, 2048, 32, 4, 768, 151936, 40960], { ...head128, ...experts(128, 8) }),
  dense('qwen3-235b-a22b', [94, 4096, 64, 4, 1536, 151936, 40960], { ...head128, ...experts(128, 8) }),
  dense('gpt-oss-20b', [24, 2880, 64, 8, 2880, 201088, 131072], { ...gptOss, ...experts(32, 4) }),
  dense('gpt-oss-120b', [36, 2880, 64, 8, 2880, 201088, 131072], { ...gptOss, ...experts(128, 4) }),
  dense('gpt-j-6b', [28, 4096, 16, 16, 16384, 50400, 2048], { gated: false }),
  dense('falcon-180b', [80, 14848, 232, 8, 59392, 65024, 2048], { gated: false }),
  dense('bloom-176b', [70, 14336, 112, 112, 57344, 250880, 2048], { ...tied, gated: false }),
];

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
